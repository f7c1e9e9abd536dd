"""Score texts without spaCy: the whole way from a string to a prediction."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from forewarn import labels
from forewarn.jsonl import read_json
from forewarn.model import files, heads
from forewarn.model.calibration import Logistic, document_score
from forewarn.model.decode import DecodeSettings, iter_candidates, trim, whole_name
from forewarn.model.encoder import Encoder, FloatArray
from forewarn.model.gate import Gate, load_gate
from forewarn.model.heads import CONTEXT_PIECES, Heads, pool
from forewarn.model.links import Found, Linker
from forewarn.model.windows import IntArray, Pieces, iter_blocks, iter_windows, tokenize
from forewarn.predictions import Mention, Prediction, ScoredSpan

BoolArray = npt.NDArray[np.bool_]

ROLE_OF_LINK = {labels.SPOKEN_BY: labels.SPEAKER, labels.TARGETS: labels.TARGET}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a model needs besides its weights.

    ``window`` and ``overlap`` count pieces. ``span_curves`` calibrate raw scores, one per label;
    ``mention_curve`` and ``use_curve`` score documents. ``threshold`` and ``role_threshold`` are
    calibrated scores, 0..1.
    """

    window: int
    overlap: int
    cls_id: int
    sep_id: int
    decode: DecodeSettings
    span_curves: dict[str, Logistic]
    mention_curve: Logistic
    use_curve: Logistic
    threshold: float = 0.5
    role_threshold: float = 0.05

    def to_dict(self) -> dict[str, Any]:
        """Turn the settings into plain JSON values.

        :return: nested dicts.
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "Settings":
        """Read back what ``to_dict`` gave.

        :param raw: nested dicts.
        :return: the settings.
        """
        curves = {label: _curve(curve) for label, curve in raw["span_curves"].items()}
        return cls(
            **{
                **raw,
                "decode": DecodeSettings(**raw["decode"]),
                "span_curves": curves,
                "mention_curve": _curve(raw["mention_curve"]),
                "use_curve": _curve(raw["use_curve"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """One probability per candidate that it is rhetoric, and that it is rhetoric in use."""

    mention: list[float]
    use: list[float]


class EncodesWindows(Protocol):
    """Anything that turns the pieces of a window into vectors."""

    def encode(self, window: IntArray) -> FloatArray:
        """Encode one window."""


class Predictor:
    """A loaded model.

    :param encoder: the encoder.
    :param head_parameters: the heads.
    :param tokenizer: a ``tokenizers.Tokenizer``.
    :param settings: everything else.
    :param manifest: what is known of the model; its ``name`` is carried by predictions.
    :param folder: where the model's files are.
    :param gate: tells what needs to be encoded; everything is if None.
    """

    def __init__(
        self,
        encoder: EncodesWindows,
        head_parameters: Heads,
        tokenizer: Any,
        settings: Settings,
        manifest: dict[str, Any],
        folder: Path | None = None,
        gate: Gate | None = None,
    ) -> None:
        self.gate = gate
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.encoder, self.heads, self.tokenizer = encoder, head_parameters, tokenizer
        self.settings, self.manifest, self.folder = settings, manifest, folder
        self.name: str = manifest["name"]

    @classmethod
    def load(
        cls,
        name: str | Path | None = None,
        *,
        threshold: float | None = None,
        n_threads: int | None = None,
        gate: bool = False,
    ) -> "Predictor":
        """Load a model after checking its files against its manifest.

        :param name: a model's folder, or its name among the installed ones; the default if None.
        :param threshold: lowest score of a reported span, 0..1; the model's own if None.
        :param n_threads: threads for the encoder; all cores if None.
        :param gate: pass over what the model's gate holds for plain; a model without one scores
            everything.
        :return: the predictor.
        :raises ModelError: if there is no such model, or a file differs from the manifest.
        :raises ValueError: if the threshold is not within 0..1.
        """
        import tokenizers
        from safetensors.numpy import load_file

        manifest = files.read_manifest(find_model(name))
        folder: Path = manifest.pop("folder")
        settings = Settings.from_dict(read_json(folder / files.SETTINGS))
        if threshold is not None:
            if not 0 <= threshold <= 1:
                raise ValueError(f"threshold {threshold} is not within 0..1")
            settings = replace(settings, threshold=threshold)
        encoder = Encoder(
            (folder / files.ENCODER).read_bytes(),
            cls_id=settings.cls_id,
            sep_id=settings.sep_id,
            n_threads=n_threads,
        )
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / files.TOKENIZER))
        head_parameters = Heads(load_file(folder / files.HEADS))
        path = folder / files.GATE
        opened = load_gate(path) if gate and path.is_file() else None
        return cls(encoder, head_parameters, tokenizer, settings, manifest, folder, opened)

    def predict(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Score texts, one after the other.

        :param texts: texts of any length.
        :yields: one prediction a text, in order.
        """
        for text in texts:
            yield self.predict_one(text)

    def predict_one(self, text: str) -> Prediction:
        """Score one text.

        :param text: a text of any length; an empty one has no spans and scores 0.
        :return: what was found.
        :raises ValueError: if the text holds a lone surrogate.
        """
        check_text(text)
        if not text.strip():
            return Prediction(0.0, 0.0, ())
        evidence, spans = self._score(text)
        mention = document_score(self.settings.mention_curve, evidence.mention)
        use = document_score(self.settings.use_curve, evidence.use)
        return Prediction(_rounded(mention), _rounded(min(use, mention)), tuple(spans))

    def evidence(self, text: str) -> "Evidence":
        """Give what the document scores are computed from.

        :param text: a text.
        :return: the scores of all its candidates, also of those under the threshold.
        """
        return self._score(text)[0]

    def _score(self, text: str) -> tuple["Evidence", list[ScoredSpan]]:
        evidence, spans = Evidence([], []), list[ScoredSpan]()
        for start, end in iter_blocks(text):
            found, hidden = self._look(text, start, end)
            rhetoric = [f for f in found if f.label in labels.RHETORIC]
            voices = self._voices(rhetoric)
            evidence.mention.extend(f.score for f in rhetoric)
            evidence.use.extend(f.score * _use(v) for f, v in zip(rhetoric, voices, strict=True))
            voice_of = {id(f): voice for f, voice in zip(rhetoric, voices, strict=True)}
            spans += self._link(text, found, hidden, voice_of, offset=len(spans))
        return evidence, spans

    def _look(self, text: str, start: int, end: int) -> tuple[list[Found], FloatArray]:
        block = text[start:end]
        stretches = [(0, len(block))] if self.gate is None else self.gate.stretches(block)
        if not stretches:
            return [], np.zeros((0, 1), dtype=np.float32)
        pieces = tokenize(self.tokenizer, block)
        if self.gate is None:
            hidden = self.encode_pieces(pieces)
            return self._find(text, pieces, hidden, start), hidden
        hidden, encoded = self.encode_wanted(pieces, _touched(pieces, stretches))
        return self._find(text, pieces, hidden, start, encoded), hidden

    def encode_pieces(self, pieces: Pieces) -> FloatArray:
        """Encode all pieces, each in the window that shows most of its surroundings.

        :param pieces: the pieces of a block of text.
        :return: vectors, shape (n_pieces, n_hidden).
        """
        return self.encode_wanted(pieces, np.ones(len(pieces), dtype=np.bool_))[0]

    def encode_wanted(self, pieces: Pieces, wanted: BoolArray) -> tuple[FloatArray, BoolArray]:
        """Encode the windows that give a wanted piece.

        :param pieces: the pieces of a block of text.
        :param wanted: which pieces must be encoded, shape (n_pieces,).
        :return: vectors, shape (n_pieces, n_hidden), 0 where nothing was encoded; and which pieces
            were, shape (n_pieces,).
        """
        encoded = np.zeros(len(pieces), dtype=np.bool_)
        hidden = np.zeros((len(pieces), 1), dtype=np.float32)
        for window in iter_windows(len(pieces), self.settings.window, self.settings.overlap):
            kept = slice(window.keep_start, window.keep_end)
            if not wanted[kept].any():
                continue
            vectors = self.encoder.encode(pieces.ids[window.start : window.end])
            if hidden.shape[1] != vectors.shape[1]:
                hidden = np.zeros((len(pieces), vectors.shape[1]), dtype=vectors.dtype)
            hidden[kept] = vectors[window.keep_start - window.start :][: len(hidden[kept])]
            encoded[kept] = True
        return hidden, encoded

    def _find(
        self,
        text: str,
        pieces: Pieces,
        hidden: FloatArray,
        offset: int,
        encoded: BoolArray | None = None,
    ) -> list[Found]:
        if not len(pieces) or (encoded is not None and not encoded.any()):
            return []
        probabilities = self.heads.tag_probabilities(hidden)
        if encoded is not None:
            probabilities[~encoded] = (1.0, 0.0, 0.0)
        found = []
        for candidate in iter_candidates(probabilities, pieces, self.settings.decode):
            label = heads.TAG_LABELS[candidate.label]
            curve = self.settings.span_curves[label]
            score = _rounded(curve.probability(candidate.features))
            start_char, end_char = trim(
                text,
                offset + int(pieces.starts[candidate.start]),
                offset + int(pieces.ends[candidate.end - 1]),
            )
            if label == labels.SPEAKER:
                start_char, end_char = whole_name(text, start_char, end_char)
            vector = pool(hidden, candidate.start, candidate.end)
            found.append(Found(candidate, label, score, vector, start_char, end_char))
        return sorted(found, key=lambda f: (f.start_char, f.end_char, f.candidate.label))

    def _voices(self, rhetoric: list[Found]) -> list[FloatArray]:
        if not rhetoric:
            return []
        return list(self.heads.voice_probabilities(np.stack([f.vector for f in rhetoric])))

    def _link(
        self,
        text: str,
        found: list[Found],
        hidden: FloatArray,
        voice_of: dict[int, FloatArray],
        offset: int,
    ) -> list[ScoredSpan]:
        threshold = self.settings.threshold
        shown = [f for f in found if f.label not in labels.ROLES and f.score >= threshold]
        ends = {
            link: [f for f in found if f.label == role and f.score >= self.settings.role_threshold]
            for link, role in ROLE_OF_LINK.items()
        }
        ends[labels.RESPONDS_TO] = [f for f in shown if f.label in labels.RHETORIC]
        linkers = {
            link: Linker.over(self.heads, link, candidates, hidden, self.settings.window)
            for link, candidates in ends.items()
        }
        index = {id(f): offset + n for n, f in enumerate(shown)}
        spans = []
        for f in shown:
            voice = voice_of.get(id(f))
            speaker = linkers[labels.SPOKEN_BY].best(f)
            target = answered = None
            if voice is not None:
                target = linkers[labels.TARGETS].best(f)
            else:
                answered = linkers[labels.RESPONDS_TO].best(f)
            spans.append(
                ScoredSpan(
                    f.start_char,
                    f.end_char,
                    text[f.start_char : f.end_char],
                    f.label,
                    self._form(f),
                    f.score,
                    None if voice is None else heads.VOICE_NAMES[int(voice.argmax())],
                    None if voice is None else _rounded(float(voice.max())),
                    _mention(text, speaker),
                    _mention(text, target),
                    None if answered is None else index[id(answered)],
                )
            )
        return spans

    def _form(self, found: Found) -> str | None:
        if found.label != labels.DEHUMANISING_LABEL:
            return None
        return heads.FORM_NAMES[int(self.heads.form_probabilities(found.vector[None])[0].argmax())]


