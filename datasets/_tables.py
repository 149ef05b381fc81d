"""Canonical tables from the simulated path and positions."""

from __future__ import annotations

import hashlib
import math
from typing import Final

import numpy as np
import polars as pl

from liqbt._typing import LONG, SHORT, SIDES, Float64Array1D, IntArray1D
from liqbt.data.validation import CLOCK, canonical

from ._accounting import Flows
from ._kernels import LIQUIDATED
from ._price import Path
from ._traders import Positions
from .params import SyntheticParams

__all__ = ["bars_table", "depth_table", "funding_table", "liquidations_table", "open_interest_table", "table_sha256", "totals_table"]

_CHURN_BARS_HOURS: Final = 1.0
_CHURN_SIGMA: Final = 0.4
_HOUR_NS: Final = 3_600_000_000_000
_FUNDING_NS: Final = 8 * _HOUR_NS
# Binance's funding rate: premium + clamp(interest - premium, -0.05 %, 0.05 %), interest 0.01 % in 8 hours, capped by symbol.
_INTEREST, _CLAMP, _FUNDING_CAP = 0.0001, 0.0005, 0.0075
_DEPTH_NS: Final = 900_000_000_000
_DISTANCES: Final = (0.002, 0.01, 0.02, 0.03, 0.04, 0.05)
_DEPTH_DAY_SHARE: Final = 0.01  # resting within 1 % of mid on one side, as share of a day's volume: an assumption
_DEPTH_POWER: Final = 0.7  # cumulative depth grows more slowly than distance: an assumption
_DEPTH_SIGMA: Final = 0.25


def bars_table(params: SyntheticParams, path: Path, flows: Flows, rng: np.random.Generator) -> pl.DataFrame:
    """Return the recorded bars; flows are those of all accounts, to which volume between market makers is added.

    A bar opens at the last price of the bar before it, and its range holds that price.
    """
    skip, steps = params.n_warmup_bars, params.steps_per_bar
    inside = path.price[1:].reshape(-1, steps)[skip:]
    start = path.price[:-1:steps][skip:]
    close = inside[:, -1]
    count = start.size
    traded = flows.bought + flows.sold
    window = max(1, round(_CHURN_BARS_HOURS / (steps * params.step_hours)))
    smooth = _trailing_mean(traded, window)[skip:]
    churn = params.maker_churn * smooth * np.exp(_CHURN_SIGMA * rng.standard_normal(count) - _CHURN_SIGMA**2 / 2.0)
    # takers buy more while price rises, in the same bar: known at its close, of no use for the next one
    usual = params.annual_volatility * math.sqrt(steps * params.step_hours / (365.0 * 24.0))
    buying = np.clip(0.5 + 0.1 * np.tanh(np.log(close / start) / usual) + 0.05 * rng.standard_normal(count), 0.05, 0.95)
    mean_order = traded.sum() / max(1, int(flows.orders.sum()))
    bars = pl.DataFrame(
        {
            "timestamp": _stamps(params),
            "open": start,
            "high": np.maximum(inside.max(axis=1), start),
            "low": np.minimum(inside.min(axis=1), start),
            "close": close,
            "volume": traded[skip:] + churn,
            "quote_volume": flows.value[skip:] + churn * inside.mean(axis=1),
            "taker_buy_volume": flows.bought[skip:] + churn * buying,
            "trade_count": flows.orders[skip:] + rng.poisson(churn / mean_order if mean_order else np.zeros(count)),
        }
    )
    return canonical(_clocked(bars), "bars", source="synthetic bars", interval=params.interval)


def open_interest_table(params: SyntheticParams, open_interest: Float64Array1D, close: Float64Array1D) -> pl.DataFrame:
    """Return one snapshot at the end of each recorded bar; both arrays of shape (n_bars,)."""
    ends = _stamps(params) + params.interval_ns
    frame = pl.DataFrame({"timestamp": ends, "open_interest": open_interest, "open_interest_value": open_interest * close})
    return canonical(_clocked(frame), "open_interest", source="synthetic open interest")


