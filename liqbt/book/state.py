"""BookState: the book between two bars, which can be saved, loaded and continued."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from liqbt._time import format_ns
from liqbt._typing import Float64Array2D, Float64Array3D, IntArray1D
from liqbt.book._kernels import NOWHERE
from liqbt.book.flows import FlowState
from liqbt.book.grid import PriceGrid, price_grid
from liqbt.book.levels import Levels
from liqbt.book.params import BookParams
from liqbt.errors import ConfigError, DataError
from liqbt.market import MarketFrame

__all__ = ["BookState", "PriceGrid", "price_grid"]

_KIND: Final = "liqbt book"
_VERSION: Final = 1
_ARRAYS: Final = ("shift", "share", "multiple", "book", "scale", "live", "lowest", "highest", "seen", "volume_mean")


@dataclass(frozen=True, kw_only=True, eq=False)
class BookState:
    """Everything that the bars after `until` need to know of those before; its size depends on the range of prices alone.

    until: UTC nanoseconds, close of the last bar. params, leverage: assumptions that it was made with. shift, share, multiple: see
    `Levels`. flows: see `FlowState`. first: absolute bin of the book's first.
    book: shape (2, n_columns, n_bins), mass in base, before `scale`, shape (2, n_columns). live: shape (2, n_columns), base.
    lowest, highest: shape (2, n_columns), absolute bins between which a column may hold mass. There is one column a leverage, twice
    over where some positions are fleeting. Leverages have unit weight, so a state can be continued with any weights.
    """

    venue: str
    symbol: str
    interval: str
    until: int
    params: BookParams
    leverage: tuple[float, ...]
    shift: Float64Array3D
    share: Float64Array3D
    multiple: Float64Array2D
    first: int
    book: Float64Array3D
    scale: Float64Array2D
    live: Float64Array2D
    lowest: IntArray1D
    highest: IntArray1D
    flows: FlowState

    @property
    def held(self) -> tuple[int, int] | None:
        """First and last absolute bin that may hold mass; None where none does."""
        some = self.highest >= self.lowest
        return (int(self.lowest[some].min()), int(self.highest[some].max())) if some.any() else None

    def check(self, market: MarketFrame, params: BookParams, leverage: tuple[float, ...], levels: Levels) -> None:
        """Raise ConfigError unless `market` goes on where the state ends, under the same assumptions."""
        for name in ("venue", "symbol", "interval"):
            mine, other = getattr(self, name), getattr(market, name)
            if mine != other:
                raise ConfigError(f"state: is of {name} {mine}, the market of {other}; continue it with the same {name}")
        if market.timestamp[0] != self.until:
            raise ConfigError(
                f"state: ends at {format_ns(self.until)} but the market begins at {format_ns(market.timestamp[0])}; "
                "the next chunk must begin where the last one ended"
            )
        for field in dataclasses.fields(params):
            mine, other = getattr(self.params, field.name), getattr(params, field.name)
            if mine != other:
                raise ConfigError(f"state: was made with {field.name} {mine!r}, not {other!r}; continue it with the same parameters")
        if self.leverage != leverage:
            mine, other = (", ".join(f"{value:g}" for value in one) for one in (self.leverage, leverage))
            raise ConfigError(f"state: was made with leverages {mine}, not {other}; only the weights of a mix may change")
        if any(not np.array_equal(getattr(self, name), getattr(levels, name)) for name in ("shift", "share", "multiple")):
            raise ConfigError("state: was made with other brackets of the venue; start again, or give the market the same tiers")
        if self.flows.source == "volume" and market.open_interest is not None:
            raise ConfigError("state: was made without recorded open interest, which the market has; start again, or leave it out")

    def save(self, path: str | Path) -> None:
        """Write the state to a file that `load` reads; the file is the old one or the new one, never half of it."""
        target = Path(path)
        head = {
            "kind": _KIND,
            "version": _VERSION,
            "params": dataclasses.asdict(self.params),
            **{name: getattr(self, name) for name in ("venue", "symbol", "interval", "until", "leverage", "first")},
            "source": self.flows.source,
            "open_interest": self.flows.open_interest if np.isfinite(self.flows.open_interest) else None,
        }
        arrays = {name: getattr(self.flows if name in ("seen", "volume_mean") else self, name) for name in _ARRAYS}
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, head=np.array(json.dumps(head)), **arrays)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: str | Path) -> BookState:
        """Return the state that `save` wrote; raises DataError where the file is none, is damaged, or of another version."""
        head, arrays = _read(Path(path))
        if head.get("kind") != _KIND:
            raise DataError(f"{path}: is not a saved book; give a file that BookState.save wrote")
        if head.get("version") != _VERSION:
            raise DataError(f"{path}: is a saved book of version {head.get('version')}, this liqbt reads {_VERSION}; reconstruct again")
        try:
            known = head["open_interest"]
            flows = FlowState(
                source=head["source"],
                open_interest=np.nan if known is None else float(known),
                seen=arrays.pop("seen"),
                volume_mean=arrays.pop("volume_mean"),
            )
            state = cls(
                **{name: head[name] for name in ("venue", "symbol", "interval", "until", "first")},
                params=BookParams(**head["params"]),
                leverage=tuple(head["leverage"]),
                flows=flows,
                **arrays,
            )
        except (KeyError, TypeError, ConfigError) as error:
            raise DataError(f"{path}: is a damaged book, {error}; reconstruct again") from None
        if not _fits(state):
            raise DataError(f"{path}: is a damaged book, its parts do not fit together; reconstruct again")
        return state


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            head = json.loads(str(held["head"]))
            arrays = {name: held[name] for name in _ARRAYS}
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; save a book there first") from None
    except zipfile.BadZipFile:
        raise DataError(f"{path}: is damaged or not a saved book; give a file that BookState.save wrote whole") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path}: is not a saved book ({detail}); give a file that BookState.save wrote") from None
    if not isinstance(head, dict):
        raise DataError(f"{path}: is not a saved book; give a file that BookState.save wrote")
    return head, arrays


def _fits(state: BookState) -> bool:
    """Return whether the arrays of a state have the types and shapes that belong to its leverages, and hold usable numbers."""
    sizes, bins = state.shift.shape[-1], state.book.shape[-1]
    columns = len(state.leverage) * (2 if state.params.fleeting_share else 1)
    wanted = {
        "shift": (2, len(state.leverage), sizes),
        "share": (2, len(state.leverage), sizes),
        "multiple": (2, len(state.leverage)),
        "book": (2, columns, bins),
        **dict.fromkeys(("scale", "live", "lowest", "highest"), (2, columns)),
    }
    shapes = all(getattr(state, name).shape == shape for name, shape in wanted.items())
    if not shapes or state.flows.seen.shape != (2,) or state.flows.volume_mean.shape != (3,):
        return False
    whole = (state.lowest, state.highest)
    numbers = (*(getattr(state, name) for name in wanted if name not in ("lowest", "highest")), state.flows.seen, state.flows.volume_mean)
    if any(one.dtype != np.int64 for one in whole) or any(one.dtype != np.float64 or not np.isfinite(one).all() for one in numbers):
        return False
    empty = (state.lowest == NOWHERE) & (state.highest == -NOWHERE)
    inside = (state.lowest >= state.first) & (state.highest < state.first + bins) & (state.lowest <= state.highest)
    return bool((empty | inside).all()) and state.flows.source in ("recorded", "volume")
