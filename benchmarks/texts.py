"""The documents of the benchmark: the corpus' test documents, repeated under new ids."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "corpus" / "data"
KINDS = ("plain", "rhetoric")


def read_texts(kind: str, files: list[Path] | None = None) -> list[str]:
    """Texts without any span of the gold (plain), or with rhetoric; or those of .jsonl files."""
    if files:
        return [json.loads(line)["text"] for path in files for line in path.open()]
    texts = []
    for split in ("test", "test_ood"):
        for line in (CORPUS / f"{split}.jsonl").open():
            raw = json.loads(line)
            if bool(raw["spans"]) == (kind == "rhetoric"):
                texts.append(raw["text"])
    return texts


def endless(texts: list[str]) -> Iterator[tuple[str, str]]:
    for n in count():
        yield f"d{n}", texts[n % len(texts)]
