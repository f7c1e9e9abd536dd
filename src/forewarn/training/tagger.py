"""The tagger in torch: encoder and heads, and their losses.

``forewarn.model.heads`` runs the same heads in numpy from the parameters of ``heads_state``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from forewarn.model.encoder import FloatArray
from forewarn.model.heads import (
    CONTEXT_PIECES,
    FORM_NAMES,
    LINK_NAMES,
    N_BUCKETS,
    TAG_LABELS,
    VOICE_NAMES,
    distance_buckets,
)
from forewarn.model.windows import IntArray
from forewarn.training.config import TrainingConfig
from forewarn.training.examples import NOTHING, OUTSIDE, Example

LINK_SIZE = 64

OUTSIDE_PRIOR = 4.0
"""Log odds with which an untrained tagger takes a piece to be outside all spans."""


class LinkHead(nn.Module):
    """Points from spans to the pieces of the other end of a relation, or to nothing.

    Shapes of the parameters: ``query`` (64, 2 * n_hidden), ``key`` (64, n_hidden), ``none``
    (1, 2 * n_hidden), ``bias`` (N_BUCKETS,).
    """

    def __init__(self, n_hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(2 * n_hidden, LINK_SIZE)
        self.key = nn.Linear(n_hidden, LINK_SIZE)
        self.none = nn.Linear(2 * n_hidden, 1)
        self.bias = nn.Parameter(torch.zeros(N_BUCKETS))

    def forward(self, spans: Tensor, hidden: Tensor, buckets: Tensor) -> Tensor:
        """Score the pieces.

        :param spans: shape (n_spans, 2 * n_hidden).
        :param hidden: vectors of the window, shape (n_pieces, n_hidden).
        :param buckets: distance buckets, shape (n_spans, n_pieces).
        :return: logits, shape (n_spans, 1 + n_pieces); the first column is that of nothing.
        """
        scores = self.query(spans) @ self.key(hidden).T / LINK_SIZE**0.5 + self.bias[buckets]
        return torch.cat([self.none(spans), scores], dim=1)


class Tagger(nn.Module):
    """Encoder and heads.

    Shapes of the heads' parameters: ``tag`` (3 * n_labels, n_hidden); ``voice`` and ``form``
    ``in`` (config.hidden, 2 * n_hidden), ``out`` (n_classes, config.hidden); the links as in
    ``LinkHead``.

    :param encoder: a Hugging Face encoder.
    :param config: the training configuration.
    """

    def __init__(self, encoder: Any, config: TrainingConfig) -> None:
        super().__init__()
        n_hidden = encoder.config.hidden_size
        self.config = config
        self.encoder = encoder
        for module in encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # drawing its random numbers takes most of a step on a CPU
        self.dropout = nn.Dropout(config.dropout)
        self.tag = nn.Linear(n_hidden, 3 * len(TAG_LABELS))
        with torch.no_grad():
            self.tag.bias.view(-1, 3)[:, OUTSIDE] += OUTSIDE_PRIOR
        self.voice = _two_layers(n_hidden, config.hidden, len(VOICE_NAMES))
        self.form = _two_layers(n_hidden, config.hidden, len(FORM_NAMES))
        for name in LINK_NAMES:
            self.add_module(f"link_{name}", LinkHead(n_hidden))

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Encode a batch.

        :param ids: piece ids with special pieces, shape (n_windows, width).
        :param mask: 1 for pieces, 0 for padding, same shape.
        :return: vectors without those of the first piece, shape (n_windows, width - 1, n_hidden).
        """
        vectors: Tensor = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return vectors[:, 1:].float()

    def loss(self, hidden: Tensor, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Compute the losses of a batch, weighted.

        :param hidden: vectors from ``hidden``, shape (n_windows, width - 1, n_hidden).
        :param examples: the windows.
        :return: scalars by name; those of which the batch has no case are absent.
        """
        hidden = self.dropout(hidden)
        config = self.config
        losses = {"tag": config.tag_weight * self._tag_loss(hidden, examples)}
        voices, forms, links = [], [], []
        for row, example in enumerate(examples):
            vectors = [pool(hidden[row, : len(example.ids)], s.start, s.end) for s in example.spans]
            for span, vector in zip(example.spans, vectors, strict=True):
                if span.voice != NOTHING:
                    voices.append((vector, span.voice))
                if span.form != NOTHING:
                    forms.append((vector, span.form))
            if example.links:
                links.append(self._link_loss(example, hidden[row, : len(example.ids)], vectors))
        if voices:
            losses["voice"] = config.voice_weight * _class_loss(self.voice, voices)
        if forms:
            losses["form"] = config.form_weight * _class_loss(self.form, forms)
        if links:
            losses["link"] = config.link_weight * torch.cat(links).mean()
        return losses

    def heads_state(self) -> dict[str, FloatArray]:
        """Give the heads' parameters for the numpy twin.

        :return: float32 arrays by name.
        """
        return {
            name: parameter.detach().float().numpy().copy()
            for name, parameter in self.named_parameters()
            if not name.startswith("encoder.")
        }

    def _tag_loss(self, hidden: Tensor, examples: Sequence[Example]) -> Tensor:
        tags = torch.full((*hidden.shape[:2], len(TAG_LABELS)), NOTHING)
        for row, example in enumerate(examples):
            tags[row, : len(example.ids)] = torch.from_numpy(example.tags)
        logits = self.tag(hidden).view(*tags.shape, 3)
        weight = torch.tensor([1.0, self.config.inside_weight, self.config.inside_weight])
        losses = F.cross_entropy(
            logits.flatten(0, 2),
            tags.flatten(),
            weight=weight,
            ignore_index=NOTHING,
            reduction="sum",
        )
        return losses / (tags[:, :, 0] != NOTHING).sum()

    def _link_loss(self, example: Example, hidden: Tensor, vectors: list[Tensor]) -> Tensor:
        losses = []
        for name in LINK_NAMES:
            links = [link for link in example.links if link.name == name]
            if not links:
                continue
            n_pieces = len(example.ids)
            right = torch.zeros(len(links), 1 + n_pieces)
            buckets = np.zeros((len(links), n_pieces), dtype=np.int64)
            for row, link in enumerate(links):
                head = example.spans[link.head]
                buckets[row] = distance_buckets(head.start, head.end, 0, n_pieces)
                for tail in link.right:
                    span = example.spans[tail]
                    right[row, 1 + span.start : 1 + span.end] = 1.0
                if not link.right:
                    right[row, 0] = 1.0
            heads = torch.stack([vectors[link.head] for link in links])
            logits = getattr(self, f"link_{name}")(heads, hidden, torch.from_numpy(buckets))
            likely = torch.log_softmax(logits, dim=1)
            losses.append(-(likely * right).sum(1) / right.sum(1))
        return torch.cat(losses)


class TorchEncoder:
    """The tagger's encoder behind the interface of ``forewarn.model.encoder.Encoder``.

    :param tagger: the tagger.
    :param cls_id: id of the piece that opens a window.
    :param sep_id: id of the piece that closes it.
    """

    def __init__(self, tagger: Tagger, cls_id: int, sep_id: int) -> None:
        self.tagger, self.cls_id, self.sep_id = tagger, cls_id, sep_id

    def encode(self, window: IntArray) -> FloatArray:
        """Encode one window.

        :param window: piece ids, shape (n_pieces,).
        :return: vectors, shape (n_pieces, n_hidden).
        """
        ids = torch.tensor([[self.cls_id, *window.tolist(), self.sep_id]])
        with torch.inference_mode():
            hidden = self.tagger.hidden(ids, torch.ones_like(ids))
        vectors: FloatArray = hidden[0, :-1].numpy()
        return vectors


def read_pretrained(folder: Path) -> Any:
    """Load a Hugging Face encoder from a local folder.

    :param folder: the folder.
    :return: the encoder, in float32.
    """
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    return AutoModel.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )


def pool(hidden: Tensor, start: int, end: int) -> Tensor:
    """Describe a span; the twin of ``forewarn.model.heads.pool``.

    :param hidden: vectors, shape (n_pieces, n_hidden).
    :param start: first piece.
    :param end: the piece after the last.
    :return: shape (2 * n_hidden,).
    """
    context = hidden[max(0, start - CONTEXT_PIECES) : end + CONTEXT_PIECES]
    return torch.cat([hidden[start:end].mean(0), context.mean(0)])


def pad(examples: Sequence[Example], cls_id: int, sep_id: int) -> tuple[Tensor, Tensor]:
    """Lay windows side by side.

    :param examples: the windows.
    :param cls_id: id of the piece that opens a window.
    :param sep_id: id of the piece that closes it.
    :return: ids and mask, each of shape (n_windows, width).
    """
    width = max(len(example.ids) for example in examples) + 2
    ids = np.zeros((len(examples), width), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, example in enumerate(examples):
        n = len(example.ids)
        ids[row, : n + 2] = [cls_id, *example.ids, sep_id]
        mask[row, : n + 2] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def _two_layers(n_hidden: int, middle: int, n_classes: int) -> nn.ModuleDict:
    return nn.ModuleDict(
        {"in": nn.Linear(2 * n_hidden, middle), "out": nn.Linear(middle, n_classes)}
    )


def _class_loss(layers: nn.ModuleDict, cases: list[tuple[Tensor, int]]) -> Tensor:
    vectors = torch.stack([vector for vector, _ in cases])
    logits = layers["out"](F.relu(layers["in"](vectors)))
    return F.cross_entropy(logits, torch.tensor([case for _, case in cases]))