def _touched(pieces: Pieces, stretches: list[tuple[int, int]]) -> BoolArray:
    """Mark the pieces in stretches of text, and around them those that describe a span."""
    wanted = np.zeros(len(pieces), dtype=np.bool_)
    starts = np.searchsorted(pieces.ends, [start for start, _ in stretches], side="right")
    ends = np.searchsorted(pieces.starts, [end for _, end in stretches], side="left")
    for start, end in zip(starts, ends, strict=True):
        wanted[max(0, start - CONTEXT_PIECES) : end + CONTEXT_PIECES] = True
    return wanted


def check_text(text: str) -> None:
    """Refuse a text that cannot be encoded.

    :param text: the text.
    :raises ValueError: if it holds a lone surrogate; the message says where.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text holds a lone surrogate (U+{ord(text[error.start]):04X}) at character "
            f"{error.start}; replace or remove it, for example with U+FFFD"
        ) from error


def find_model(name: str | Path | None = None) -> Path:
    """Find a model's folder.

    :param name: a folder, or the name of an installed model; the newest installed one if None.
    :return: the folder.
    :raises ModelError: if there is none.
    """
    if name is not None and Path(name).is_dir():
        return Path(name)
    installed = {
        path.name: path
        for root in _MODEL_ROOTS
        for path in root.glob("*")
        if (path / files.COMPONENT / files.MANIFEST).is_file()
    }
    if name is not None and str(name) in installed:
        return installed[str(name)]
    if name is None and installed:
        return installed[max(installed, key=_version)]
    raise files.ModelError(
        f"model {str(name or 'default')!r} not found: give a folder or one of "
        f"{', '.join(installed) or 'none installed'}"
    )


def _version(name: str) -> tuple[list[int], str]:
    return [int(part) for part in re.findall(r"\d+", name.rpartition("-")[2])], name


_PACKAGE = Path(__file__).resolve().parents[1]
_MODEL_ROOTS = (_PACKAGE.parents[1] / "models", _PACKAGE / "_models")


def _curve(raw: dict[str, Any]) -> Logistic:
    return Logistic(tuple(raw["weights"]), raw["bias"])


def _use(voice: FloatArray) -> float:
    return float(
        sum(p for p, name in zip(voice, heads.VOICE_NAMES, strict=True) if labels.is_use(name))
    )


def _mention(text: str, found: Found | None) -> Mention | None:
    if found is None:
        return None
    return Mention(found.start_char, found.end_char, text[found.start_char : found.end_char])


def _rounded(score: float) -> float:
    return round(score, 4)
