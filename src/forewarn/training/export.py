"""Export the trained encoder to ONNX, with its weights in int8."""

import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from forewarn.training.tagger import Tagger


class _HiddenStates(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden: Tensor = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state
        return hidden


def export_encoder(tagger: Tagger, path: Path) -> None:
    """Write the encoder as an ONNX file.

    :param tagger: the trained tagger.
    :param path: the file to write.
    """
    tagger.eval()
    ids = torch.ones((2, 16), dtype=torch.int64)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter calls itself outdated
        whole = Path(folder) / "float32.onnx"
        torch.onnx.export(
            _HiddenStates(tagger.encoder),
            (ids, torch.ones_like(ids)),
            str(whole),
            input_names=["input_ids", "attention_mask"],
            output_names=["hidden"],
            dynamic_axes={
                "input_ids": {0: "batch", 1: "piece"},
                "attention_mask": {0: "batch", 1: "piece"},
                "hidden": {0: "batch", 1: "piece"},
            },
            opset_version=17,
            dynamo=False,
        )
        _quantize(whole, path)


def _quantize(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # Seven bits a weight: with eight, processors without VNNI saturate and compute otherwise.
    quantize_dynamic(
        str(source), str(target), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True
    )
