"""Confluence: a base that proposes, and a map that confirms or vetoes."""

import math

import numpy as np
import pandas as pd
import pytest
from hand_made import features_of, unknown

from liqbt.errors import ConfigError
from liqbt.strategy import load_strategy

PROPOSES = """\
from dataclasses import dataclass
from liqbt.signals import Signals

@dataclass(frozen=True, kw_only=True)
class Proposes:
    '''Long in even bars, short in odd ones, with one of everything that a signal can ask for.'''
    distance: float = 0.02
    trigger: bool = False

    def signals(self, market, features):
        side = 1 - 2 * (market.timestamp // market.interval_ns % 2)
        return Signals.of(
            market, entry=side, exit=[True] + [False] * (market.n_bars - 1), stop_price=market.close * (1 - side * self.distance),
            target_price=market.close * (1 + side * self.distance), valid_bars=3, max_bars=7, trailing_stop=0.05, name="proposes",
            limit_price=None if self.trigger else market.close * (1 - side * 0.001),
            trigger_price=market.close * (1 + side * 0.001) if self.trigger else None,
        )
"""


@pytest.fixture(scope="module")
def proposes(tmp_path_factory):
    path = tmp_path_factory.mktemp("base") / "proposes.py"
    path.write_text(PROPOSES, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def flat(make_market):
    return make_market(close=[100.0] * 6)


LEANS = [0.6, 0.6, 0.5, 0.5, 0.4, 0.4]  # up, up, neither, neither, down, down; wishes are long, short, long, short ...


@pytest.mark.parametrize(("mode", "entry"), [("confirm", [1, 0, 0, 0, 0, -1]), ("veto", [1, 0, 1, -1, 0, -1])])
def test_the_map_confirms_or_vetoes(flat, proposes, mode, entry):
    signals = load_strategy("confluence", base=proposes, mode=mode).signals(flat, features_of(flat, dominance=LEANS))
    assert signals.entry.tolist() == entry


@pytest.mark.parametrize("trigger", [False, True])
def test_what_is_taken_is_taken_as_proposed(flat, proposes, trigger):
    features = features_of(flat, dominance=LEANS)
    base = {"distance": 0.03, "trigger": trigger}
    wished = load_strategy(proposes, **base).signals(flat, features)
    signals = load_strategy("confluence", base=proposes, base_parameters=base).signals(flat, features)
    taken = signals.entry != 0
    for name, column in wished.to_frame().drop(columns="entry").items():
        kept = column.to_numpy() if name == "exit" else np.where(taken, column, np.nan if column.dtype == float else 0)
        np.testing.assert_array_equal(signals.to_frame()[name], kept, err_msg=name)
    assert signals.exit[0]
    assert signals.name == "confluence"


@pytest.mark.parametrize(("mode", "entry"), [("confirm", [0] * 6), ("veto", [1, -1] * 3)])
def test_a_map_that_says_nothing_confirms_nothing_and_vetoes_nothing(flat, proposes, mode, entry):
    assert load_strategy("confluence", base=proposes, mode=mode).signals(flat, unknown(flat)).entry.tolist() == entry


@pytest.mark.parametrize(("distance", "within"), [(1.49, True), (1.51, False)])
@pytest.mark.parametrize(("side", "zone"), [(1, "above_near"), (-1, "below_near")])
def test_a_zone_out_of_reach_says_nothing(flat, proposes, distance, within, side, zone):
    """Of wishes long, short, long, short ... those of its side are confirmed, and the others vetoed."""
    features = features_of(flat, dominance=0.5 + 0.4 * side, **{zone: 100 * math.exp(side * distance * 0.04)})
    own = [1, 0] * 3 if side > 0 else [0, -1] * 3
    confirmed, left = (load_strategy("confluence", base=proposes, mode=mode).signals(flat, features).entry for mode in ("confirm", "veto"))
    assert confirmed.tolist() == (own if within else [0] * 6)
    assert left.tolist() == (own if within else [1, -1] * 3)


def test_every_entry_of_the_base_is_confirmed_or_vetoed_by_its_opposite(week):
    """On a real map: with one threshold, what `confirm` takes is never what `veto` leaves out, and both are entries of the base."""
    from liqbt.book.reconstruct import reconstruct
    from liqbt.features import build_features

    features = build_features(reconstruct(week))
    base, yes, no = (
        pd.Series(load_strategy(name, **more).signals(week, features).entry)
        for name, more in (("breakout", {}), ("confluence", {}), ("confluence", {"mode": "veto"}))
    )
    assert base.ne(0).sum() > yes.ne(0).sum() > 0
    assert base[yes != 0].equals(yes[yes != 0])
    assert base[no != 0].equals(no[no != 0])
    assert no[yes != 0].ne(0).all()
    assert no.ne(0).sum() > yes.ne(0).sum()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"mode": "vetoes"}, r"confluence: mode 'vetoes' is none of confirm, veto; did you mean 'veto'\?"),
        ({"threshold": 0.4}, r"confluence: threshold 0.4 must be at least 0.5 and below 1"),
        ({"max_distance": 0}, r"confluence: max_distance 0.0 must be above 0"),
        ({"base": "brekout"}, r"'brekout' is neither shipped nor the path of a .py file; did you mean 'breakout'\?"),
        ({"base_parameters": "reward=2"}, r"confluence: base_parameters 'reward=2' must be a table, as \{ reward = 2.0 \}"),
        ({"base_parameters": {"hours": 3}}, r"breakout: it has no parameter 'hours'"),
        ({"base_parameters": {"reward": 0}}, r"breakout: reward 0.0 must be above 0"),
    ],
)
def test_what_cannot_be_is_told_before_any_work(parameters, message):
    with pytest.raises(ConfigError, match=message):
        load_strategy("confluence", **parameters)
