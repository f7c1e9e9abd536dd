import shutil
import subprocess
import sys

import pytest
import spacy
from spacy.tokens import Doc, DocBin

import forewarn
from forewarn.model.files import ModelError
from forewarn.pipeline import MAX_LENGTH, blank_pipeline
from forewarn.predictions import Mention, Prediction, ScoredSpan

SOUND = "Marshal Quorrel called the weavers lice. The ferry leaves at nine."
ANSWERED = "Quorrel calls weavers lice. Nonsense, says Tamm."
EXTENSIONS = (
    "form",
    "score",
    "voice",
    "voice_score",
    "speaker",
    "target",
    "responds_to",
    "prediction",
)


def mention(word):
    start = ANSWERED.index(word)
    return Mention(start, start + len(word), word)


def scored(words, label, score, voice=None, speaker=None, target=None, responds_to=None):
    start = ANSWERED.index(words)
    form = "animal" if label == "DEHUMANISING_LABEL" else None
    return ScoredSpan(
        start,
        start + len(words),
        words,
        label,
        form,
        score,
        voice,
        voice and score,
        speaker and mention(speaker),
        target and mention(target),
        responds_to,
    )


LICE = scored("lice", "DEHUMANISING_LABEL", 0.9, "quoted", "Quorrel", "weavers")
THREAT = scored("lice", "VIOLENT_THREAT", 0.7, "own", "Tamm")
COUNTER = scored("Nonsense", "CONDEMNATION", 0.8, speaker="Tamm", responds_to=1)


def annotated(*spans):
    nlp = blank_pipeline()
    doc = nlp.make_doc(ANSWERED)
    nlp.get_pipe("forewarn").set_annotations([doc], [Prediction(0.9, 0.4, spans)])
    return doc


def readings(doc):
    """All that can be read of a document, as values that compare across documents."""

    def plain(value):
        if isinstance(value, spacy.tokens.Span):
            return value.start_char, value.end_char, value.label_
        return value

    spans = [
        (plain(span), {name: plain(span._.get(name)) for name in EXTENSIONS})
        for span in doc.spans["rhetoric"]
    ]
    return doc._.mention, doc._.use, list(doc.spans["rhetoric"].attrs["scores"]), spans


@pytest.fixture(scope="module")
def nlp(tiny_model):
    return forewarn.load(str(tiny_model))


def test_annotates_a_doc(nlp, predictor):
    doc = nlp(SOUND)
    [span] = doc.spans["rhetoric"]
    assert (span.text, span.label_) == ("lice", "DEHUMANISING_LABEL")
    assert (span._.voice, span._.form) == ("quoted", "animal")
    assert span._.speaker.text == "Marshal Quorrel"
    assert span._.target.text == "weavers"
    prediction = predictor.predict_one(SOUND)
    assert (doc._.mention, doc._.use) == (prediction.mention, prediction.use)
    assert doc.spans["rhetoric"].attrs["scores"] == [span._.score] == [prediction.spans[0].score]
    assert span._.prediction == prediction.spans[0]
    assert [sent.text for sent in doc.sents][1] == "The ferry leaves at nine."


def test_predict_changes_nothing(nlp):
    doc = nlp.make_doc(SOUND)
    nlp.get_pipe("forewarn").predict([doc])
    assert "rhetoric" not in doc.spans
    assert doc._.mention is None


def test_spacy_loads_the_saved_model(tiny_model, nlp):
    loaded = spacy.load(tiny_model)
    assert loaded.pipe_names == ["sentencizer", "forewarn"]
    assert readings(loaded(SOUND)) == readings(nlp(SOUND))


def test_save_and_load_round_trip(nlp, tmp_path):
    nlp.to_disk(tmp_path / "copy")
    copy = spacy.load(tmp_path / "copy")
    assert copy(SOUND)._.mention == nlp(SOUND)._.mention


