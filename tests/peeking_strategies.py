"""Strategies that see what they should not, and strategies that only look as if they did; written to files as users write them."""

from __future__ import annotations

import re
import textwrap

from liqbt.strategy import load_strategy

FILE = """
from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt.market import MarketFrame
from liqbt.signals import Signals

{above}

@dataclass(frozen=True, kw_only=True)
class {name}:
    length: int = 20

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        close = pd.Series(market.close, index=features.index)
        past = np.sign(close.diff(self.length)).fillna(0)
        turn = past.where(past != past.shift(1), 0)
{body}
"""

PEEKING = {
    # name: (what it says at the end, the columns in which it may show)
    "NextClose": ("return Signals.of(market, entry=np.sign(close.shift(-1) - close).fillna(0))", {"entry"}),
    "OneBarInAHundred": (
        """
        rare = np.arange(market.n_bars) % 100 == 37
        ahead = np.sign(close.shift(-1) - close).fillna(0)
        return Signals.of(market, entry=np.where(rare, ahead, past))
        """,
        {"entry"},
    ),
    "SkipsLosers": (
        """
        wins = turn * (close.shift(-10) / close - 1) > 0
        known = close.shift(-10).notna()
        return Signals.of(market, entry=turn.where(wins | ~known, 0), max_bars=10)
        """,
        {"entry", "max_bars"},
    ),
    "MeanOfAll": ("return Signals.of(market, entry=np.where(close < close.mean(), 1, -1))", {"entry"}),
    "QuantileOfAll": ("return Signals.of(market, entry=(close < close.quantile(0.1)).astype(int))", {"entry"}),
    "RankOfAll": ("return Signals.of(market, entry=(close.rank(pct=True) > 0.9).astype(int))", {"entry"}),
    "Standardised": (
        """
        volume = pd.Series(market.volume)
        return Signals.of(market, entry=((volume - volume.mean()) / volume.std() > 2).astype(int))
        """,
        {"entry"},
    ),
    "LastClose": ("return Signals.of(market, entry=1 if market.close[-1] > market.close[0] else -1)", {"entry"}),
    "LowestOfAll": ("return Signals.of(market, entry=(close == close.min()).astype(int))", {"entry"}),
    "FilledBackwards": (
        "return Signals.of(market, entry=(features.above_near.bfill() < close * 1.02).astype(int))",
        {"entry"},
    ),
    "Interpolated": (
        "return Signals.of(market, entry=(features.dominance.interpolate(limit_direction='both') > 0.5).astype(int))",
        {"entry"},
    ),
    "CentredWindow": ("return Signals.of(market, entry=(close < close.rolling(9, center=True).min() * 1.0001).astype(int))", {"entry"}),
    "Smoothed": (
        """
        smooth = np.convolve(close, np.ones(7) / 7, mode="same")
        return Signals.of(market, entry=np.sign(close - smooth))
        """,
        {"entry"},
    ),
    "HourKnownAtItsOpen": (
        """
        highest = close.resample("1h").max().reindex(features.index, method="ffill")
        return Signals.of(market, entry=(close < highest * 0.998).astype(int))
        """,
        {"entry"},
    ),
    "StopBelowWhatComes": (
        """
        lowest = pd.Series(market.low)[::-1].rolling(5, min_periods=1).min()[::-1].to_numpy()
        return Signals.of(market, entry=(turn > 0).astype(int), stop_price=lowest * 0.999)
        """,
        {"stop_price"},
    ),
    "LeavesAtTheTop": (
        "return Signals.of(market, entry=turn, exit=(close.shift(-1) < close) & (close == close.rolling(12).max()))",
        {"exit"},
    ),
    "MapOfLater": ("return Signals.of(market, entry=(features.dominance.shift(-3) > 0.5).astype(int))", {"entry"}),
    "InterestOfLater": (
        """
        interest = pd.Series(market.open_interest, index=features.index)
        return Signals.of(market, entry=np.sign(interest.diff().shift(-1)).fillna(0))
        """,
        {"entry"},
    ),
    "FundingOfLater": (
        """
        rate = pd.Series(market.funding_rate)
        return Signals.of(market, entry=np.sign(rate[::-1].cumsum()[::-1]))
        """,
        {"entry"},
    ),
    "HoldsToTheEnd": ("return Signals.of(market, entry=turn, max_bars=np.arange(market.n_bars)[::-1])", {"max_bars"}),
    "Shuffled": ("return Signals.of(market, entry=np.random.default_rng(3).permutation(past))", {"entry"}),
    "TargetOfLater": (
        """
        best = pd.Series(market.high)[::-1].rolling(24, min_periods=1).max()[::-1].to_numpy()
        return Signals.of(market, entry=(turn > 0).astype(int), target_price=np.maximum(best, close * 1.001))
        """,
        {"target_price"},
    ),
}

UNSTEADY = {
    "Unseeded": ("", "return Signals.of(market, entry=np.random.default_rng().integers(-1, 2, market.n_bars))"),
    "Counts": ("CALLS = []", "CALLS.append(1)\n        return Signals.of(market, entry=turn if len(CALLS) % 2 else -turn)"),
    "RemembersTheMean": (
        "SEEN = {}",
        """
        mean = SEEN.setdefault(market.symbol, close.mean())
        return Signals.of(market, entry=np.where(close < mean, 1, -1))
        """,
    ),
    "RemembersTheSignals": (
        "SEEN = {}",
        """
        if market.symbol not in SEEN:
            SEEN[market.symbol] = Signals.of(market, entry=np.sign(close.shift(-1) - close).fillna(0))
        return SEEN[market.symbol]
        """,
    ),
    "ChangesTheFeatures": (
        "",
        """
        features["dominance"] = 1 - features["dominance"]
        return Signals.of(market, entry=(features["dominance"] > 0.5).astype(int))
        """,
    ),
}

INNOCENT = {
    "Momentum": "return Signals.of(market, entry=turn, exit=past == 0, stop_price=close * (1 - 0.01 * turn), max_bars=48)",
    "Averages": "return Signals.of(market, entry=np.sign(close.ewm(span=20).mean() - close.rolling(50).mean()).fillna(0))",
    "SinceTheBeginning": "return Signals.of(market, entry=np.sign(close - close.expanding().mean()), trailing_stop=0.02)",
    "FilledForwards": "return Signals.of(market, entry=(features.dominance.ffill() > 0.5).astype(int))",
    "LastHour": """
        highest = close.resample("1h", closed="left", label="right").max().reindex(features.index, method="ffill")
        return Signals.of(market, entry=(close > highest).astype(int))
        """,
    "Seeded": "return Signals.of(market, entry=np.random.default_rng(7).integers(-1, 2, market.n_bars))",
    "Idle": "return Signals.of(market, entry=0)",
    "Limits": "return Signals.of(market, entry=turn, limit_price=close * (1 - 0.005 * turn), valid_bars=6)",
    "NeedsADay": """
        if market.n_bars < 288:
            raise ValueError("at least a day is needed")
        return Signals.of(market, entry=turn)
        """,
}


def written(folder, name, body, above=""):
    """The strategy of this name, loaded from a file in the folder."""
    indented = textwrap.indent(textwrap.dedent(body).strip(), " " * 8) if body.startswith("\n") else f"        {body}"
    stem = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    path = folder / f"{stem}.py"
    path.write_text(FILE.format(name=name, body=indented, above=above))
    return load_strategy(path)
