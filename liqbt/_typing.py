"""Array types that state their rank, and the position side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LONG",
    "SHORT",
    "SIDES",
    "BoolArray1D",
    "BoolArray2D",
    "Float64Array1D",
    "Float64Array2D",
    "Float64Array3D",
    "Float64Array4D",
    "Int8Array1D",
    "IntArray1D",
    "Progress",
    "Side",
]

# numpy's typing does not carry rank; the names do.
Float64Array1D: TypeAlias = NDArray[np.float64]
Float64Array2D: TypeAlias = NDArray[np.float64]
Float64Array3D: TypeAlias = NDArray[np.float64]
Float64Array4D: TypeAlias = NDArray[np.float64]
IntArray1D: TypeAlias = NDArray[np.int64]
Int8Array1D: TypeAlias = NDArray[np.int8]
BoolArray1D: TypeAlias = NDArray[np.bool_]
BoolArray2D: TypeAlias = NDArray[np.bool_]

Side: TypeAlias = Literal["long", "short"]
"""Always the POSITION side; venue files that use order side are converted in their reader."""

LONG, SHORT = 0, 1
SIDES: tuple[Side, Side] = ("long", "short")
"""Labels of the `side` axis of every array, in order."""

Progress: TypeAlias = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and what is being done."""
