"""The one place that sets how kernels are compiled."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

__all__ = ["kernel", "parallel_kernel"]

_config: Any = numba.config  # its attributes are made when it is loaded

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile `function` with numba: cached on disk, GIL released, and never `fastmath`, for NaN must keep its meaning.

    The plain Python function stays reachable as `function.py_func`.
    """
    return _compiled(function, parallel=False)


def parallel_kernel(function: F) -> F:
    """Compile as `kernel` does, with `numba.prange` on all cores; only for loops whose turns do not depend on each other."""
    return _compiled(function, parallel=True)


def _compiled(function: F, *, parallel: bool) -> F:
    # numba looks for changes in a kernel's own file only, and would go on using a caller compiled with a callee that has changed since:
    # so each state of all sources has a place of its own
    usual = _config.CACHE_DIR
    _config.CACHE_DIR = str(_home() / _digest(Path(__file__).parent) / _digest(Path(function.__code__.co_filename).parent))
    try:
        made = numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy", parallel=parallel)(function)
    finally:
        _config.CACHE_DIR = usual
    return cast(F, made)


def _home() -> Path:
    """Return where compiled kernels are kept: `NUMBA_CACHE_DIR` if set, else the user's cache, else the folder for temporary files."""
    if _config.CACHE_DIR:
        return Path(_config.CACHE_DIR) / "liqbt"
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "liqbt" / "kernels"
    except RuntimeError:  # nobody's home
        return Path(tempfile.gettempdir()) / "liqbt-kernels"


@cache
def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
