"""The one place that sets how kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["kernel", "parallel_kernel"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile `function` with numba: cached on disk, GIL released, and never `fastmath`, for NaN must keep its meaning.

    The plain Python function stays reachable as `function.py_func`.
    """
    return cast(F, numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy")(function))


def parallel_kernel(function: F) -> F:
    """Compile as `kernel` does, with `numba.prange` on all cores; only for loops whose turns do not depend on each other."""
    return cast(F, numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy", parallel=True)(function))
