"""Public corpora from the user's own copies, as records that ``forewarn score`` reads.

They are for comparison only: their labels are not ours, and stand in fields of their own.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from forewarn.jsonl import read_json

Record = dict[str, Any]


def read_ptc(path: Path) -> Iterator[Record]:
    """Read the Propaganda Techniques Corpus (Da San Martino et al. 2019, 2020).

    :param path: a folder that holds ``article<id>.txt`` files and, beside or below, their
        ``.labels``, ``.labels.tsv`` or ``.task*.labels`` files.
    :yields: id, text and ``techniques`` with half-open offsets.
    :raises ValueError: if there are no articles, or a label does not lie in its article.
    """
    articles = {p.stem: p for p in sorted(path.rglob("article*.txt"))}
    if not articles:
        raise ValueError(f"{path}: no article*.txt files; give the corpus's own folder")
    labels: dict[str, set[tuple[str, int, int]]] = {stem: set() for stem in articles}
    for file in sorted(path.rglob("*.labels*")):
        for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            columns = line.split("\t")
            if len(columns) != 4 or not (columns[2] + columns[3]).isdigit():
                if len(columns) == 3:  # the files of the task that marks spans without techniques
                    continue
                raise ValueError(f"{file}, line {n}: expected id, technique, start, end")
            stem = f"article{columns[0]}"
            if stem in labels:
                labels[stem].add((columns[1], int(columns[2]), int(columns[3])))
    for stem, article in articles.items():
        text = article.read_bytes().decode("utf-8")
        spans = []
        for technique, start, end in sorted(labels[stem], key=lambda s: (s[1], s[2], s[0])):
            if not 0 <= start < end <= len(text):
                raise ValueError(f"{article}: {technique} at {start}..{end} is outside the text")
            span = {"start_char": start, "end_char": end, "text": text[start:end]}
            spans.append({"technique": technique, **span})
        yield {"id": f"ptc-{stem.removeprefix('article')}", "text": text, "techniques": spans}


def read_hatecheck(path: Path) -> Iterator[Record]:
    """Read HateCheck (Röttger et al. 2021).

    :param path: ``test_suite_cases.csv``, or a folder that holds it.
    :yields: id, text, ``functionality``, ``hateful``, ``target`` and ``direction``.
    :raises ValueError: if the file has not its columns.
    """
    file = path / "test_suite_cases.csv" if path.is_dir() else path
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        needed = {"functionality", "case_id", "test_case", "label_gold"}
        if missing := needed - set(reader.fieldnames or ()):
            raise ValueError(f"{file}: no columns {', '.join(sorted(missing))}; not HateCheck's")
        for row in reader:
            if row["label_gold"] not in ("hateful", "non-hateful"):
                raise ValueError(f"{file}, case {row['case_id']}: label {row['label_gold']!r}")
            yield {
                "id": f"hatecheck-{row['case_id']}",
                "text": row["test_case"],
                "functionality": row["functionality"],
                "hateful": row["label_gold"] == "hateful",
                "target": row.get("target_ident") or None,
                "direction": row.get("direction") or None,
            }


def read_hatexplain(path: Path) -> Iterator[Record]:
    """Read HateXplain (Mathew et al. 2021).

    :param path: ``dataset.json``, or a folder that holds it.
    :yields: id, text (the tokens, joined by spaces), ``label`` of the majority (None if there is
        none), every annotator's label, and ``rationales`` of more than half of those who gave one.
    :raises ValueError: if the file has another form.
    """
    file = path / "dataset.json" if path.is_dir() else path
    raw = read_json(file)
    if not isinstance(raw, dict):
        raise ValueError(f"{file}: not HateXplain's dataset.json")
    for id_, post in raw.items():
        try:
            yield _hatexplain_record(id_, post)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"{file}, post {id_}: not a HateXplain post ({error!r})") from error


def _hatexplain_record(id_: str, post: dict[str, Any]) -> Record:
    tokens = post["post_tokens"]
    said = [annotator["label"] for annotator in post["annotators"]]
    label, n = Counter(said).most_common(1)[0]
    places, start = [], 0
    for token in tokens:
        places.append((start, start + len(token)))
        start += len(token) + 1
    given = post.get("rationales") or []
    marked = [sum(r[k] for r in given) * 2 > len(given) > 0 for k in range(len(tokens))]
    text = " ".join(tokens)
    spans: list[list[int]] = []
    for k, (begin, end) in enumerate(places):
        if marked[k] and k and marked[k - 1]:
            spans[-1][1] = end
        elif marked[k]:
            spans.append([begin, end])
    return {
        "id": f"hatexplain-{id_}",
        "text": text,
        "label": label if n * 2 > len(said) else None,
        "annotations": said,
        "rationales": [{"start_char": a, "end_char": b, "text": text[a:b]} for a, b in spans],
    }


READERS: dict[str, Callable[[Path], Iterator[Record]]] = {
    "ptc": read_ptc,
    "hatecheck": read_hatecheck,
    "hatexplain": read_hatexplain,
}
"""The corpora by the name that ``forewarn corpus import`` takes."""
