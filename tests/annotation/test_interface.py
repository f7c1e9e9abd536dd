from pathlib import Path
from xml.etree import ElementTree as Xml

from forewarn import labels
from forewarn.annotation import interface
from forewarn.annotation.interface import label_config

CHECKED_IN = Path(__file__).parents[2] / "annotation" / "label_config.xml"


def values(root, tag):
    return [element.get("value") for element in root.iter(tag)]


def test_checked_in_interface_is_generated():
    assert CHECKED_IN.read_text() == label_config()


def test_interface_has_the_whole_scheme():
    root = Xml.fromstring(label_config())
    assert values(root, "Label") == list(labels.BY_NAME)
    assert values(root, "Relation") == list(labels.RELATION_BY_NAME)
    assert values(root, "Choice") == [
        *(*labels.VOICES, *labels.FORMS, *interface.CONFIDENCES),
        interface.NOTHING_TO_FLAG,
    ]
    for attribute in ("background", "hotkey"):
        assert len({label.get(attribute) for label in root.iter("Label")}) == len(labels.LABELS)


def test_voice_and_form_are_asked_for_only_where_they_apply():
    root = Xml.fromstring(label_config())
    voice, form, confidence, verdict = root.iter("Choices")
    assert voice.get("whenLabelValue").split(",") == list(labels.RHETORIC)
    assert form.get("whenLabelValue") == labels.DEHUMANISING_LABEL
    for choices in (voice, form):
        assert (choices.get("perRegion"), choices.get("required")) == ("true", "true")
    assert confidence.get("perRegion") == "true"
    assert [c.get("required") for c in (confidence, verdict)] == [None, None]
    assert verdict.get("perRegion") is None


def test_no_key_has_two_meanings():
    root = Xml.fromstring(label_config())
    keys = [element.get("hotkey") for element in root.iter() if element.get("hotkey")]
    assert len(keys) == len(set(keys)) == len(labels.LABELS) + len(labels.VOICES)
