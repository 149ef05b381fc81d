"""The market of a configuration, and its book."""

from __future__ import annotations

from liqbt._typing import Progress
from liqbt.book.params import LeverageMix
from liqbt.book.reconstruct import Reconstruction, reconstruct
from liqbt.errors import ConfigError
from liqbt.loading import load_market
from liqbt.market import MarketFrame
from liqbt.run.config import DataConfig, RunConfig

__all__ = ["open_market", "reconstruct_market"]


def open_market(data: DataConfig, progress: Progress | None = None) -> MarketFrame:
    """Return the market that the configuration names.

    Raises ConfigError where neither a data set nor symbol and interval are named, and what `load_market` raises.
    """
    if data.dataset is not None:
        given = [name for name in ("symbol", "interval", "start", "end") if getattr(data, name) is not None]
        if given:
            raise ConfigError(f"data: {given[0]} cannot be chosen with data set {data.dataset!r}, which is taken whole; leave it out")
        from liqbt.datasets import load_dataset

        market: MarketFrame = load_dataset(data.dataset, progress=progress)
        return market
    if data.symbol is None or data.interval is None:
        missing = "symbol" if data.symbol is None else "interval"
        raise ConfigError(f"data: no {missing} is given; name one with --{missing} (see `liqbt data ls`), or a data set with --dataset")
    return load_market(data.store, venue=data.venue, symbol=data.symbol, interval=data.interval, start=data.start, end=data.end)


def reconstruct_market(config: RunConfig, *, progress: Progress | None = None) -> Reconstruction:
    """Open the market of the configuration and reconstruct its book; raises as `run` does."""
    market = open_market(config.data, progress)
    mix = None if config.mix is None else LeverageMix.of(config.mix)
    return reconstruct(market, mix, config.book, progress=progress)
