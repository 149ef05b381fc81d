"""What holds for every shipped strategy."""

import shutil
from dataclasses import fields, replace

import numpy as np
import pytest
from hand_made import unknown

from liqbt.book.reconstruct import reconstruct
from liqbt.features import FEATURES, build_features
from liqbt.strategy import load_strategy, shipped_strategies

SHIPPED = sorted(shipped_strategies())
IGNORANT = ("buy_and_hold",)  # it trades where nothing is known
EDGES = [one for one in FEATURES if one.endswith(("_near", "_peak", "_far"))]


@pytest.fixture(scope="module")
def known(week):
    return build_features(reconstruct(week))


@pytest.fixture(scope="module")
def known_quarter(quarter):
    return build_features(reconstruct(quarter))


def test_these_are_shipped():
    assert SHIPPED == [
        "breakout", "buy_and_hold", "confluence", "distance_gravity", "fade_moves", "gravity", "random_entries", "sweep_continuation",
        "sweep_reversal", "zone_levels",
    ]  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_asking_twice_gives_the_same_and_changes_nothing(name, week, known):
    strategy, features = load_strategy(name), known.copy()
    first, second = (strategy.signals(week, features).to_frame() for _ in range(2))
    assert first.equals(second)
    assert features.equals(known)
    assert vars(strategy) == vars(load_strategy(name))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_copy_of_the_file_elsewhere_gives_the_same_signals(name, week, known, tmp_path, monkeypatch):
    """In a folder of its own, from which nothing but the installed package can be imported."""
    copy = tmp_path / "mine.py"
    shutil.copy(shipped_strategies()[name], copy)
    monkeypatch.chdir(tmp_path)
    mine, theirs = (load_strategy(one).signals(week, known) for one in (copy, name))
    assert mine.to_frame().equals(theirs.to_frame())
    assert mine.parameters == theirs.parameters


@pytest.mark.parametrize("name", SHIPPED)
def test_the_record_holds_name_and_every_parameter(name, week, known):
    strategy = load_strategy(name)
    signals = strategy.signals(week, known)
    assert signals.name == name
    assert signals.parameters == {field.name: getattr(strategy, field.name) for field in fields(strategy)}


@pytest.mark.parametrize("name", [one for one in SHIPPED if one not in IGNORANT])
def test_nothing_known_nothing_wished(name, week):
    assert not load_strategy(name).signals(week, unknown(week)).entry.any()


@pytest.mark.parametrize("name", SHIPPED)
def test_only_public_names_are_imported(name):
    """Nothing with an underscore, no neighbour, nothing heavy: what a user's copy can have."""
    source = shipped_strategies()[name].read_text("utf-8")
    imported = [line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert {one.split(".")[0] for one in imported} <= {"__future__", "collections", "dataclasses", "liqbt", "numpy", "pandas", "typing"}
    assert not [one for one in imported if "_" in one.removeprefix("__future__") or one.startswith("liqbt.strategies")]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_parameter_is_told_in_the_docstring(name):
    cls = type(load_strategy(name))
    for field in fields(cls):
        assert f"{field.name}:" in cls.__doc__.replace(",", ":"), field.name


@pytest.mark.parametrize("name", [one for one in SHIPPED if one not in IGNORANT])
def test_prices_in_other_units_give_the_same_entries(name, week, known):
    """A thousand times dearer is the same market: no parameter is in units of price."""
    scaled = {key: getattr(week, key) * 1024.0 for key in ("open", "high", "low", "close")}
    before = load_strategy(name).signals(week, known)
    after = load_strategy(name).signals(replace(week, **scaled), known.assign(**{one: known[one] * 1024.0 for one in EDGES}))
    np.testing.assert_array_equal(after.entry, before.entry)
    for level in ("stop_price", "target_price", "limit_price"):
        np.testing.assert_allclose(getattr(after, level), getattr(before, level) * 1024.0)


EVEN_HANDED = [one for one in SHIPPED if one not in ("buy_and_hold", "random_entries")]


@pytest.mark.parametrize("name", EVEN_HANDED)
def test_the_market_upside_down_gives_the_opposite_trades(name, quarter, known_quarter):
    """At reciprocal prices, with what was above below, every long is a short: the two sides are treated alike."""
    upside_down = replace(quarter, open=1 / quarter.open, high=1 / quarter.low, low=1 / quarter.high, close=1 / quarter.close)
    other_side = {one: one.replace("above", "below") if "above" in one else one.replace("below", "above") for one in FEATURES}
    turned = known_quarter.rename(columns=other_side)
    turned = turned.assign(dominance=1 - turned["dominance"], **{one: 1 / turned[one] for one in EDGES})
    before, after = (load_strategy(name).signals(m, f).entry for m, f in ((quarter, known_quarter), (upside_down, turned)))
    assert np.count_nonzero(before) > 10
    assert np.count_nonzero(before != -after) <= 0.01 * np.count_nonzero(before)  # but for rounding


OTHER = {
    "threshold": 0.75, "max_distance": 0.4, "pullback": 0.2, "seed": 1, "target": "vwap", "mode": "veto", "base": "gravity",
    "base_parameters": {"reward": 3},
}  # fmt: skip
NEEDS = {"rest_hours": {"pullback": 0.2}, "vwap_hours": {"target": "vwap"}}  # parameters that count only beside another


@pytest.mark.parametrize(("name", "parameter"), [(name, one.name) for name in SHIPPED for one in fields(type(load_strategy(name)))])
def test_every_parameter_makes_a_difference(name, parameter, quarter, known_quarter):
    beside = NEEDS.get(parameter, {})
    value = OTHER[parameter] if parameter in OTHER else 0.75 * getattr(load_strategy(name), parameter)
    before, after = (load_strategy(name, **beside, **more).signals(quarter, known_quarter) for more in ({}, {parameter: value}))
    assert not before.to_frame().equals(after.to_frame())
