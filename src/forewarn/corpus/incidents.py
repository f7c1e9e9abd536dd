"""The invented incidents that the documents belong to; a whole incident goes to one split."""

from pathlib import Path
from typing import Any, Final

from forewarn.jsonl import read_json

GENRES: Final = frozenset(
    (
        "agency_report",
        "business_news",
        "communique",
        "court_judgment",
        "decree",
        "editorial",
        "explainer",
        "fact_check",
        "history_essay",
        "interview",
        "leaflet",
        "letter",
        "local_news",
        "long_read",
        "military_bulletin",
        "ngo_statement",
        "op_ed",
        "parliament",
        "police_log",
        "police_notice",
        "radio",
        "review",
        "sermon",
        "social_post",
        "social_thread",
        "speech",
        "sports_report",
        "state_television",
        "testimony",
        "training_manual",
        "un_statement",
        "wire_brief",
    )
)
"""The genres that a document may have."""


def read_incidents(corpus: Path) -> dict[str, dict[str, Any]]:
    """Read the table of incidents.

    :param corpus: the corpus folder.
    :return: by the incident's id: country, places, decade, setting, actors, event, split.
    :raises ValueError: if the table is missing or broken.
    """
    path = corpus / "incidents.json"
    if not path.is_file():
        raise ValueError(f"{path} is missing; it assigns every incident to a split")
    incidents: dict[str, dict[str, Any]] = read_json(path)
    return incidents
