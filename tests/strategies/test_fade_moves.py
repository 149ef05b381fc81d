"""Fade moves by hand."""

import math

import pytest
from hand_made import features_of, unknown

from liqbt.errors import ConfigError
from liqbt.strategy import load_strategy

CLOSE = [100.0, 100.0, 99.0, 98.0, 97.0, 98.0, 99.0, 99.5]
LOW = [100.0, 100.0, 99.0, 97.5, 96.5, 97.0, 98.0, 99.0]


@pytest.fixture(scope="module")
def dip(make_market):
    """From 100 to 96.5 within four bars, and back."""
    return make_market(close=CLOSE, low=LOW)


@pytest.fixture(scope="module")
def spike(make_market):
    """The mirror image in log price."""
    return make_market(close=[1e4 / one for one in CLOSE], high=[1e4 / one for one in LOW])


def entries(market, features, **parameters):
    return load_strategy("fade_moves", **parameters).signals(market, features).entry.tolist()


def test_it_buys_the_first_turn_after_a_fall(dip):
    """At bar 5 the low of 96.5 is 0.89 sigma below the close of four bars before, and the close 0.39 sigma above it."""
    signals = load_strategy("fade_moves").signals(dip, features_of(dip))
    assert signals.entry.tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    stop = 96.5 - 98 * 0.04 * 0.1
    assert signals.stop_price[5] == pytest.approx(stop)
    assert signals.target_price[5] == pytest.approx(98 + 1.5 * (98 - stop))
    assert signals.max_bars[5] == 24


def test_it_sells_the_first_turn_after_a_rise(spike):
    signals = load_strategy("fade_moves").signals(spike, features_of(spike))
    assert signals.entry.tolist() == [0, 0, 0, 0, 0, -1, 0, 0]
    assert signals.stop_price[5] == pytest.approx(1e4 / 96.5 + spike.close[5] * 0.04 * 0.1)


@pytest.mark.parametrize("market", ["dip", "spike"])
def test_move_and_turn_must_be_large_enough(market, request):
    market = request.getfixturevalue(market)
    move, turn = math.log(100 / 96.5) / 0.04, math.log(98 / 96.5) / 0.04
    features = features_of(market)
    assert any(entries(market, features, move=move * 0.999, turn=turn * 0.999))
    assert not any(entries(market, features, move=move * 1.001))
    assert entries(market, features, turn=turn * 1.001)[5] == 0
    assert entries(market, features, turn=turn * 1.001)[6] != 0  # a bar later it has turned


def test_where_a_zone_was_eaten_it_stays_away(dip):
    """On either side, within the last four bars, and only if enough of it was."""
    for side in ("below", "above"):
        swept = {f"{side}_swept": [0, 0, 0.3, 0.4, 0, 0, 0, 0]}  # 58 %
        assert not any(entries(dip, features_of(dip, **swept))[:6])
        assert any(entries(dip, features_of(dip, **swept), max_swept=0.6))
    assert entries(dip, features_of(dip, below_swept=[0, 0.8, 0, 0, 0, 0, 0, 0]))[5] == 1  # four bars ago it was too long ago


def test_where_the_map_says_nothing_nobody_knows_whether_a_zone_was_eaten(dip):
    assert not any(entries(dip, unknown(dip, sigma_day=0.04)))
    assert any(entries(dip, unknown(dip, sigma_day=0.04, dominance=0.5)))


def test_hours_are_counted_in_bars_of_the_market(dip):
    """Three hours before bar 5 the close was 99: the move is 0.64 sigma."""
    assert entries(dip, features_of(dip), within_hours=3, move=0.63)[5] == 1
    assert entries(dip, features_of(dip), within_hours=3, move=0.65)[5] == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"move": 0}, r"move 0.0 must be above 0"),
        ({"turn": -1}, r"turn -1.0 must be at least 0"),
        ({"max_swept": 0}, r"max_swept 0.0 must be above 0 and at most 1"),
        ({"within_hours": 0}, r"within_hours 0.0"),
        ({"stop_buffer": -1}, r"stop_buffer -1.0"),
        ({"reward": 0}, r"reward 0.0"),
        ({"max_hours": 0}, r"max_hours 0.0"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ConfigError, match=rf"^fade_moves: {message}"):
        load_strategy("fade_moves", **parameters)
