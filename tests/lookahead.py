"""Cut off or scramble everything after a bar, run every stage again, and compare what came before, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from liqbt.book.params import BookParams
from liqbt.book.reconstruct import reconstruct
from liqbt.features import build_features
from liqbt.market import MarketFrame, VolumeProfile
from liqbt.scoring import Costs, backtest
from liqbt.zones import find_zones


def tables_of(market):
    """The canonical tables that a market could have been made from."""
    bars = market.to_frame()[market.observed]
    columns = ["open", "high", "low", "close", "volume", *(["taker_buy_volume"] if "taker_buy_volume" in bars else [])]
    tables = {"bars": bars[columns].reset_index()}
    end = market.index + pd.Timedelta(market.interval)
    if market.open_interest is not None:
        known = ~np.isnan(market.open_interest)
        tables["open_interest"] = pd.DataFrame({"timestamp": end[known], "open_interest": market.open_interest[known]})
    if market.funding_rate is not None:
        paid = market.funding_rate != 0
        if paid.any():
            tables["funding"] = pd.DataFrame({"timestamp": market.index[paid], "funding_rate": market.funding_rate[paid]})
    if market.mark_close is not None:
        opens = np.clip(market.open, market.mark_low, market.mark_high)
        columns = {"open": opens, "high": market.mark_high, "low": market.mark_low, "close": market.mark_close}
        tables["mark"] = pd.DataFrame(columns).assign(timestamp=market.index)[market.observed].reset_index(drop=True)
    if market.liquidated is not None:
        seen = ~np.isnan(market.liquidated).any(axis=1)
        totals = dict(zip(("long", "short"), market.liquidated[seen].T, strict=True))
        tables["liquidation_totals"] = pd.DataFrame({"timestamp": market.index[seen], **totals})
    return tables


def changed_future(market, cut, *, seed):
    """The market with all that became known after the close of bar `cut` scrambled, or cut off where seed is None."""
    tables = changed_tables(tables_of(market), market.timestamp[cut] + market.interval_ns, market.interval_ns, seed=seed)
    changed = MarketFrame.from_frames(**tables, venue=market.venue, symbol=market.symbol, interval=market.interval)
    return changed if market.volume_profile is None else replace(changed, volume_profile=changed_profile(market, cut, changed.n_bars, seed))


def changed_profile(market, cut, n_bars, seed):
    """Where the first `n_bars` traded, with other amounts in the bars after `cut`."""
    profile = market.volume_profile
    rows, known = int(profile.offsets[n_bars]), int(profile.offsets[cut + 1])
    rng = np.random.default_rng(seed)
    buy, sell = (np.r_[side[:known], side[known:rows] * rng.lognormal(0, 1.0, rows - known)] for side in (profile.buy, profile.sell))
    return VolumeProfile(width=profile.width, offsets=profile.offsets[: n_bars + 1], bin=profile.bin[:rows], buy=buy, sell=sell)


def changed_tables(tables, known_until, interval_ns, *, seed):
    """The tables with the rows that became known after `known_until` scrambled, or left out where seed is None."""
    rng = np.random.default_rng(seed)
    changed = {}
    for name, table in tables.items():
        known_at = table["timestamp"].astype("int64") + (interval_ns if name in ("bars", "mark", "liquidation_totals") else 0)
        if "available_at" in table:
            known_at = table["available_at"].astype("int64")
        future = (known_at > known_until).to_numpy()
        clocks = [column for column in ("timestamp", "available_at") if column in table]
        if seed is None:
            kept = table[~future]
        else:
            values = table.drop(columns=clocks).astype(float)
            if name in ("bars", "mark"):
                prices = values.loc[future, ["open", "high", "low", "close"]].to_numpy() * rng.lognormal(0, 0.05, (int(future.sum()), 4))
                values.loc[future, ["open", "close"]] = prices[:, [0, 3]]
                values.loc[future, "high"], values.loc[future, "low"] = prices.max(axis=1), prices.min(axis=1)
            for column in values.columns.difference(["open", "high", "low", "close"]):
                values.loc[future, column] *= rng.lognormal(0, 1.0, int(future.sum()))
            if "taker_buy_volume" in values:
                values.loc[future, "taker_buy_volume"] = values.loc[future, "volume"] * rng.random(int(future.sum()))
            kept = pd.concat([table[clocks], values], axis=1)
        if len(kept):
            changed[name] = kept
    return changed


def stages(market, strategies, cut, *, params=None, every=None):
    """Every stage's output up to and including bar `cut`, by name."""
    until = slice(0, cut + 1)
    instant = market.timestamp[cut] + market.interval_ns
    book = reconstruct(market, params=params or BookParams())
    out = {
        "survival": book.flows.survival[until], "retained": book.flows.retained[until], "opened": book.flows.opened[until],
        "interest": book.flows.open_interest[until], "swept": book.swept[until], "live": book.live[until],
        "closed": book.closed[until],
    }  # fmt: skip
    heat = book.heatmap(every, reach=0.28)
    rows = heat.timestamp <= instant
    out["heat"] = (heat.price_edges[:-1], heat.intensity[rows])
    zones = find_zones(heat).to_frame()
    out["zones"] = zones[zones["timestamp"].astype("int64") <= instant]
    features = build_features(book)
    out["features"] = features.iloc[until]
    for name, strategy in strategies.items():
        signals = strategy.signals(market, features)
        score = backtest(signals, market, costs=Costs.binance_usdm(), leverage=5.0)
        out[f"signals of {name}"] = signals.to_frame().iloc[until]
        out[f"equity of {name}"] = score.equity.iloc[until]
        out[f"orders of {name}"] = score.orders[score.orders["time"] <= market.index[cut]]
    return out


def difference(before, after):
    """The first stage whose outputs are not the same bytes, or None."""
    for name, value in before.items():
        other = after[name]
        if isinstance(value, tuple):
            same = all(np.array_equal(a, b) for a, b in zip(_hot_cells(*value), _hot_cells(*other), strict=True))
        elif isinstance(value, np.ndarray):
            same = value.tobytes() == other.tobytes()
        else:
            same = value.reset_index(drop=True).equals(other.reset_index(drop=True))
        if not same:
            return name
    return None


def _hot_cells(price, intensity):
    """Row, side, price and mass of the cells that hold any: the axis may be longer where later prices are, the bins are the same."""
    row, side, column = np.nonzero(intensity)
    return row, side, price[column], intensity[row, side, column]
