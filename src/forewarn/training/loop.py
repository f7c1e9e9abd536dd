"""The training loop: optimiser, schedule, batches, the best epoch by validation."""

import random
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from forewarn.corpus.load import GoldDocument
from forewarn.training.config import TrainingConfig
from forewarn.training.examples import Example, iter_examples, swap_quotes
from forewarn.training.tagger import Tagger, pad

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and a line on how it goes."""


def train_tagger(
    tagger: Tagger,
    tokenizer: Any,
    documents: Sequence[GoldDocument],
    score: Callable[[], float],
    *,
    special: tuple[int, int],
    progress: Progress,
) -> list[dict[str, float]]:
    """Train a tagger in place and leave it in its best state.

    That is the state after one of the epochs, or the mean of the states after the last
    ``average_epochs`` (Izmailov et al. 2018), whichever has the best figure on validation data.

    :param tagger: the tagger.
    :param tokenizer: a ``tokenizers.Tokenizer`` with truncation off.
    :param documents: the training documents.
    :param score: gives the tagger's figure on validation data, higher is better.
    :param special: ids of the pieces that open and close a window.
    :param progress: is told of every step.
    :return: one row an epoch: mean losses by name and the validation figure; where states were
        averaged, one more row with that state's figure.
    """
    config = tagger.config
    mask_id = tokenizer.token_to_id("[MASK]")
    rng = random.Random(config.seed)
    first = list(_epoch_batches(tokenizer, documents, config, rng))
    n_steps = len(first) * config.epochs
    optimizer = torch.optim.AdamW(_groups(tagger), weight_decay=config.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _rate(step, n_steps, config.warmup_share)
    )
    history: list[dict[str, float]] = []
    best: dict[str, torch.Tensor] = {}
    last: deque[dict[str, torch.Tensor]] = deque(maxlen=config.average_epochs)
    done = 0
    for epoch in range(config.epochs):
        batches = first if epoch == 0 else _epoch_batches(tokenizer, documents, config, rng)
        tagger.train()
        losses: dict[str, list[float]] = {}
        for batch in batches:
            step = _step(tagger, batch, optimizer, schedule, special, mask_id)
            for name, value in step.items():
                losses.setdefault(name, []).append(value)
            done += 1
            progress(done, n_steps, f"epoch {epoch + 1}, tag loss {np.mean(losses['tag']):.4f}")
        tagger.eval()
        row = {name: float(np.mean(values)) for name, values in losses.items()}
        row["validation"] = score()
        last.append({name: value.clone() for name, value in tagger.state_dict().items()})
        if row["validation"] >= max((r["validation"] for r in history), default=0.0):
            best = last[-1]
        history.append(row)
        progress(done, n_steps, f"epoch {epoch + 1}, validation F1 {row['validation']:.3f}")
    if len(last) > 1:
        tagger.load_state_dict(_mean(last))
        row = {"averaged": float(len(last)), "validation": score()}
        if row["validation"] >= max(r["validation"] for r in history):
            best = _mean(last)
        history.append(row)
        progress(done, n_steps, f"averaged, validation F1 {row['validation']:.3f}")
    tagger.load_state_dict(best)
    return history


def _mean(states: Collection[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    first = next(iter(states))
    return {
        name: torch.stack([state[name] for state in states]).mean(0)
        if value.is_floating_point()
        else value
        for name, value in first.items()
    }


def _step(
    tagger: Tagger,
    batch: list[Example],
    optimizer: Any,
    schedule: Any,
    special: tuple[int, int],
    mask_id: int,
) -> dict[str, float]:
    ids, mask = pad(batch, *special)
    hidden_from_view = (torch.rand(ids.shape) < tagger.config.mask_rate) & (mask == 1)
    hidden_from_view &= ~torch.isin(ids, torch.tensor(special))
    ids = ids.masked_fill(hidden_from_view, mask_id)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = tagger.hidden(ids, mask)
    losses = tagger.loss(hidden, batch)
    optimizer.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    nn.utils.clip_grad_norm_(tagger.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    return {name: float(value.detach()) for name, value in losses.items()}


def _epoch_batches(
    tokenizer: Any, documents: Sequence[GoldDocument], config: TrainingConfig, rng: random.Random
) -> Iterator[list[Example]]:
    examples = [
        example
        for document in documents
        for example in iter_examples(
            tokenizer,
            _augmented(document, config, rng),
            window=config.window,
            overlap=config.overlap,
        )
    ]
    examples.sort(key=lambda example: (len(example.ids) // 32, rng.random()))
    batches: list[list[Example]] = []
    room = 0
    for example in reversed(examples):  # the first of a batch is its longest
        if room < len(example.ids):
            batches.append([])
            room = config.batch_pieces
        batches[-1].append(example)
        room -= len(batches[-1][0].ids)
    rng.shuffle(batches)
    yield from batches


def _augmented(document: GoldDocument, config: TrainingConfig, rng: random.Random) -> GoldDocument:
    if rng.random() >= config.quote_augmentation:
        return document
    return replace(document, text=swap_quotes(document.text, rng))


def _groups(tagger: Tagger) -> list[dict[str, Any]]:
    config = tagger.config
    layers = tagger.encoder.config.num_hidden_layers
    groups = []
    for name, parameter in tagger.named_parameters():
        rate = config.head_rate
        if name.startswith("encoder."):
            parts = name.split(".")
            depth = int(parts[parts.index("layer") + 1]) + 1 if "layer" in parts else 0
            rate = config.encoder_rate * config.layer_decay ** (layers - depth)
        groups.append({"params": [parameter], "lr": rate})
    return groups


def _rate(step: int, n_steps: int, warmup_share: float) -> float:
    warmup = max(1, int(n_steps * warmup_share))
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (n_steps - step) / max(1, n_steps - warmup))
