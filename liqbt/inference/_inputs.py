"""What the statistics accept, and how they refuse the rest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D
from liqbt.errors import ConfigError

__all__ = ["above_zero", "at_least", "codes_of", "finite", "one_of", "same_length", "share_inside", "watched"]


def finite(name: str, values: Any, *, at_least: int = 1) -> Float64Array1D:
    """Return `values` as a float array of one dimension; raises ConfigError where it is none, too short or not finite."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigError(f"{name}: must be numbers, not {type(values).__name__} of something else") from None
    if array.ndim != 1 or array.size < at_least:
        raise ConfigError(f"{name}: shape {array.shape} must be one row of at least {at_least} numbers")
    broken = np.flatnonzero(~np.isfinite(array))
    if broken.size:
        raise ConfigError(f"{name}: {array[broken[0]]} at position {broken[0]} is not finite; leave out what is unknown before testing")
    return array


def codes_of(name: str, labels: Any, length: int) -> tuple[IntArray1D, int]:
    """Return labels (of any sortable kind) as codes 0, 1, ... in order of the labels, and how many there are."""
    array = np.asarray(labels)
    if array.shape != (length,):
        raise ConfigError(f"{name}: shape {array.shape} must be {(length,)}, one label an event")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ConfigError(f"{name}: a label is not finite; give every event a label")
    try:
        known, codes = np.unique(array, return_inverse=True)
    except TypeError:
        raise ConfigError(f"{name}: labels of different kinds cannot be told apart; give numbers or strings only") from None
    return codes.astype(np.int64), int(known.size)


def same_length(**arrays: np.ndarray[Any, Any]) -> None:
    """Raise ConfigError where arrays that go together differ in length."""
    if len({array.shape[0] for array in arrays.values()}) > 1:
        raise ConfigError("lengths differ: " + ", ".join(f"{name} has {array.shape[0]}" for name, array in arrays.items()))


def above_zero(name: str, value: float) -> float:
    """Return `value`; raises ConfigError unless it is finite and above 0."""
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f"{name}: {value!r} must be above 0")
    return float(value)


def at_least(name: str, value: int, least: int) -> int:
    """Return the whole number `value`; raises ConfigError where it is none or below `least`."""
    if not (math.isfinite(value) and int(value) == value and value >= least):
        raise ConfigError(f"{name}: {value!r} must be a whole number of at least {least}")
    return int(value)


def share_inside(name: str, value: float) -> float:
    """Return `value`; raises ConfigError unless it lies between 0 and 1, both excluded."""
    if not 0 < value < 1:
        raise ConfigError(f"{name}: {value!r} must lie between 0 and 1, both excluded")
    return float(value)


def one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    """Return `value`; raises ConfigError where it is not among `known`."""
    if value not in known:
        raise ConfigError(f"{name}: {value!r} is unknown; take one of {', '.join(known)}")
    return value


def watched(time: Any, touched: Any) -> tuple[Float64Array1D, BoolArray1D]:
    """Return times and whether each ended in a touch; raises ConfigError for negative times or flags that are no booleans."""
    span, event = finite("time", time), np.asarray(touched)
    if span.min() < 0:
        raise ConfigError(f"time: {span.min():g} is negative; count from when the level was set")
    if event.shape != span.shape or not np.isin(event, (0, 1)).all():
        raise ConfigError(f"touched: must be one yes or no for each of the {span.size} times")
    return span, event.astype(np.bool_)
