"""The import rule: downstream only, and heavy packages only where they belong."""

import ast
from pathlib import Path

SRC = Path(__file__).parents[1] / "src" / "forewarn"

ORDER = (
    "labels",
    "rules",
    "records",
    "predictions",
    "jsonl",
    "matching",
    "sentences",
    "encodings",
    "extraction",
    "sources",
    "tables",
    "webarchives",
    "readers",
    "documents",
    "annotation.interface",
    "annotation.notation",
    "annotation.adjudication",
    "annotation.rounds",
    "corpus.incidents",
    "corpus.load",
    "corpus.checks",
    "corpus.build",
    "corpus.review",
    "corpus.stats",
    "model.files",
    "model.windows",
    "model.encoder",
    "model.heads",
    "model.decode",
    "model.links",
    "model.calibration",
    "model.gate",
    "model.predictor",
    "pipeline",
    "evaluate",
    "annotation.unitising",
    "annotation.agreement",
    "annotation.agreement_report",
    "challenge",
    "figures",
    "training.config",
    "training.examples",
    "training.tagger",
    "training.loop",
    "training.export",
    "training.fit",
    "training.gate",
    "train",
    "scoring",
    "flat",
    "rows",
    "databases",
    "outputs",
    "seen",
    "shards",
    "workers",
    "batch",
    "distributed",
    "terminal",
    "cli",
)

ONLY_IN = {
    "torch": ("train", "training"),
    "transformers": ("train", "training"),
    "onnx": ("training",),
    "spacy": ("pipeline",),
    "typer": ("cli",),
    "rich": ("cli", "terminal", "figures"),
    "pickle": (),
    "joblib": (),
    "requests": (),
    "urllib": (),
}


def modules():
    for path in sorted(SRC.rglob("*.py")):
        if path.name not in ("__init__.py", "__main__.py"):
            yield ".".join(path.relative_to(SRC).with_suffix("").parts), path


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_module_has_its_place():
    assert {name for name, _ in modules()} == set(ORDER)


def test_imports_go_downstream_only():
    place = {f"forewarn.{name}": n for n, name in enumerate(ORDER)}
    for name, path in modules():
        for imported in imports(path):
            if imported in place:
                assert place[imported] < place[f"forewarn.{name}"], f"{name} imports {imported}"


def test_heavy_packages_stay_where_they_belong():
    for name, path in modules():
        for imported in imports(path):
            allowed = ONLY_IN.get(imported.split(".")[0])
            if allowed is not None:
                assert name.split(".")[0] in allowed, f"{name} imports {imported}"
