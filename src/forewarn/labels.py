"""The annotation scheme: the only place in the project that spells a label.

The guidelines, the Label Studio interface and the features of the dataset are generated from these
definitions or checked against them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

TAXONOMY: Final = "1"
"""Version of the scheme; every prediction and every built corpus carries it."""


class Kind(StrEnum):
    """What a label is for; relations are allowed only between certain kinds."""

    RHETORIC = "rhetoric"
    COUNTER = "counter"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Label:
    """One span label of the scheme with its one-line definition."""

    name: str
    kind: Kind
    definition: str


DEHUMANISING_LABEL: Final = "DEHUMANISING_LABEL"
SPEAKER: Final = "SPEAKER"
TARGET: Final = "TARGET"

LABELS: Final = (
    Label(
        DEHUMANISING_LABEL,
        Kind.RHETORIC,
        "a name for people that denies them humanity or stands in for them as mere criminals or "
        "enemies",
    ),
    Label(
        "LETHAL_FORCE_ORDER",
        Kind.RHETORIC,
        "an order, permission, standing instruction or encouragement to those who bear arms to "
        "kill or to use force without the legal limits",
    ),
    Label(
        "VIOLENT_THREAT",
        Kind.RHETORIC,
        "a threat, wish or demand, by the speaker's side or in nobody's name, that people be "
        "killed, crushed, wiped out or gravely harmed",
    ),
    Label(
        "INCITEMENT",
        Kind.RHETORIC,
        "a call on the public, followers or a crowd to attack, expel, starve or shun people",
    ),
    Label(
        "KILLING_EUPHEMISM",
        Kind.RHETORIC,
        "clean words for killing or driving out people",
    ),
    Label(
        "ENEMY_FRAMING",
        Kind.RHETORIC,
        "a whole group as guilty, or as a mortal danger to us (collective guilt, accusation in a "
        "mirror, purity, plot from abroad)",
    ),
    Label(
        "VIOLENCE_JUSTIFICATION",
        Kind.RHETORIC,
        "violence against people presented as necessary, deserved, cleansing or only lawful "
        "routine",
    ),
    Label(
        "IMPUNITY",
        Kind.RHETORIC,
        "promises or grants that those who use force will not answer for it, or that rules do "
        "not apply",
    ),
    Label(
        "CONDEMNATION",
        Kind.COUNTER,
        "words that reject, denounce or contradict such rhetoric or the acts it asks for",
    ),
    Label(
        "LEGAL_STANDARD",
        Kind.COUNTER,
        "a statement of the norm on force, speech or fair trial",
    ),
    Label(SPEAKER, Kind.ROLE, "who said, wrote or ordered it"),
    Label(TARGET, Kind.ROLE, "the people it is about or against"),
)

FORMS: Final = {
    "animal": "an animal or vermin",
    "disease": "an illness, a germ, a tumour",
    "filth": "dirt, waste or a mere thing",
    "demon": "a devil, a monster, evil itself",
    "machine": "a machine, a tool, a puppet without a mind",
    "criminal": "a blanket criminal, terrorist or traitor label on a group, without any finding "
    "by a court",
}
"""Sub-types of DEHUMANISING_LABEL, each with its one-line definition."""

VOICES: Final = {
    "denied": "the text says that it was not said, not ordered, not true",
    "condemned": "the clause, the author's own or a critic's, rejects it",
    "endorsed": "attributed to somebody, and the author approves",
    "quoted": "attributed to somebody, no stance; scare quotes with a known source",
    "asserted": "the text says so itself: a speech, a decree, an order, a post, an op-ed",
}
"""Voices of a rhetoric span, in the order in which an annotator asks for them."""

USE_VOICES: Final = frozenset({"asserted", "endorsed"})
"""Voices with which a text uses rhetoric; with any voice at all it mentions it."""


@dataclass(frozen=True, slots=True)
class RelationType:
    """One relation of the scheme: which kinds of span it may join."""

    name: str
    head_kinds: frozenset[Kind]
    tail: frozenset[str]
    definition: str


BY_NAME: Final = {label.name: label for label in LABELS}
RHETORIC: Final = tuple(label.name for label in LABELS if label.kind is Kind.RHETORIC)
COUNTER: Final = tuple(label.name for label in LABELS if label.kind is Kind.COUNTER)
ROLES: Final = tuple(label.name for label in LABELS if label.kind is Kind.ROLE)

SPOKEN_BY: Final = "spoken_by"
TARGETS: Final = "targets"
RESPONDS_TO: Final = "responds_to"

RELATIONS: Final = (
    RelationType(
        SPOKEN_BY,
        frozenset({Kind.RHETORIC, Kind.COUNTER}),
        frozenset({SPEAKER}),
        "from a rhetoric or counter span to the one who said, wrote or ordered it",
    ),
    RelationType(
        TARGETS,
        frozenset({Kind.RHETORIC}),
        frozenset({TARGET}),
        "from a rhetoric span to the people it is about or against",
    ),
    RelationType(
        RESPONDS_TO,
        frozenset({Kind.COUNTER}),
        frozenset(RHETORIC),
        "from a counter span to the rhetoric span that it answers",
    ),
)
RELATION_BY_NAME: Final = {relation.name: relation for relation in RELATIONS}


def kind_of(label: str) -> Kind:
    """Return the kind of a label.

    :param label: a label's name.
    :return: its kind.
    :raises ValueError: if the scheme has no such label.
    """
    if label not in BY_NAME:
        raise ValueError(f"unknown label {label!r}; expected one of {', '.join(BY_NAME)}")
    return BY_NAME[label].kind


def is_use(voice: str | None) -> bool:
    """Tell whether a span of this voice is used by the text itself.

    :param voice: a voice, or None for a span that has none.
    :return: True for ``asserted`` and ``endorsed``.
    """
    return voice in USE_VOICES
