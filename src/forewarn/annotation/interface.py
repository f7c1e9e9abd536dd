"""The labelling interface of Label Studio, generated from the scheme."""

from typing import Final
from xml.etree import ElementTree as Xml

from forewarn import labels

COLOURS = (
    *("#b71c1c", "#e65100", "#ad1457", "#6a1b9a", "#4e342e", "#827717", "#ff6f00", "#5d4037"),
    *("#1b5e20", "#006064", "#0d47a1", "#37474f"),
)
"""One colour a label, in the order of the scheme."""

RELATION_COLOURS = ("#0d47a1", "#37474f", "#1b5e20")
"""One colour a relation, in the order of the scheme."""

HOTKEYS = "1234567890qw"
"""One key a label, in the order of the scheme."""

VOICE_HOTKEYS = "zxcvb"
"""One key a voice, in the order of the scheme."""

LABEL, TEXT, VOICE, FORM = "label", "text", "voice", "form"
NOTE, CONFIDENCE, VERDICT, COMMENT = "note", "confidence", "document", "comment"
"""The names of the interface's parts, by which Label Studio's results refer to them."""

CONFIDENCES: Final = {
    "certain": "the guidelines leave no doubt",
    "probable": "another reader might differ",
    "unsure": "somebody should look at it again",
}
"""How sure an annotator is of a span."""

NOTHING_TO_FLAG: Final = "nothing to flag"

_STYLE = """
.htx-text, .lsf-htx-richtext { white-space: pre-wrap; line-height: 2.2; max-width: 50em }
.lsf-htx-richtext { padding-top: 20px }
.fw-bar, .fw-region { position: sticky; z-index: 5; background: var(--color-neutral-background) }
.fw-bar { top: 0; padding-bottom: 6px }
.fw-region { bottom: 0; padding: 6px 0; border-top: 1px solid var(--color-neutral-border) }
.fw-row { display: flex; align-items: center; gap: 12px }
.fw-row > * { margin-top: 0 !important; margin-bottom: 0 !important }
.fw-row h4 { min-width: 5.5em }
.fw-bar h4, .fw-row h4 { font-size: 13px !important; line-height: 1.4; margin: 2px 0 !important }
"""
_HELP = (
    "Choose a label, then select the words; or click a span to change it. The guidelines are "
    "behind the button “Instructions”."
)


def label_config() -> str:
    """Write the interface as Label Studio reads it.

    Spans of all labels may overlap. Voice is asked for, and required, on rhetoric spans only, form
    on dehumanising labels only; note and confidence on every span, if the annotator wishes. White
    space of the text is kept.

    :return: the XML, ending in a line break.
    """
    view = Xml.Element("View")
    Xml.SubElement(view, "Style").text = _STYLE
    bar = Xml.SubElement(view, "View", className="fw-bar")
    Xml.SubElement(bar, "Header", value=_HELP, size="6")
    spans = Xml.SubElement(bar, "Labels", name=LABEL, toName=TEXT, showInline="true")
    for label, colour, key in zip(labels.LABELS, COLOURS, HOTKEYS, strict=True):
        Xml.SubElement(
            spans, "Label", value=label.name, background=colour, hotkey=key, hint=label.definition
        )
    Xml.SubElement(view, "Text", name=TEXT, value="$text", granularity="word")
    region = Xml.SubElement(view, "View", className="fw-region", visibleWhen="region-selected")
    _choices(region, VOICE, labels.VOICES, ",".join(labels.RHETORIC), VOICE_HOTKEYS)
    _choices(region, FORM, labels.FORMS, labels.DEHUMANISING_LABEL)
    _choices(region, CONFIDENCE, CONFIDENCES)
    _text_area(region, NOTE, "a note on this passage", perRegion="true")
    relations = Xml.SubElement(view, "Relations", choice="single")
    for relation, colour in zip(labels.RELATIONS, RELATION_COLOURS, strict=True):
        Xml.SubElement(relations, "Relation", value=relation.name, background=colour)
    Xml.SubElement(view, "Header", value="The whole document", size="5")
    verdict = Xml.SubElement(view, "Choices", name=VERDICT, toName=TEXT, choice="multiple")
    Xml.SubElement(verdict, "Choice", value=NOTHING_TO_FLAG, hint="no passage is to be marked")
    _text_area(view, COMMENT, "a comment on the document")
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def _choices(
    view: Xml.Element, name: str, values: dict[str, str], when_labels: str = "", hotkeys: str = ""
) -> None:
    shown = {"visibleWhen": "region-selected", "whenTagName": LABEL}
    box = Xml.SubElement(view, "View", {"className": "fw-row", **shown})
    Xml.SubElement(box, "Header", value=name.capitalize(), size="6")
    choices = Xml.SubElement(
        box,
        "Choices",
        name=name,
        toName=TEXT,
        perRegion="true",
        choice="single",
        showInline="true",
        visibleWhen="region-selected",
        whenTagName=LABEL,
    )
    if when_labels:
        for element in (box, choices):
            element.set("whenLabelValue", when_labels)
        choices.set("required", "true")
        choices.set("requiredMessage", f"Choose the {name} of every span that asks for it.")
    for n, (value, definition) in enumerate(values.items()):
        choice = Xml.SubElement(choices, "Choice", value=value, hint=definition)
        if hotkeys:
            choice.set("hotkey", hotkeys[n])


def _text_area(view: Xml.Element, name: str, placeholder: str, **attributes: str) -> None:
    Xml.SubElement(
        view,
        "TextArea",
        {
            "name": name,
            "toName": TEXT,
            "placeholder": placeholder,
            "rows": "1",
            "maxSubmissions": "1",
            "editable": "true",
            **attributes,
        },
    )
