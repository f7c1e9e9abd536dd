"""One system on one kind of text, in a process of its own: prints what was measured as JSON.

    python benchmarks/systems.py NAME --kind plain --seconds 20

Each system loads, warms up, and then takes whole documents for so many seconds.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from peak import Peak
from texts import CORPUS, endless, read_texts

WINDOW = 510

Run = Callable[[Iterator[str]], Iterator[object]]


def forewarn(gate: bool, n_processes: int, model: str | None) -> Run:
    from forewarn.records import Document
    from forewarn.workers import WorkerOptions, Workers

    workers = Workers(n_processes, WorkerOptions(model, None, gate=gate, flat=False))

    def run(texts: Iterator[str]) -> Iterator[object]:
        return workers.score(Document(str(n), text) for n, text in enumerate(texts))

    return run


def bert_base(n_threads: int, model: str | None) -> Run:
    """BERT-base with a classifier, as Detoxify runs it; random weights, all of each text."""
    import torch
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertForSequenceClassification

    from forewarn.model.predictor import find_model

    torch.set_num_threads(n_threads)
    classifier = BertForSequenceClassification(BertConfig(num_labels=6)).eval()
    tokenizer = Tokenizer.from_file(str(find_model(model) / "forewarn" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def score(text: str) -> None:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        for start in range(0, len(ids), WINDOW):
            part = torch.tensor([[101, *ids[start : start + WINDOW], 102]])
            with torch.no_grad():
                torch.sigmoid(classifier(input_ids=part).logits)

    return lambda texts: (score(text) for text in texts)


def spacy_small(n_threads: int, model: str | None) -> Run:
    """The small English pipeline; of the same components with random weights if it is absent."""
    import spacy

    nlp = spacy.load("en_core_web_sm") if spacy.util.is_package("en_core_web_sm") else _twin()
    return lambda texts: nlp.pipe(texts)


def _twin() -> object:
    """The components and sizes of en_core_web_sm 3.8, not trained."""
    import spacy
    from spacy.training import Example

    nlp = spacy.blank("en")
    embed = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        **{"width": 96, "depth": 4, "embed_size": 2000, "window_size": 1},
        **{"maxout_pieces": 3, "subword_features": True, "pretrained_vectors": None},
    }
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
    nlp.add_pipe("tok2vec", config={"model": embed})
    tagger = {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}
    nlp.add_pipe("tagger", config={"model": tagger})
    nlp.add_pipe("parser", config={"model": _transitions("parser", listener)})
    nlp.add_pipe("attribute_ruler")
    nlp.add_pipe("ner", config={"model": _transitions("ner", embed)})
    words = ["word"] * 60
    doc = nlp.make_doc(" ".join(words))
    tags = [f"T{n % 49}" for n in range(60)]
    deps = ["ROOT", *(f"d{n % 44}" for n in range(59))]
    entities = [f"U-E{n % 18}" for n in range(60)]
    gold = {"tags": tags, "deps": deps, "heads": [0] * 60, "entities": entities}
    example = Example.from_dict(doc, gold)
    nlp.initialize(lambda: [example])
    return nlp


def _transitions(kind: str, tok2vec: dict) -> dict:
    return {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": kind,
        **{"extra_state_tokens": False, "hidden_width": 64, "maxout_pieces": 2, "use_upper": True},
        "tok2vec": tok2vec,
    }


def spancat(n_threads: int, model: str | None) -> Run:
    """Spans of 1 to 12 words, ten labels, not trained."""
    import spacy
    from spacy.training import Example

    nlp = spacy.blank("en")
    sizes = {"@misc": "spacy.ngram_suggester.v1", "sizes": list(range(1, 13))}
    pipe = nlp.add_pipe("spancat", config={"suggester": sizes})
    for n in range(10):
        pipe.add_label(f"L{n}")
    doc = nlp.make_doc("Some words to begin with.")
    example = Example.from_dict(doc, {"spans": {"sc": [(0, 4, "L0")]}})
    nlp.initialize(lambda: [example])
    return lambda texts: nlp.pipe(texts, batch_size=4)


def tfidf(n_threads: int, model: str | None) -> Run:
    """TF-IDF of words and pairs with logistic regression, fitted on the training documents."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    raws = [json.loads(line) for line in (CORPUS / "train.jsonl").open()]
    pipe = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression())
    pipe.fit([raw["text"] for raw in raws], [bool(raw["spans"]) for raw in raws])
    return lambda texts: _batches(pipe.predict_proba, texts)


def profanity(n_threads: int, model: str | None) -> Run:
    """alt-profanity-check."""
    from profanity_check import predict_prob

    return lambda texts: _batches(predict_prob, texts)


def _batches(score: Callable[[list[str]], object], texts: Iterator[str]) -> Iterator[object]:
    while batch := list(islice(texts, 64)):
        score(batch)
        yield from batch


SYSTEMS = {
    "forewarn, gate, 2 processes": lambda n, m: forewarn(True, 2, m),
    "forewarn, gate, 1 process": lambda n, m: forewarn(True, 1, m),
    "forewarn, 2 processes": lambda n, m: forewarn(False, 2, m),
    "forewarn, 1 process": lambda n, m: forewarn(False, 1, m),
    "BERT-base classifier": bert_base,
    "spaCy small English": spacy_small,
    "spancat, 1 to 12 words": spancat,
    "TF-IDF + logistic regression": tfidf,
    "alt-profanity-check": profanity,
}


def measure(name: str, kind: str, seconds: float, files: list[Path], model: str | None) -> dict:
    peak, texts = Peak(), read_texts(kind, files)
    started = time.monotonic()
    run = SYSTEMS[name](2, model)
    for _ in run(iter(texts[:8])):
        pass
    ready = time.monotonic()
    counts = {"n_documents": 0, "n_words": 0}

    def limited() -> Iterator[str]:
        for _, text in endless(texts):
            if time.monotonic() - ready >= seconds:
                return
            counts["n_documents"] += 1
            counts["n_words"] += len(text.split())
            yield text

    for _ in run(limited()):
        pass
    took = time.monotonic() - ready
    return {
        "system": name,
        "kind": kind,
        "seconds": took,
        "startup": ready - started,
        "words_a_second": counts["n_words"] / took,
        "documents_a_second": counts["n_documents"] / took,
        "peak_mb": peak.mb,
        **counts,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=SYSTEMS)
    parser.add_argument("--kind", default="plain")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--texts", type=Path, action="append", default=[])
    parser.add_argument("--model")
    o = parser.parse_args()
    result = measure(o.name, o.kind, o.seconds, o.texts, o.model)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
