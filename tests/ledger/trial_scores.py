"""Scores with returns that are known, and entries made by the thousand."""

from __future__ import annotations

import dataclasses

import numpy as np

from liqbt.ledger import LedgerEntry
from liqbt.scoring import Costs, backtest
from liqbt.signals import Signals

CLOSE = [100.0, 101.0, 99.0, 102.0, 103.0, 101.0, 104.0, 106.0]


def score_on(market, *, entry=(1,), name="mine", parameters=None, costs=None, leverage=1.0, **options):
    """A score of entries at the given bars."""
    wished = np.zeros(market.n_bars)
    wished[: len(entry)] = entry
    signals = Signals.of(market, entry=wished, name=name, parameters=parameters or {"length": 3})
    return backtest(signals, market, costs=costs or Costs.free(), leverage=leverage, **options)


def entries(score, count, *, first=0):
    """`count` entries that are different trials, with known Sharpe ratios."""
    whole = LedgerEntry.of(score, source_sha256="0" * 64)
    return [dataclasses.replace(whole, trial_sha256=f"{first + number:064x}", sharpe_year=float(first + number)) for number in range(count)]
