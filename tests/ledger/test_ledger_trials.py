"""How many variants were tried on the same data, and what that does to a Sharpe ratio."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trial_scores import CLOSE, entries, score_on

from liqbt.book.params import BookParams, LeverageMix
from liqbt.data.provenance import Input
from liqbt.features import FeatureParams
from liqbt.inference.sharpe import deflated_sharpe_ratio
from liqbt.ledger import LedgerEntry, data_sha256, deflated_sharpe
from liqbt.ledger.entry import moments_of
from liqbt.ledger.identity import canonical_json
from liqbt.market import MarketFrame, VolumeProfile
from liqbt.scoring import Costs

SOURCE = "5" * 64


def market_from(start, n_bars, *, interval="1h", venue="nowhere", symbol="TESTUSDT", seed=None, drift=0.0):
    stamps = pd.date_range(start, periods=n_bars, freq=pd.Timedelta(interval), tz="UTC")
    close = 100.0 + np.sin(np.arange(n_bars)) + drift
    bars = pd.DataFrame({"timestamp": stamps, "open": close, "high": close, "low": close, "close": close, "volume": 1.0})
    return MarketFrame.from_frames(bars=bars, venue=venue, symbol=symbol, interval=interval, seed=seed)


@pytest.fixture
def market():
    return market_from("2026-01-10", 48)


def test_the_same_variant_is_one_trial_however_often_it_is_run(ledger, market):
    for _ in range(3):
        ledger.record(score_on(market), source_sha256=SOURCE)
    assert len(ledger.runs()) == 3
    assert ledger.trials(market).count == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"parameters": {"length": 4}},
        {"costs": Costs.binance_usdm()},
        {"leverage": 2.0},
        {"initial_cash": 1.0},
        {"source_sha256": "6" * 64},
        {"mix": LeverageMix.of({10: 1.0})},
        {"book": BookParams(churn_share=0.4)},
        {"features": FeatureParams(discount_days=2.0)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_differs_makes_another_trial(tmp_path, market, changed):
    def entry(**options):
        made = {key: options.pop(key) for key in ("source_sha256", "mix", "book", "features") if key in options}
        return LedgerEntry.of(score_on(market, **options), **{"source_sha256": SOURCE, "book": BookParams(), **made})

    assert entry().trial_sha256 == entry().trial_sha256
    assert entry(**changed).trial_sha256 != entry().trial_sha256


def test_a_variant_on_other_data_is_another_trial(ledger, market):
    """Who tries one variant on two spans may take the better one."""
    for n_bars in (48, 49):
        ledger.record(score_on(market_from("2026-01-10", n_bars)), source_sha256=SOURCE)
    assert ledger.trials(market).count == 2


def test_another_label_is_not_another_trial(market):
    first, second = (LedgerEntry.of(score_on(market, name=name), source_sha256=SOURCE) for name in ("a", "b"))
    assert first.trial_sha256 == second.trial_sha256


def test_without_a_source_the_signals_tell_variants_apart(market):
    first, again, other = (LedgerEntry.of(score_on(market, entry=entry)) for entry in ((1,), (1,), (0, 1)))
    assert first.trial_sha256 == again.trial_sha256 != other.trial_sha256


@pytest.mark.parametrize(
    ("other", "counted"),
    [
        (("2026-01-10", 48), True),
        (("2026-01-11 23:00", 48), True),
        (("2026-01-12", 48), False),
        (("2026-01-08 01:00", 48), True),
        (("2026-01-08", 48), False),
        (("2026-01-01", 1000), True),
        (("2026-01-10 12:00", 2), True),
    ],
)
def test_every_span_that_overlaps_is_the_same_data(ledger, market, other, counted):
    ledger.record(score_on(market_from(*other)), source_sha256=SOURCE)
    assert ledger.trials(market).count == counted


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ({"interval": "5m"}, True),
        ({"drift": 1.0}, True),  # other prices of the same hours: a corrected recording
        ({"venue": "elsewhere"}, False),
        ({"symbol": "OTHERUSDT"}, False),
        ({"seed": 3}, False),
    ],
    ids=str,
)
def test_what_counts_as_the_same_market(ledger, market, changes, counted):
    ledger.record(score_on(market_from("2026-01-10", 48, **changes)), source_sha256=SOURCE)
    assert ledger.trials(market).count == counted


def test_synthetic_markets_are_the_same_only_where_all_of_them_is(ledger):
    market = market_from("2026-01-10", 48, seed=3)
    for other in (market, market_from("2026-01-10", 48, seed=4), market_from("2026-01-10", 48, seed=3, drift=1.0)):
        ledger.record(score_on(other), source_sha256=SOURCE)
    assert ledger.trials(market).count == 1


def test_benchmarks_are_no_trials(ledger, market):
    ledger.record(score_on(market), role="benchmark")
    assert ledger.trials(market).count == 0
    ledger.record(score_on(market), source_sha256=SOURCE)
    assert ledger.trials(market).count == 1


def test_the_variance_of_ratios_by_hand(ledger, market):
    """Annual ratios of 0, 1 and 2 have a variance of 1; an hour is one of 8,760 in a year, five minutes one of 105,120."""
    ledger.record_many(entries(score_on(market), 3))
    assert ledger.trials(market).sharpe_variance == pytest.approx(1 / 8760)
    assert ledger.trials(market_from("2026-01-10", 48, interval="5m")).sharpe_variance == pytest.approx(1 / 105_120)


def test_a_variant_that_was_run_again_counts_with_its_newest_ratio(ledger, market):
    made = entries(score_on(market), 2)
    ledger.record_many([*made, dataclasses.replace(made[0], sharpe_year=5.0)])
    assert ledger.trials(market).count == 2
    assert ledger.trials(market).sharpe_variance == pytest.approx(8 / 8760)  # of 5 and 1


def test_variants_without_a_ratio_count(ledger, market):
    made = entries(score_on(market), 3)
    ledger.record_many([dataclasses.replace(one, sharpe_year=math.nan) for one in made])
    assert ledger.trials(market).count == 3
    assert math.isnan(ledger.trials(market).sharpe_variance)


def test_the_deflated_ratio_uses_the_recorded_count(ledger, market):
    score = score_on(market)
    own = dataclasses.replace(LedgerEntry.of(score, source_sha256=SOURCE), sharpe_year=0.0)
    ledger.record_many([own])
    moments = moments_of(score)
    known = (moments.sharpe, 48, moments.skew, moments.kurtosis)
    alone = deflated_sharpe(score, ledger)
    assert alone == pytest.approx(deflated_sharpe_ratio(*known, 1, 1.0))
    ledger.record_many(entries(score, 3, first=1))  # 0, 1, 2 and 3 have a variance of 5 / 3
    assert deflated_sharpe(score, ledger) == pytest.approx(deflated_sharpe_ratio(*known, 4, 5 / 3 / 8760))
    assert deflated_sharpe(score, ledger) < alone
    ledger.record_many(entries(score, 200, first=4))
    assert deflated_sharpe(score, ledger) < 0.01


def test_trials_without_ratios_leave_the_variance_of_chance(ledger, market):
    score = score_on(market)
    ledger.record_many([dataclasses.replace(one, sharpe_year=math.nan) for one in entries(score, 9)])
    moments = moments_of(score)
    expected = deflated_sharpe_ratio(moments.sharpe, 48, moments.skew, moments.kurtosis, 9, 1 / 47)
    assert deflated_sharpe(score, ledger) == pytest.approx(expected)


def test_a_score_that_never_traded_has_no_deflated_ratio(ledger, market):
    score = score_on(market, entry=())
    ledger.record(score)
    assert math.isnan(deflated_sharpe(score, ledger))


def test_the_hash_of_data_knows_every_array(make_market):
    count = len(CLOSE)
    width = 1e-3
    profile = VolumeProfile(
        width=width, offsets=np.array([0, 1, *[1] * (count - 1)]), bin=np.array([4605]), buy=np.array([1.0]), sell=np.array([2.0])
    )
    full = replace(
        make_market(close=CLOSE, open_interest=CLOSE),
        taker_buy_volume=np.ones(count),
        funding_rate=np.zeros(count),
        liquidated=np.ones((count, 2)),
        volume_profile=profile,
        depth_distance=np.array([0.01]),
        depth_bid=np.ones((count, 1)),
        depth_ask=np.ones((count, 1)),
        **{f"mark_{name}": np.array(CLOSE) for name in ("high", "low", "close")},
    )
    known = data_sha256(full)
    assert len(known) == 64
    arrays = {name: value for name, value in vars(full).items() if isinstance(value, np.ndarray)}
    assert len(arrays) >= 15
    for name, value in arrays.items():
        other = value.copy()
        other.flat[-1] = not other.flat[-1] if other.dtype == bool else other.flat[-1] + 1
        assert data_sha256(replace(full, **{name: other})) != known, name
    for name in ("bin", "buy", "sell"):
        changed = replace(profile, **{name: getattr(profile, name) + 1})
        assert data_sha256(replace(full, volume_profile=changed)) != known, name
    for changes in ({"venue": "x"}, {"symbol": "x"}, {"interval": "2h"}, {"seed": 1}, {"mark_low": None}):
        assert data_sha256(replace(full, **changes)) != known, changes
    moved = replace(full, inputs=(Input(table="bars", source="elsewhere.csv", sha256="0", reader="x", rows=1),))
    assert data_sha256(moved) == known


class Colour(Enum):
    RED = 1


@dataclass(frozen=True)
class Share:
    size: float = 1.0


@dataclass(frozen=True)
class Amount:
    size: float = 1.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2.0}, {"b": 2, "a": 1.0}),
        ({"a": np.float64(0.1)}, {"a": 0.1}),
        ({"a": np.int64(3)}, {"a": 3.0}),
        ({"a": np.bool_(True)}, {"a": True}),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ({"a": np.array([1.0, 0.5])}, {"a": [1, 0.5]}),
        ({"a": {3, 1, 2}}, {"a": [1, 2, 3]}),
        ({10.0: 1}, {10: 1}),
        ({"a": Path("x/y")}, {"a": "x/y"}),
        ({"a": -0.0}, {"a": 0}),
        ({"a": object()}, {"a": object()}),
        ({"a": lambda: 1}, {"a": lambda: 2}),
    ],
)
def test_equal_settings_have_one_text(one, other):
    assert canonical_json(one) == canonical_json(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"a": None}, {"a": "None"}),
        ({"a": 0.1}, {"a": 0.1 + 2**-55}),
        ({"a": math.nan}, {"a": None}),
        ({"a": math.inf}, {"a": -math.inf}),
        ({"a": Share()}, {"a": Amount()}),
        ({"a": Colour.RED}, {"a": 1}),
    ],
)
def test_other_settings_have_another_text(one, other):
    assert canonical_json(one) != canonical_json(other)


settings_of_strategies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(), settings_of_strategies, max_size=4))
def test_the_order_of_keys_does_not_matter_and_the_text_is_a_fixed_point(given_settings):
    text = canonical_json(given_settings)
    assert canonical_json(dict(reversed(given_settings.items()))) == text
    assert canonical_json(json.loads(text)) == text
