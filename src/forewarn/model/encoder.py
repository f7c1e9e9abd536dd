"""The encoder as ONNX Runtime runs it: word pieces in, one vector a piece out."""

from typing import Any

import numpy as np
import numpy.typing as npt

from forewarn.model.windows import IntArray

FloatArray = npt.NDArray[np.float32]


class Encoder:
    """A transformer encoder in ONNX form.

    :param content: the bytes of the ONNX file.
    :param cls_id: id of the piece that opens a window.
    :param sep_id: id of the piece that closes it.
    :param n_threads: threads within one run; all cores if None.
    """

    def __init__(
        self, content: bytes, *, cls_id: int, sep_id: int, n_threads: int | None = None
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = n_threads or 0
        self._session: Any = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self._cls, self._sep = np.array([cls_id]), np.array([sep_id])

    def encode(self, window: IntArray) -> FloatArray:
        """Encode one window.

        Windows are run one by one: dynamic int8 quantisation scales by the largest value of a run,
        so a window that shared a run with others would depend on them.

        :param window: piece ids, shape (n_pieces,), without special pieces.
        :return: vectors, shape (n_pieces, n_hidden).
        """
        ids = np.concatenate([self._cls, window, self._sep])[np.newaxis]
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        hidden: FloatArray = self._session.run(None, inputs)[0]
        return hidden[0, 1:-1]
