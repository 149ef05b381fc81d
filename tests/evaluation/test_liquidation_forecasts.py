"""Forecasts that were fitted to amounts made by their own formula, and the days that lie opposite."""

from dataclasses import replace

import numpy as np
import pytest
from liquidation_samples import hourly_book, hourly_market

from liqbt.evaluation.liquidation_cells import liquidation_cells
from liqbt.evaluation.liquidation_forecasts import forecasts_by_past, forecasts_by_range, other_days

pytestmark = pytest.mark.filterwarnings("ignore:Perfect separation")  # amounts made by the formula are predicted exactly

SIDE = np.array([-0.5, 0.5])


@pytest.fixture(scope="module")
def cells():
    return liquidation_cells(hourly_market(), hourly_book())


def fitted(cells, recorded, *, until=700, baseline="distance"):
    train = cells.usable & (np.arange(cells.usable.size) < until)
    source = other_days(np.arange(cells.usable.size) >= np.flatnonzero(cells.usable)[0], cells.bars_a_day)
    changed = replace(cells, recorded=recorded)
    found = (*forecasts_by_range(changed, train, source, baseline=baseline, far=0.045), *forecasts_by_past(changed, train, source))
    return {(one.given, one.name): one for one in found}


def test_a_scale_and_a_background_are_found_again(cells):
    recorded = 0.25 * cells.swept.sum(axis=2) + 40.0
    found = fitted(cells, recorded)["range", "map"]
    assert found.parameters["scale"] == pytest.approx(0.25, rel=1e-3)
    assert found.parameters["background"] == pytest.approx(40.0, rel=1e-3)
    assert found.mean[cells.usable] == pytest.approx(recorded[cells.usable], rel=2e-3)


def test_exponents_of_price_are_found_again(cells):
    law = 3 + 0.8 * np.log(cells.volume)[:, None] + 1.3 * np.log(cells.distance + 5e-4) - 0.4 * SIDE
    law = law + 0.5 * np.log(np.where(cells.volatility > 0, cells.volatility, 1.0))[:, None]
    found = fitted(cells, np.exp(law))["range", "distance+volatility"].parameters
    assert found == pytest.approx({"constant": 3, "side": -0.4, "volume": 0.8, "distance": 1.3, "volatility": 0.5}, rel=1e-5)


def test_heat_beside_price_is_found_again(cells):
    heat = cells.swept.sum(axis=2)
    train = cells.usable & (np.arange(cells.usable.size) < 700)
    law = 1 + 0.7 * np.log(cells.volume)[:, None] + 0.6 * np.log(heat + 0.01 * heat[train].mean())
    found = fitted(cells, np.exp(law))["range", "distance+map"].parameters
    assert found == pytest.approx({"constant": 1, "side": 0, "volume": 0.7, "distance": 0, "map": 0.6}, rel=1e-4, abs=1e-5)


def test_what_is_known_before_is_found_again(cells):
    safe = [np.where(one > 0, one, 1.0) for one in (cells.volatility, cells.quick, cells.activity)]
    law = 2 + 0.3 * np.log(safe[0])[:, None] + 0.9 * np.log(safe[1])[:, None] + 0.5 * np.log(safe[2])[:, None] + 0.2 * SIDE
    found = fitted(cells, np.exp(law))["past", "volatility"].parameters
    assert found == pytest.approx({"constant": 2, "side": 0.2, "volatility": 0.3, "quick": 0.9, "activity": 0.5}, rel=1e-5)


def test_near_and_far_levels_make_up_the_map(cells):
    found = fitted(cells, cells.recorded)
    parts = [(found["range", name].mean - found["range", name].parameters["background"]) / found["range", name].parameters["scale"]
             for name in ("near map", "far map", "map")]  # fmt: skip
    assert parts[0][cells.usable] + parts[1][cells.usable] == pytest.approx(parts[2][cells.usable], abs=1e-3)
    leverage = np.array(hourly_book().mix.leverage)
    assert parts[1][cells.usable] == pytest.approx(cells.swept[cells.usable][:, :, leverage <= 20].sum(axis=2), abs=1e-3)


def test_terms_of_fresh_extremes_only_speak_of_them(cells):
    found = fitted(cells, cells.recorded)
    with_old, without = found["range", "distance+fresh+day-old map"], found["range", "distance+fresh"]
    assert set(with_old.parameters) - set(without.parameters) == {"day-old map"}
    other = {name: value - without.parameters[name] for name, value in with_old.parameters.items() if name in without.parameters}
    stale = cells.usable[:, None] & ~cells.fresh
    moved = other["constant"] + other["volume"] * np.log(cells.volume)[:, None] + other["side"] * SIDE
    moved = moved + other["distance"] * np.log(cells.distance + 5e-4)
    assert np.log(with_old.mean / without.mean)[stale] == pytest.approx(moved[stale], abs=1e-9)


def test_nothing_after_the_training_moves_a_parameter(cells):
    one = fitted(cells, cells.recorded)
    rng = np.random.default_rng(0)
    later = np.arange(cells.usable.size)[:, None] >= 700
    changed = {name: np.where(later, getattr(cells, name) * rng.lognormal(0, 1, (cells.usable.size, 2)), getattr(cells, name))
               for name in ("recorded", "distance", "carried", "day_old", "touched")}  # fmt: skip
    swept = np.where(later[:, :, None], 2 * cells.swept, cells.swept)
    other = fitted(replace(cells, **changed, swept=swept), changed["recorded"])
    assert {name: dict(found.parameters) for name, found in one.items()} == {name: dict(found.parameters) for name, found in other.items()}
    assert not np.allclose(one["range", "distance+map"].mean[800:], other["range", "distance+map"].mean[800:])


def test_a_map_that_expects_nothing_of_a_kind_is_left_out(cells):
    none_far = replace(cells, swept=cells.swept * (cells.level <= 0.045), day_old=np.zeros_like(cells.day_old))
    names = {name for _, name in fitted(none_far, cells.recorded)}
    assert not names & {"far map", "distance+near+far map", "distance+fresh+day-old map"}
    assert {"map", "near map", "distance+near map"} <= names


def test_other_days_are_half_the_span_away_at_the_same_time():
    span = np.zeros(60, dtype=bool)
    span[5:50] = True  # eleven whole days of four bars, and a bar
    source = other_days(span, 4)
    assert (source[~span] == -1).all()
    assert source[5] == 5 + 20 - 1
    assert source[5 + 23] == 5 + 43 - 1
    assert source[5 + 24] == 5 - 1
    assert source[49] == 5 + 20 - 1
    assert ((source[span] + 1 - np.flatnonzero(span)) % 4 == 0).all()
    assert (other_days(span[:10], 4) == -1).all()  # not even two days