def funding_table(params: SyntheticParams, crowd: Flows) -> pl.DataFrame:
    """Return the rates at 0, 8 and 16 hours UTC, by Binance's formula.

    The premium is the mean imbalance of leveraged traders at the bars that ended in the eight hours before, times the
    sensitivity.
    """
    total = crowd.live.sum(axis=1)
    imbalance = np.divide(crowd.live[:, LONG] - crowd.live[:, SHORT], total, out=np.zeros(total.size), where=total > 0)
    end = params.start_ns + params.n_bars * params.interval_ns
    stamps = np.arange(-(-params.start_ns // _FUNDING_NS) * _FUNDING_NS, end, _FUNDING_NS, dtype=np.int64)
    mean = _trailing_mean(imbalance, max(1, _FUNDING_NS // params.interval_ns))
    last = (stamps - params.start_ns) // params.interval_ns + params.n_warmup_bars - 1  # the bar that ended by then
    premium = params.funding_sensitivity * mean[last]
    rate = np.clip(premium + np.clip(_INTEREST - premium, -_CLAMP, _CLAMP), -_FUNDING_CAP, _FUNDING_CAP)
    return canonical(
        _clocked(pl.DataFrame({"timestamp": stamps, "funding_rate": np.round(rate, 8)})), "funding", source="synthetic funding"
    )


def depth_table(params: SyntheticParams, path: Path, day_volume: float, rng: np.random.Generator) -> pl.DataFrame:
    """Return the cumulative depth every 15 minutes (every bar where bars are longer), thinner when the market is volatile.

    day_volume: base, mean a day.
    """
    every = -(-_DEPTH_NS // params.interval_ns)
    bar = np.arange(every, params.n_bars + 1, every)
    step = (bar + params.n_warmup_bars) * params.steps_per_bar
    mid = path.price[step]
    distance = np.array(_DISTANCES)
    shape = np.diff((distance / 0.01) ** _DEPTH_POWER, prepend=0.0)
    thin = 1.0 / np.sqrt(path.activity[step - 1])
    noise = np.exp(_DEPTH_SIGMA * rng.standard_normal((step.size, 2, distance.size)) - _DEPTH_SIGMA**2 / 2.0)
    amount = np.round(_DEPTH_DAY_SHARE * day_volume * np.cumsum(thin[:, None, None] * shape * noise, axis=2), 6)
    centre = distance - np.diff(distance, prepend=0.0) / 2.0
    level = mid[:, None, None] * (1.0 + np.array([-1.0, 1.0])[:, None] * centre)
    notional = np.cumsum(np.diff(amount, axis=2, prepend=0.0) * level, axis=2)
    per_side = distance.size
    frame = pl.DataFrame(
        {
            "timestamp": np.repeat(params.start_ns + bar * params.interval_ns, 2 * per_side),
            "side": pl.Series(np.tile(np.repeat([0, 1], per_side), bar.size)).replace_strict(
                [0, 1], ["bid", "ask"], return_dtype=pl.String
            ),
            "distance": np.tile(distance, 2 * bar.size),
            "amount": amount.ravel(),
            "notional": notional.ravel(),
        }
    )
    return canonical(_clocked(frame), "depth", source="synthetic depth")


def liquidations_table(params: SyntheticParams, path: Path, positions: Positions) -> pl.DataFrame:
    """Return every liquidation of the recorded bars, at its price, stamped where the line between two points reaches it."""
    skip = params.n_warmup_bars * params.steps_per_bar
    hit = np.flatnonzero((positions.fate == LIQUIDATED) & (positions.ended_at > skip))
    step, price = positions.ended_at[hit], positions.liquidation_price[hit]
    before, after = path.price[step - 1], path.price[step]
    length = params.interval_ns // params.steps_per_bar
    # below a whole step, so that an event never falls on the open of the next bar
    within = np.minimum(((before - price) / (before - after) * length).astype(np.int64), length - 1)
    stamp = params.start_ns + (step - 1 - skip) * length + within
    order = np.lexsort((hit, stamp))
    hit = hit[order]
    side, entry = positions.side[hit], positions.entry_price[hit]
    sign = np.where(side == LONG, 1.0, -1.0)
    frame = pl.DataFrame(
        {
            "timestamp": stamp[order],
            "side": side_names(side),
            "amount": positions.amount[hit],
            "price": price[order],
            "bankruptcy_price": entry * (1.0 - sign / params.leverages[positions.tier[hit]]),
        }
    )
    frame = _clocked(frame)
    if frame.is_empty():  # a canonical table has rows, but a calm week without liquidations is no error
        return frame.with_columns(available_at=pl.col("timestamp")).select("timestamp", "available_at", *frame.columns[1:])
    return canonical(frame, "liquidations", source="synthetic liquidations")


def totals_table(params: SyntheticParams, crowd: Flows) -> pl.DataFrame:
    """Return the liquidated amounts of each recorded bar."""
    sums = crowd.liquidated[params.n_warmup_bars :].sum(axis=2)
    frame = pl.DataFrame({"timestamp": _stamps(params), "long": sums[:, LONG], "short": sums[:, SHORT]})
    return canonical(_clocked(frame), "liquidation_totals", source="synthetic liquidation totals", interval=params.interval)


def side_names(side: IntArray1D) -> pl.Series:
    """Return `long` and `short` for LONG and SHORT."""
    return pl.Series(side, dtype=pl.Int64).replace_strict([LONG, SHORT], list(SIDES), return_dtype=pl.String)


def table_sha256(table: pl.DataFrame) -> str:
    """Return the SHA-256 over column names and values, independent of how polars lays them out in memory."""
    digest = hashlib.sha256()
    for column in table:
        digest.update(f"{column.name}:{column.dtype}:{column.len()}\n".encode())
        if column.dtype == pl.String:
            digest.update("\n".join(column.to_list()).encode())
        else:
            digest.update(np.ascontiguousarray(column.to_physical().to_numpy()).tobytes())
    return digest.hexdigest()


def _stamps(params: SyntheticParams) -> IntArray1D:
    return params.start_ns + params.interval_ns * np.arange(params.n_bars, dtype=np.int64)


def _clocked(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("timestamp").cast(CLOCK))


def _trailing_mean(values: Float64Array1D, window: int) -> Float64Array1D:
    """Return the mean of the last `window` values up to and with each one, of fewer at the beginning."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    last = np.arange(1, values.size + 1)
    first = np.maximum(last - window, 0)
    return np.asarray((sums[last] - sums[first]) / (last - first), dtype=np.float64)
