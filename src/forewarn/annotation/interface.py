"""The labelling interface of Label Studio, generated from the scheme."""

from xml.etree import ElementTree as Xml

from forewarn import labels

COLOURS = (
    *("#b71c1c", "#e65100", "#ad1457", "#6a1b9a", "#4e342e", "#827717", "#ff6f00", "#5d4037"),
    *("#1b5e20", "#006064", "#0d47a1", "#37474f"),
)
"""One colour a label, in the order of the scheme."""

HOTKEYS = "1234567890qw"
"""One key a label, in the order of the scheme."""

_STYLE = ".htx-text { white-space: pre-wrap }"


def label_config() -> str:
    """Write the interface as Label Studio reads it.

    Spans of all labels may overlap. Voice is asked for, and required, on rhetoric spans only, form
    on dehumanising labels only. White space of the text is kept.

    :return: the XML, ending in a line break.
    """
    view = Xml.Element("View")
    Xml.SubElement(view, "Style").text = _STYLE
    spans = Xml.SubElement(view, "Labels", name="label", toName="text", showInline="true")
    for label, colour, key in zip(labels.LABELS, COLOURS, HOTKEYS, strict=True):
        Xml.SubElement(
            spans, "Label", value=label.name, background=colour, hotkey=key, hint=label.definition
        )
    Xml.SubElement(view, "Text", name="text", value="$text", granularity="word")
    relations = Xml.SubElement(view, "Relations")
    for relation in labels.RELATIONS:
        Xml.SubElement(relations, "Relation", value=relation.name)
    _choices(view, "voice", labels.VOICES, ",".join(labels.RHETORIC))
    _choices(view, "form", labels.FORMS, labels.DEHUMANISING_LABEL)
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def _choices(view: Xml.Element, name: str, values: dict[str, str], when_labels: str) -> None:
    choices = Xml.SubElement(
        view,
        "Choices",
        name=name,
        toName="text",
        perRegion="true",
        required="true",
        choice="single",
        showInline="true",
        visibleWhen="region-selected",
        whenTagName="label",
        whenLabelValue=when_labels,
    )
    for value, definition in values.items():
        Xml.SubElement(choices, "Choice", value=value, hint=definition)
