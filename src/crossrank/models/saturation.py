"""Whether this processor's int8 products are exact.

Processors without VNNI (AMD before Zen 4, Intel before Ice Lake) multiply uint8 by int8 in pairs
whose sum is kept in 16 bits: large ones are cut off, without a word. Products of uint8 by uint8
are exact there and as fast; with VNNI they are slower. So the product is tried out.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from crossrank.models.wire import int8_product

_ROWS: Final = 4
_INNER: Final = 64
_COLUMNS: Final = 32


@cache
def saturates() -> bool:
    """Whether ONNX Runtime's product of uint8 and int8 loses large sums on this processor."""
    import onnxruntime as ort

    weights = np.full((_INNER, _COLUMNS), 127, np.int8)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        int8_product(weights.tobytes(), weights.shape), options, providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, {"a": np.full((_ROWS, _INNER), 255, np.uint8)})
    return bool((found != 255 * 127 * _INNER).any())
