"""Baselines that know nothing of Forewarn's model, trained on the same documents.

Each turns the training documents into something that maps texts to predictions, so that the same
``evaluate`` scores them. None of them links spans; where a baseline has no voice of its own, it
says the commonest one.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import spacy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import filter_spans, fix_random_seed, minibatch

from forewarn import labels
from forewarn.corpus.load import GoldDocument
from forewarn.predictions import Prediction, ScoredSpan
from forewarn.sentences import split_sentences

Score = Callable[[Sequence[str]], Iterator[Prediction]]

LABELS = (*labels.RHETORIC, *labels.COUNTER)
COMMONEST_VOICE, COMMONEST_FORM = "asserted", "animal"


def train_lexicon(documents: Sequence[GoldDocument]) -> Score:
    """Look up the words of the training spans with a spaCy ``span_ruler``.

    A string of one to four words is in the lexicon of a label if at least two training spans of
    that label hold it and at least half of its occurrences lie in such spans.

    :param documents: the training documents.
    :return: the scorer.
    """
    nlp = spacy.blank("en")
    inside: dict[str, Counter[str]] = defaultdict(Counter)
    everywhere: Counter[str] = Counter()
    for document in documents:
        everywhere.update(_grams(nlp, document.text))
        for span in document.spans:
            if span.label in LABELS:
                inside[span.label].update(set(_grams(nlp, span.text)))
    ruler = nlp.add_pipe("span_ruler", config={"spans_key": "sc", "phrase_matcher_attr": "LOWER"})
    ruler.add_patterns(
        [
            {"label": label, "pattern": gram}
            for label, grams in inside.items()
            for gram, n in grams.items()
            if n >= 2 and 2 * n >= everywhere[gram]
        ]
    )

    def score(texts: Sequence[str]) -> Iterator[Prediction]:
        for doc in nlp.pipe(texts):
            spans = []
            for label in LABELS:
                kept = filter_spans([s for s in doc.spans["sc"] if s.label_ == label])
                spans += [(s.start_char, s.end_char, label, 1.0, COMMONEST_VOICE) for s in kept]
            yield _prediction(doc.text, spans)

    return score


def train_linear(documents: Sequence[GoldDocument]) -> Score:
    """Classify sentences by TF-IDF of words and characters with logistic regression.

    A flagged sentence is a span as a whole. Voice is a second classifier of the same kind.

    :param documents: the training documents.
    :return: the scorer.
    """
    sentences, truth, voices, voiced = [], [], [], []
    for document in documents:
        for start, end in split_sentences(document.text):
            touching = [s for s in document.spans if s.start_char < end and start < s.end_char]
            sentences.append(document.text[start:end])
            truth.append([any(s.label == label for s in touching) for label in LABELS])
            for voice in {s.voice for s in touching if s.voice}:
                voiced.append(document.text[start:end])
                voices.append(voice)

    def features() -> object:
        return make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=3),
        )

    regression = LogisticRegression(C=10, max_iter=1000, class_weight="balanced")
    spotter = make_pipeline(features(), OneVsRestClassifier(regression)).fit(
        sentences, np.array(truth, dtype=int)
    )
    teller = make_pipeline(features(), LogisticRegression(C=10, max_iter=1000)).fit(voiced, voices)

    def score(texts: Sequence[str]) -> Iterator[Prediction]:
        for text in texts:
            bounds = split_sentences(text)
            found = []
            if bounds:
                own = [text[start:end] for start, end in bounds]
                told = teller.predict(own)
                for (start, end), row, voice in zip(
                    bounds, spotter.predict_proba(own), told, strict=True
                ):
                    found += [
                        (start, end, label, float(p), str(voice))
                        for label, p in zip(LABELS, row, strict=True)
                        if p >= 0.5
                    ]
            yield _prediction(text, found)

    return score


def train_spancat(documents: Sequence[GoldDocument], *, epochs: int = 10, seed: int = 1) -> Score:
    """Train spaCy's ``spancat`` on the candidates of its own trainable ``span_finder``.

    Candidates of all n-grams up to the length of our spans do not fit into memory.

    :param documents: the training documents.
    :param epochs: rounds over them.
    :param seed: seed of the weights and of the order.
    :return: the scorer.
    """
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "*"}
    nlp.add_pipe(
        "span_finder",
        config={
            "spans_key": "candidates",
            "threshold": 0.3,
            "max_length": 40,
            "model": {"scorer": {"nO": 2}, "tok2vec": listener},
        },
    )
    nlp.add_pipe(
        "spancat",
        config={
            "spans_key": "sc",
            "suggester": {"@misc": "spacy.preset_spans_suggester.v1", "spans_key": "candidates"},
            "model": {"tok2vec": listener},
        },
    )
    examples = [_example(nlp, document) for document in documents]
    optimizer = nlp.initialize(lambda: examples)
    order = random.Random(seed)
    for _ in range(epochs):
        order.shuffle(examples)
        for batch in minibatch(examples, 8):
            nlp.update(batch, sgd=optimizer, drop=0.1, annotates=["span_finder"])

    def score(texts: Sequence[str]) -> Iterator[Prediction]:
        for doc in nlp.pipe(texts):
            group = doc.spans["sc"]
            scores = group.attrs.get("scores", [1.0] * len(group))
            yield _prediction(
                doc.text,
                [
                    (s.start_char, s.end_char, s.label_, float(p), COMMONEST_VOICE)
                    for s, p in zip(group, scores, strict=True)
                ],
            )

    return score


def _grams(nlp: spacy.Language, text: str) -> Iterator[str]:
    words = [token.lower_ for token in nlp.make_doc(text)]
    for n in range(1, 5):
        for start in range(len(words) - n + 1):
            gram = words[start : start + n]
            if gram[0].isalpha() and gram[-1].isalpha() and len("".join(gram)) > 3:
                yield " ".join(gram)


def _example(nlp: spacy.Language, document: GoldDocument) -> Example:
    doc = nlp.make_doc(document.text)
    gold = nlp.make_doc(document.text)
    spans = [
        span
        for s in document.spans
        if s.label in LABELS
        and (span := gold.char_span(s.start_char, s.end_char, s.label, alignment_mode="expand"))
    ]
    gold.spans["sc"] = spans
    gold.spans["candidates"] = _unlabelled(gold, spans)
    return Example(doc, gold)


def _unlabelled(doc: Doc, spans: Sequence[spacy.tokens.Span]) -> list[spacy.tokens.Span]:
    return [doc[start:end] for start, end in sorted({(s.start, s.end) for s in spans})]


def _prediction(text: str, found: Sequence[tuple[int, int, str, float, str]]) -> Prediction:
    spans = tuple(
        ScoredSpan(
            start,
            end,
            text[start:end],
            label,
            COMMONEST_FORM if label == labels.DEHUMANISING_LABEL else None,
            score,
            voice if label in labels.RHETORIC else None,
            score if label in labels.RHETORIC else None,
            None,
            None,
            None,
        )
        for start, end, label, score, voice in sorted(found)
    )
    rhetoric = [s for s in spans if s.label in labels.RHETORIC]
    return Prediction(
        max((s.score for s in rhetoric), default=0.0),
        max((s.score for s in rhetoric if labels.is_use(s.voice)), default=0.0),
        spans,
    )
