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
    "annotation.instructions",
    "annotation.notation",
    "annotation.adjudication",
    "annotation.rounds",
    "annotation.layers",
    "corpus.incidents",
    "corpus.load",
    "corpus.checks",
    "corpus.build",
    "corpus.review",
    "corpus.stats",
    "corpus.imports",
    "model.files",
    "model.windows",
    "model.encoder",
    "model.heads",
    "model.calibration",
    "model.decode",
    "model.links",
    "model.gate",
    "model.predictor",
    "pipeline",
    "features",
    "evaluate",
    "annotation.selection",
    "annotation.tasks",
    "annotation.exports",
    "formats.loss",
    "formats.brat",
    "formats.webanno",
    "formats.docbin",
    "formats.conll",
    "formats.studio_json",
    "formats.convert",
    "annotation.client",
    "annotation.push",
    "annotation.pull",
    "annotation.differences",
    "annotation.gold",
    "annotation.server",
    "annotation.backend",
    "annotation.retraining",
    "annotation.unitising",
    "annotation.agreement",
    "annotation.agreement_report",
    "annotation.pairs",
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
    "studio_cli",
    "cli",
)

ONLY_IN = {
    "torch": ("train", "training"),
    "transformers": ("train", "training"),
    "onnx": ("training",),
    "spacy": ("pipeline", "formats.docbin"),
    "typer": ("cli", "studio_cli"),
    "label_studio_sdk": ("annotation.client",),
    "httpx": ("annotation.client",),
    "starlette": ("annotation.backend",),
    "uvicorn": ("studio_cli",),
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
                assert {name, name.split(".")[0]} & set(allowed), f"{name} imports {imported}"
