"""What a result was made from and with: data, settings, versions, hashes."""

from __future__ import annotations

import dataclasses
import math
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from numbers import Integral
from typing import Any

import liqbt
from liqbt.book.reconstruct import Reconstruction
from liqbt.features import FeatureParams
from liqbt.market import MarketFrame
from liqbt.scoring import Score

__all__ = ["provenance", "versions"]

_LIBRARIES = ("numpy", "pandas", "numba", "vectorbt", "polars", "plotly", "matplotlib")


def versions() -> dict[str, str]:
    """Return the versions of liqbt, Python and the libraries that results depend on."""
    return {"liqbt": liqbt.__version__, "python": platform.python_version(), **{name: metadata.version(name) for name in _LIBRARIES}}


def provenance(
    market: MarketFrame,
    book: Reconstruction | None,
    features: FeatureParams | None,
    scores: Sequence[Score],
    sources: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return everything needed to make the same numbers again, in types that TOML and JSON can hold.

    sources: SHA-256 of the strategy's file, by the name of the score.
    """
    described: dict[str, Any] = {
        "market": {
            "venue": market.venue,
            "symbol": market.symbol,
            "interval": market.interval,
            "start": market.span[0],
            "end": market.span[1],
            "bars": market.n_bars,
            "synthetic": market.synthetic,
        },
    }
    if book is not None:
        described["mix"] = {f"{leverage:g}": weight for leverage, weight in zip(book.mix.leverage, book.mix.weights, strict=True)}
        described["book"] = plain(
            {**dataclasses.asdict(book.params), "maintenance_margin_rate": book.rate, "open_interest": book.flows.source}
        )
    if features is not None:
        described["features"] = plain(dataclasses.asdict(features))
    for score in scores:
        described[f"strategy {score.name}"] = plain(
            {
                "file_sha256": (sources or {}).get(score.name),
                "parameters": score.parameters,
                "costs": dataclasses.asdict(score.costs),
                "execution": {
                    "leverage": score.leverage,
                    "initial_cash": score.initial_cash,
                    "sizing": repr(score.sizing),
                    **dataclasses.asdict(score.rules),
                },
            }
        )
    described["seeds"] = {"market": "none: recorded, nothing is drawn at random" if market.seed is None else market.seed}
    described["versions"] = versions()
    # When a file came into the store does not change a number, and would make equal runs differ.
    described["inputs"] = [{name: value for name, value in vars(one).items() if name != "imported_at"} for one in market.inputs]
    return described


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that TOML and JSON can hold: no None, no infinities, no library types."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            result[key] = plain(value)
        elif value is None:
            continue
        elif isinstance(value, bool | str):
            result[key] = value
        elif isinstance(value, Integral):  # numpy's included
            result[key] = int(value)
        elif isinstance(value, float) or hasattr(value, "__float__"):
            number = float(value)
            result[key] = number if math.isfinite(number) else str(number)
        else:
            result[key] = str(value)
    return result
