"""Candles against pandas' own resampling."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from generators import markets
from hypothesis import given
from hypothesis import strategies as st

from liqbt._time import parse_interval
from liqbt.report.candles import candles, picture_cadence


@given(markets(), st.sampled_from(("5m", "15m", "20m", "1h", "1d")))
def test_candles_are_what_pandas_resamples(market, cadence):
    bars = candles(market, cadence)
    rule = pd.Timedelta(int(cadence[:-1]), unit={"m": "min", "h": "h", "d": "D"}[cadence[-1]])
    frame = market.to_frame()
    frame["start"] = market.timestamp
    expected = frame.resample(rule, origin="epoch").agg({"start": "first", "open": "first", "high": "max", "low": "min", "close": "last"})
    assert bars.step == rule.value
    for name in expected:
        np.testing.assert_array_equal(getattr(bars, name), expected[name])


@pytest.mark.parametrize(("start", "closes"), [("2026-01-01T00:00", [3.0, 4.0]), ("2026-01-01T00:20", [2.0, 4.0])])
def test_candles_are_cut_at_whole_hours_wherever_the_bars_begin(make_market, start, closes):
    market = make_market(close=[1.0, 2.0, 3.0, 4.0], interval="20m")
    shifted = replace(market, timestamp=market.timestamp - market.timestamp[0] + pd.Timestamp(start, tz="UTC").value)
    bars = candles(shifted, "1h")
    assert bars.close.tolist() == closes
    assert bars.start[0] == shifted.timestamp[0]


@pytest.mark.parametrize("most", [7, 400, 700])
@pytest.mark.parametrize(("interval", "bars"), [("1m", 5000), ("5m", 2016), ("7m", 300), ("45m", 1000), ("1h", 3), ("1d", 800), ("7d", 90)])
def test_a_pictures_cadence_is_a_multiple_of_the_bars_that_leaves_few_enough_parts(make_market, interval, bars, most):
    market = replace(make_market(close=[1.0] * bars), interval=interval)
    length = parse_interval(picture_cadence(market, most))
    assert length % market.interval_ns == 0
    assert bars * market.interval_ns <= length * most
