"""Markets as canonical tables, and short ways to spoil them."""

from __future__ import annotations

import numpy as np
import polars as pl

from liqbt._time import parse_interval
from liqbt.data.readers import Recording
from liqbt.data.store import Store
from liqbt.data.validation import CLOCK, canonical

MINUTE, HOUR, DAY = 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000
START = int(np.datetime64("2026-01-05", "ns").astype(np.int64))  # a Monday
TICKS = 12


def clock(stamps):
    return pl.Series("timestamp", np.asarray(stamps, dtype=np.int64)).cast(CLOCK)


def table(name, stamps, interval=None, **columns):
    """A canonical table from stamps in UTC nanoseconds and columns."""
    return canonical(
        pl.DataFrame([clock(stamps)]).with_columns(**{k: pl.Series(v) for k, v in columns.items()}), name, source=name, interval=interval
    )


def make_bars(count=2000, interval="5m", *, seed=7, start=START, price=100.0, crash=True):
    """Bars of a market whose volume follows how far it moves, calm and wild by turns, with one true crash."""
    rng = np.random.default_rng(seed)
    wild = np.exp(0.6 * np.sin(np.arange(count) / 80) + 0.3 * rng.standard_normal(count))
    steps = rng.standard_normal((count, TICKS)) * (0.0006 * wild)[:, None]
    if crash:
        at = count // 3
        steps[at] = np.linspace(-0.04, 0.034, TICKS)  # falls by a tenth and comes back within the bar
        wild[at] *= 40
    path = price * np.exp(np.cumsum(steps.ravel())).reshape(count, TICKS)
    opened = np.concatenate([[price], path[:-1, -1]])
    volume = 1000 * wild * rng.lognormal(0, 0.4, count)
    step = parse_interval(interval)
    return table(
        "bars",
        start + step * np.arange(count),
        interval,
        open=opened,
        high=np.maximum(path.max(axis=1), opened),
        low=np.minimum(path.min(axis=1), opened),
        close=path[:, -1],
        volume=volume,
    )


def make_open_interest(bars, *, seed=3, held=200_000.0, value=False):
    """Snapshots at the close of each bar: open interest that moves with what is traded."""
    rng = np.random.default_rng(seed)
    change = rng.standard_normal(bars.height) * 0.05 * bars["volume"].to_numpy()
    amount = held * np.exp(np.cumsum(change) / held)
    columns = {"open_interest": amount}
    if value:
        columns["open_interest_value"] = amount * bars["close"].to_numpy()
    return table("open_interest", bars["available_at"].to_physical().to_numpy(), **columns)


def make_events(bars, *, seed=5, rate=3.0, throttle=None):
    """Liquidations that follow the returns of bars: longs where price falls; in clusters, at any millisecond."""
    rng = np.random.default_rng(seed)
    back = np.log(bars["close"].to_numpy() / bars["open"].to_numpy())
    opened = bars["timestamp"].to_physical().to_numpy()
    step = int(opened[1] - opened[0])
    count = rng.poisson(rate * np.minimum(np.abs(back) / np.abs(back).mean(), 30))
    at = np.repeat(opened, count) + (rng.random(count.sum()) ** 3 * step).astype(np.int64) // 1_000_000 * 1_000_000
    order = np.argsort(at, kind="stable")
    row = np.repeat(np.arange(bars.height), count)[order]
    stamps = at[order]
    if throttle is not None:
        kept, last = [], 0
        for k, stamp in enumerate(stamps):
            if stamp - last >= throttle:
                kept.append(k)
                last = stamp
        row, stamps = row[kept], stamps[kept]
    side = np.where(back[row] < 0, "long", "short")
    price = bars["close"].to_numpy()[row]
    return table("liquidations", stamps, side=side, amount=rng.exponential(2.0, stamps.size), price=price)


def set_at(frame, column, rows, value):
    """The frame with other values in some rows of a column."""
    values = frame[column].to_numpy().copy()
    values[rows] = value
    return frame.with_columns(pl.Series(column, values))


def moved(frame, shift):
    """The frame with both clocks moved by nanoseconds."""
    return frame.with_columns((pl.col(name).to_physical() + shift).cast(CLOCK) for name in ("timestamp", "available_at"))


def codes(findings):
    return [one.code for one in findings]


def put(folder, venue, symbol, name, rows, interval=None, source=None):
    """Store rows as if they came from a file."""
    source = source or f"{venue}-{symbol}-{name}-{interval}"
    recording = Recording(
        table=name, interval=interval, rows=rows, venue=venue, symbol=symbol, source=source, sha256=source, reader="test", kind="test"
    )
    Store(folder).write(recording, venue, symbol)
