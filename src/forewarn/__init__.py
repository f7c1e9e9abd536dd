"""Forewarn: find the rhetoric that goes before lethal violence, and who says it about whom."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacy.language import Language

    from forewarn.model.predictor import Predictor

__version__ = version("forewarn")
__all__ = ["Predictor", "__version__", "load"]


def load(name: str | None = None, *, threshold: float | None = None) -> "Language":
    """Load a model as a spaCy pipeline.

    :param name: a model's folder, or its name among the installed ones; the default model if None.
    :param threshold: lowest score of a reported span, 0..1; the model's own if None.
    :return: a pipeline that sets ``doc.spans["rhetoric"]`` and the ``Doc`` and ``Span`` extensions.
    """
    from forewarn.pipeline import load_pipeline

    return load_pipeline(name, threshold=threshold)


def __getattr__(attribute: str) -> Any:
    if attribute == "Predictor":
        from forewarn.model.predictor import Predictor

        return Predictor
    raise AttributeError(f"module 'forewarn' has no attribute {attribute!r}")
