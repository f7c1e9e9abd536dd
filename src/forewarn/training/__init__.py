"""Train a model: configuration, examples, tagger, loop, export. Needs the extra ``train``."""

try:
    import torch  # noqa: F401
    import transformers  # noqa: F401
except ImportError as error:
    raise ImportError(
        "training needs more packages; install them with: pip install 'forewarn[train]'"
    ) from error
