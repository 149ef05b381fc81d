"""When two things are the same: one text for equal settings, one hash for equal data."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import re
from collections.abc import Mapping, Set
from numbers import Integral, Real
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np

from liqbt.market import MarketFrame

__all__ = ["canonical_json", "data_sha256", "plain", "sha256_of"]

_ADDRESS: Final = re.compile(r" at 0x[0-9A-Fa-f]+>")  # as in the repr of a plain object or function
_EXACT: Final = 2**53  # whole floats up to here are whole numbers
_NOT_DATA: Final = ("findings", "inputs")  # what is said of the recording, and the names of its files
_HASHES: WeakKeyDictionary[MarketFrame, str] = WeakKeyDictionary()  # a sweep asks for the same market's thousands of times


def canonical_json(value: Any) -> str:
    """Return one text for all equal settings: keys sorted, 1.0 as 1, numpy's numbers as Python's, no NaN."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(value: Any) -> Any:
    """Return a value that JSON holds exactly, equal for equal settings.

    Dataclasses become their fields, and their class by the key `kind`, for two of them may have the same fields. What is no number, text,
    collection or dataclass becomes its `repr`, or its class where that would tell an address in memory.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        if not math.isfinite(number):
            return str(number)
        return int(number) if number.is_integer() and abs(number) <= _EXACT else number
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__, **{f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Set):
        return sorted((plain(one) for one in value), key=canonical_json)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    text = repr(value)
    return type(value).__qualname__ if _ADDRESS.search(text) else text


def sha256_of(value: Any) -> str:
    """Return the SHA-256 of settings: equal ones have the same."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def data_sha256(market: MarketFrame) -> str:
    """Return the SHA-256 of a market: of all arrays, venue, symbol, interval, brackets and seed, but not of the names of its files.

    The same recording of the same span has the same hash, wherever and in whatever files it was stored.
    """
    known = _HASHES.get(market)
    if known is None:
        digest = hashlib.sha256()
        _feed(digest, market)
        known = _HASHES[market] = digest.hexdigest()
    return known


def _feed(digest: Any, record: Any) -> None:
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.name in _NOT_DATA:
            continue
        if isinstance(value, np.ndarray):
            digest.update(f"{field.name} {value.dtype.str} {value.shape}\n".encode())
            digest.update(np.ascontiguousarray(value).data)
        elif dataclasses.is_dataclass(value) and any(isinstance(one, np.ndarray) for one in vars(value).values()):
            digest.update(f"{field.name}\n".encode())
            _feed(digest, value)
        else:
            digest.update(f"{field.name} {canonical_json(value)}\n".encode())
