"""Event studies by hand."""

import numpy as np
import pytest
from contexts import context_of

from liqbt.evaluation.event_study import event_study
from liqbt.evaluation.events import Events
from liqbt.evaluation.outcomes import ForwardReturn


def study(market, bar, direction, **window):
    context = context_of(market)
    events = Events.at(np.array(bar), np.array(direction), np.full(len(bar), np.nan))
    return event_study(context, ForwardReturn(hours=1).measure(context, events), **window)


def test_moves_are_since_the_next_open_in_the_claims_direction(make_market):
    price = [100, 101, 102, 103, 104, 105, 106, 107, 108, 109]
    market = make_market(close=[float(one) for one in price])  # opens equal closes
    found = study(market, [3, 6], [1, -1], before_hours=2, after_hours=2)
    assert found.hours.tolist() == [-2, -1, 0, 1, 2]
    up = [np.log(price[4 + lag] / 104) for lag in (-2, -1, 0, 1, 2)]
    down = [-np.log(price[7 + lag] / 107) for lag in (-2, -1, 0, 1, 2)]
    assert found.mean == pytest.approx([5e3 * (a + b) for a, b in zip(up, down, strict=True)])
    assert found.n_events == 2


def test_events_too_near_an_end_are_left_out(make_market):
    market = make_market(close=[100.0 + bar for bar in range(10)])
    assert study(market, [0, 3, 8], [1, 1, -1], before_hours=2, after_hours=2).n_events == 1
    assert study(market, [3], [1], before_hours=9, after_hours=2) is None


def test_the_last_close_ends_the_last_window(make_market):
    market = make_market(close=[100.0, 100.0, 100.0, 110.0], open=[100.0] * 4)
    context = context_of(market)
    events = Events.at(np.array([1]), np.array([1]), np.array([np.nan]))
    found = event_study(context, ForwardReturn(hours=2).measure(context, events), before_hours=1, after_hours=2)
    assert found.hours.tolist() == [-1, 0, 1, 2]
    assert np.isnan(found.ci_high).all()  # upward claims alone have no band
    assert found.n_events == 1


def test_the_band_holds_the_truth(make_market):
    """A walk in which price goes on by 20 bps in the hour after each event, and nowhere else."""
    rng = np.random.default_rng(3)
    step = rng.normal(0, 1e-3, 4_000)
    bar = np.arange(50, 3_950, 13)
    direction = rng.choice([-1, 1], bar.size)
    step[bar + 1] += 20e-4 * direction
    close = 100 * np.exp(np.cumsum(step))
    found = study(make_market(close=close, open=list(np.r_[100.0, close[:-1]])), bar, direction, before_hours=4, after_hours=4)
    after = found.hours > 0
    assert found.mean[after] == pytest.approx(20, abs=4)
    assert (found.ci_low[after] > 10).all()
    assert (np.abs(found.mean[found.hours < 0]) < 8).all()