def test_spacy_refuses_a_tampered_model(tiny_model, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    with (model / "forewarn" / "heads.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="SHA-256 differs"):
        spacy.load(model)


def test_pipe(nlp):
    docs = list(nlp.pipe([SOUND, "", "Nothing here."]))
    assert [len(doc.spans["rhetoric"]) for doc in docs] == [1, 0, 0]


def test_component_without_a_model_says_so():
    with pytest.raises(ValueError, match=r"no model: use forewarn\.load"):
        blank_pipeline()("text")


def test_scoring_needs_no_torch(tiny_model):
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "import forewarn, spacy\n"
        f"assert len(forewarn.load({str(tiny_model)!r})({SOUND!r}).spans['rhetoric']) == 1\n"
        f"p = forewarn.Predictor.load({str(tiny_model)!r})\n"
        f"assert len(p.predict_one({SOUND!r}).spans) == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_predictor_needs_no_spacy(tiny_model):
    code = (
        "import sys; sys.modules['spacy'] = None\n"
        "import forewarn\n"
        f"p = forewarn.Predictor.load({str(tiny_model)!r})\n"
        f"assert len(p.predict_one({SOUND!r}).spans) == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_labels_on_one_stretch_keep_their_own_values():
    doc = annotated(LICE, THREAT, COUNTER)
    lice, threat, counter = doc.spans["rhetoric"]
    assert [span._.prediction for span in (lice, threat, counter)] == [LICE, THREAT, COUNTER]
    assert (lice._.voice, lice._.form, lice._.score) == ("quoted", "animal", 0.9)
    assert (threat._.voice, threat._.form, threat._.score) == ("own", None, 0.7)
    assert (lice._.speaker.text, lice._.target.text) == ("Quorrel", "weavers")
    assert (threat._.speaker.text, threat._.target) == ("Tamm", None)
    assert counter._.responds_to == threat
    assert lice._.responds_to is None


@pytest.mark.parametrize(("scores", "kept"), [((0.6, 0.9), 1), ((0.9, 0.6), 0), ((0.7, 0.7), 0)])
def test_one_of_two_spans_that_expand_to_the_same_tokens_is_kept(scores, kept):
    rivals = [
        scored("lic", "VIOLENT_THREAT", scores[0], "own"),
        scored("ice", "VIOLENT_THREAT", scores[1], "quoted"),
    ]
    doc = annotated(*rivals, COUNTER)
    threat, counter = doc.spans["rhetoric"]
    assert (threat.text, threat._.prediction) == ("lice", rivals[kept])
    assert doc.spans["rhetoric"].attrs["scores"] == [scores[kept], 0.8]
    assert counter._.responds_to == threat


def test_a_span_the_model_did_not_find_has_no_values():
    doc = annotated(LICE)
    assert [doc[0:1]._.get(name) for name in EXTENSIONS] == [None] * len(EXTENSIONS)
    unseen = blank_pipeline().make_doc(ANSWERED)
    assert [unseen[0:1]._.get(name) for name in EXTENSIONS] == [None] * len(EXTENSIONS)


def test_annotating_again_replaces_all_values():
    doc = annotated(LICE, THREAT)
    old = list(doc.spans["rhetoric"])
    blank_pipeline().get_pipe("forewarn").set_annotations([doc], [Prediction(0.1, 0.1, ())])
    assert [span._.score for span in old] == [None, None]


def test_bytes_round_trip():
    doc = annotated(LICE, THREAT, COUNTER)
    assert readings(Doc(doc.vocab).from_bytes(doc.to_bytes())) == readings(doc)


def test_docbin_round_trip():
    doc = annotated(LICE, THREAT, COUNTER)
    content = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    [copy] = DocBin().from_bytes(content).get_docs(spacy.blank("en").vocab)
    assert readings(copy) == readings(doc)


def test_docbin_is_read_in_another_process(tmp_path):
    DocBin(store_user_data=True, docs=[annotated(LICE, THREAT, COUNTER)]).to_disk(tmp_path / "bin")
    code = (
        "import spacy\n"
        "from spacy.tokens import DocBin\n"
        "from forewarn.pipeline import register_extensions\n"
        "register_extensions()\n"
        f"bin = DocBin().from_disk({str(tmp_path / 'bin')!r})\n"
        "[doc] = bin.get_docs(spacy.blank('en').vocab)\n"
        "lice, threat, counter = doc.spans['rhetoric']\n"
        "assert (lice._.voice, threat._.voice) == ('quoted', 'own')\n"
        "assert counter._.responds_to == threat\n"
        "assert (doc._.mention, doc._.use) == (0.9, 0.4)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pipe_in_two_processes(nlp):
    texts = [SOUND, "", "Nothing here."]
    docs = list(nlp.pipe(texts, n_process=2, batch_size=1))
    assert [readings(doc) for doc in docs] == [readings(nlp(text)) for text in texts]


def test_spacy_loaded_model_takes_long_texts(tiny_model):
    loaded = spacy.load(tiny_model)
    assert loaded.max_length == MAX_LENGTH
    assert len(loaded.make_doc("x" * 1_000_001).text) == 1_000_001


def test_threshold_is_saved_in_the_configuration(tiny_model, tmp_path):
    forewarn.load(str(tiny_model), threshold=1).to_disk(tmp_path / "strict")
    strict = spacy.load(tmp_path / "strict")
    assert strict.get_pipe("forewarn").predictor.settings.threshold == 1
    assert len(strict(SOUND).spans["rhetoric"]) == 0
