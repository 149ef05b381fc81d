"""The curve of equity at closes, and the run through bars in which nothing happens to what is held."""

from __future__ import annotations

from typing import Any

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Int8Array1D
from liqbt.scoring._life import exit_of, stretch
from liqbt.scoring._orders import passed
from liqbt.scoring._records import OPEN

__all__ = ["follow", "hold", "worth"]


@kernel
def worth(slot: Any, account: Any, close: float) -> float:
    """Return the equity of an account that holds nothing else."""
    return float(account["balance"] + slot["side"] * slot["amount"] * (close - slot["entry_price"]))


@kernel
def follow(curve: Any, now: float) -> None:
    """Let the curve reach `now` at a close."""
    before, peak = curve["equity"], curve["peak"]
    if before > 0.0:
        change = now / before - 1.0
        curve["total"] += change
        curve["squares"] += change * change
    if now > peak:
        curve["peak"] = now
    elif peak - now > curve["drawdown"] * peak:
        curve["drawdown"] = (peak - now) / peak
    curve["equity"] = now


@kernel
def hold(
    slot: Any, account: Any, curve: Any, bars: Any, bar: int, until: int, ruin: float, equity: Float64Array1D, position: Int8Array1D
) -> int:
    """Take the position in the only asset, while nothing rests, through bars in which nothing happens to it.

    Return the first bar in which something does, `until` at the latest. It is what almost all bars come to: the fill loop
    would do the same in several times the time.
    """
    while bar < until:
        row = bars[bar, 0]
        now = worth(slot, account, row["close"])
        if row["funding_rate"] != 0.0 or now <= ruin:
            break
        if row["observed"] != 0:
            start, low, high = row["open"], row["low"], row["high"]
            if passed(slot, start) or exit_of(slot, start, low, high, row["trigger_low"], row["trigger_high"])[0] != OPEN:
                break
            stretch(slot, low, high)
            slot["best"] = slot["highest"] if slot["side"] > 0 else slot["lowest"]
        follow(curve, now)
        if equity.size > 0:
            equity[bar] = now
        if position.size > 0:
            position[bar, 0] = slot["side"]
        bar += 1
    return bar
