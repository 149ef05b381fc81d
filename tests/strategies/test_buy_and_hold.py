"""Buy and hold: one trade, the one that the scoring's yardstick makes."""

import numpy as np
from hand_made import unknown

from liqbt.scoring import backtest, buy_and_hold
from liqbt.strategy import load_strategy


def test_it_wants_to_be_long_at_every_close(week):
    signals = load_strategy("buy_and_hold").signals(week, unknown(week))
    assert (signals.entry == 1).all()
    assert not signals.exit.any()
    assert np.isnan(signals.stop_price).all()
    assert not signals.max_bars.any()


def test_it_trades_as_the_yardstick_does(week):
    mine, yardstick = backtest(load_strategy("buy_and_hold").signals(week, unknown(week)), week), buy_and_hold(week)
    assert len(mine.trades) == 1
    np.testing.assert_array_equal(mine.fills.equity, yardstick.fills.equity)
