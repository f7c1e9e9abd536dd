import shutil
import subprocess
import sys

import pytest
import spacy

import forewarn
from forewarn.model.files import ModelError
from forewarn.pipeline import blank_pipeline

SOUND = "Marshal Quorrel called the weavers lice. The ferry leaves at nine."


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
    assert str(list(loaded(SOUND).spans["rhetoric"])) == str(list(nlp(SOUND).spans["rhetoric"]))


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
