"""What a saved model consists of, and the check that its files are the ones that were saved."""

import hashlib
from pathlib import Path
from typing import Any, Final

from forewarn import labels
from forewarn.jsonl import read_json, write_json

ENCODER: Final = "encoder.onnx"
HEADS: Final = "heads.safetensors"
TOKENIZER: Final = "tokenizer.json"
SETTINGS: Final = "settings.json"
FILES: Final = (ENCODER, HEADS, TOKENIZER, SETTINGS)
GATE: Final = "gate.safetensors"
OPTIONAL: Final = (GATE,)
"""Files that a model may lack."""

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1

COMPONENT: Final = "forewarn"
"""Name of the spaCy component, and so of the folder in a pipeline that holds these files."""


class ModelError(ValueError):
    """A model is missing, broken or not the one that its manifest describes."""


def sha256(path: Path) -> str:
    """Hash a file.

    :param path: the file.
    :return: its SHA-256, as 64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, about: dict[str, Any]) -> None:
    """Record the checksums of a model's files beside them.

    :param folder: the folder with the files.
    :param about: what is known of the model: name, version, corpus, configuration, metrics.
    """
    present = [name for name in OPTIONAL if (folder / name).is_file()]
    checksums = {name: sha256(folder / name) for name in (*FILES, *present)}
    write_json(folder / MANIFEST, {"format": FORMAT, **about, "files": checksums})


def copy_files(source: Path, target: Path) -> None:
    """Copy a model's files and its manifest.

    :param source: the folder that holds them.
    :param target: the folder to write, made if needed.
    """
    target.mkdir(parents=True, exist_ok=True)
    present = [name for name in OPTIONAL if (source / name).is_file()]
    for name in (*FILES, *present, MANIFEST):
        (target / name).write_bytes((source / name).read_bytes())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a model's manifest and check every file against it.

    :param folder: the folder with the files, or a spaCy pipeline that holds it.
    :return: the manifest, and under ``folder`` the folder that holds the files.
    :raises ModelError: if a file is missing, not listed or changed.
    """
    if not (folder / MANIFEST).is_file() and (folder / COMPONENT / MANIFEST).is_file():
        folder = folder / COMPONENT
    if not (folder / MANIFEST).is_file():
        raise ModelError(f"{folder}: no model here ({MANIFEST} is missing); give a model's folder")
    try:
        manifest: dict[str, Any] = read_json(folder / MANIFEST)
    except ValueError as error:
        raise ModelError(f"{error}; install the model again") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ModelError(f"{folder / MANIFEST}: not a model's manifest; install the model again")
    if manifest.get("taxonomy") != labels.TAXONOMY:
        raise ModelError(
            f"{folder / MANIFEST}: made for version {manifest.get('taxonomy')!r} of the scheme, "
            f"this version of forewarn has {labels.TAXONOMY!r}; install a matching model"
        )
    if manifest.get("format") != FORMAT:
        raise ModelError(
            f"{folder / MANIFEST}: format {manifest.get('format')!r}, this version of forewarn "
            f"reads format {FORMAT}; install a matching version"
        )
    present = [n for n in OPTIONAL if n in manifest["files"] or (folder / n).exists()]
    for name in (*FILES, *present):
        _check(folder / name, manifest["files"].get(name))
    return {**manifest, "folder": folder}


def _check(path: Path, expected: str | None) -> None:
    if not path.is_file():
        raise ModelError(f"{path}: file of the model is missing; install the model again")
    if expected is None or sha256(path) != expected:
        raise ModelError(
            f"{path}: file is not the one in the model's {MANIFEST} (SHA-256 differs); it is "
            "damaged or was changed: install the model again"
        )
