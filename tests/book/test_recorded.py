"""The reconstruction against recorded liquidations: not a fit, a check that the map knows when and on which side they happen."""

from datetime import timedelta

import polars as pl
import pytest
from reading import read_one
from scipy.stats import spearmanr

from liqbt.book.reconstruct import reconstruct
from liqbt.market import MarketFrame

pytestmark = pytest.mark.recorded


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
def test_expected_liquidations_rank_like_the_recorded_ones(recorded, coin):
    """Hours of the last 45 % of the span, both sides: unfitted equal weights reach .85, .85 and .89; a map-free guess about .8."""
    exports = recorded / "coinalyze_2024" / f"{coin}USDT_PERP.A_"
    interest, totals = (
        read_one(f"{exports}{kind}-history.csv", reader="coinalyze", utc_offset_hours=6).rows for kind in ("open-interest", "liquidation")
    )
    bars = read_one(recorded / "ccxt_klines" / f"{coin}USDT_30m_1095.csv.gz", reader="generic_csv", mapping="ohlcv").rows
    first, last = totals["timestamp"][0], totals["timestamp"][-1]
    span = bars.filter(pl.col("timestamp").is_between(first, last + timedelta(hours=1), closed="left"))
    market = MarketFrame.from_frames(bars=span, open_interest=interest, venue="binance", symbol=f"{coin}USDT", interval="30m")
    expected = reconstruct(market).expected_liquidations().resample("1h").sum()
    seen = totals.to_pandas().set_index("timestamp")[["long", "short"]]
    assert len(expected) == len(seen) == 1465
    test = slice(int(0.55 * len(seen)), None)
    assert spearmanr(expected.iloc[test].to_numpy().ravel(), seen.iloc[test].to_numpy().ravel()).statistic > 0.83
