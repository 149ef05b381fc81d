"""A slow, obvious account: the oracle of the fill loop, written from the rules and sharing no code with it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class Position:
    side: str
    amount: float
    entry_price: float
    posted: float
    margin: float
    entry_bar: int
    stop: float | None
    target: float | None
    leaves_at: int | None
    fees: float = 0.0
    funding: float = 0.0
    slippage: float = 0.0
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)

    @property
    def is_long(self) -> bool:
        return self.side == "long"

    def profit(self, price: float) -> float:
        return self.amount * (price - self.entry_price if self.is_long else self.entry_price - price)

    @property
    def bankrupt(self) -> float:
        lost = self.margin / self.amount
        return self.entry_price - lost if self.is_long else self.entry_price + lost

    def liquidation(self, tiers) -> float:
        """Requirements of all brackets are lines, and the greatest of them binds: the one that price meets first."""
        met = []
        for tier in tiers:
            spare = (self.margin + tier.maintenance_amount) / self.amount
            if self.is_long:
                met.append((self.entry_price - spare) / (1 - tier.maintenance_margin_rate))
            else:
                met.append((self.entry_price + spare) / (1 + tier.maintenance_margin_rate))
        return max(0.0, *met) if self.is_long else min(met)


def number(value):
    return None if math.isnan(value) else float(value)


class Account:
    def __init__(self, market, signals, *, costs, leverage, equity_share, initial_cash, tiers):
        self.market, self.signals, self.costs, self.tiers = market, signals, costs, tiers
        self.leverage, self.share, self.initial = leverage, equity_share, initial_cash
        self.cash = initial_cash
        self.position = None
        self.orders, self.trades, self.equity, self.held = [], [], [], []
        self.rejected, self.ruined = 0, False
        self.slip = costs.slippage_bps / 10_000

    def buy_price(self, price):
        return price * (1 + self.slip)

    def sell_price(self, price):
        return price * (1 - self.slip)

    def run(self):
        leave, wish = False, None
        for bar in range(self.market.n_bars):
            if bar > 0:
                if self.signals.exit[bar - 1]:
                    leave, wish = True, None
                if self.signals.entry[bar - 1] != 0:
                    wish = bar - 1
            self.pay_funding(bar)
            if self.market.observed[bar]:
                self.liquidate_at_open(bar)
                self.at_open(bar, leave, wish)
                leave, wish = False, None
                self.within(bar)
            profit = self.position.profit(self.market.close[bar]) if self.position else 0.0
            self.equity.append(self.cash + profit)
            self.held.append({"long": 1, "short": -1}[self.position.side] if self.position else 0)
            if self.position is None and self.cash <= self.initial * 1e-6:
                self.ruined = True
        if self.position:
            self.end_trade("open", None, None, self.position.profit(self.market.close[-1]))
        return self

    def pay_funding(self, bar):
        if self.position is None or not self.costs.funding or self.market.funding_rate is None:
            return
        rate = self.market.funding_rate[bar]
        if rate == 0:
            return
        price = self.market.open[bar] if self.market.mark_close is None or bar == 0 else self.market.mark_close[bar - 1]
        held = self.position
        payment = held.amount * price * rate * (1 if held.is_long else -1)
        free, worth = self.cash - held.margin, max(held.margin + held.profit(price), 0.0)
        payment = min(payment, free + worth)
        held.funding += payment
        self.cash -= payment
        held.margin = held.posted if self.cash >= held.posted else self.cash
        self.orders.append((bar, "funding", self.position.side, 0.0, price, payment))

    def liquidate_at_open(self, bar):
        held, open_ = self.position, self.market.open[bar]
        if held is None:
            return
        price = held.liquidation(self.tiers)
        if (held.is_long and open_ <= price) or (not held.is_long and open_ >= price):
            self.liquidate(bar)

    def at_open(self, bar, leave, wish):
        open_ = self.market.open[bar]
        if self.position and leave:
            self.market_close(bar, open_, "exit")
        if self.position and self.position.leaves_at is not None and bar >= self.position.leaves_at:
            self.market_close(bar, open_, "time")
        if wish is None:
            return
        side = "long" if self.signals.entry[wish] > 0 else "short"
        if self.position and self.position.side == side:
            return
        if self.position:
            self.market_close(bar, open_, "reversal")
        self.enter(bar, open_, side, wish)

    def enter(self, bar, open_, side, wish):
        fill = self.buy_price(open_) if side == "long" else self.sell_price(open_)
        stop, target = number(self.signals.stop_price[wish]), number(self.signals.target_price[wish])
        if self.cash <= self.initial * 1e-6:
            self.ruined = True
            return
        below, above = (stop, target) if side == "long" else (target, stop)
        if (below is not None and below >= fill) or (above is not None and above <= fill):
            self.rejected += 1
            return
        allowed = max(tier.max_notional for tier in self.tiers if tier.max_leverage >= self.leverage)
        # of each unit of margin, `leverage` units are bought, and the fee is paid on those
        margin = self.cash * self.share / (1 + self.leverage * self.costs.taker_fee_rate)
        margin = min(margin, allowed / self.leverage)
        notional = margin * self.leverage
        amount, fee = notional / fill, notional * self.costs.taker_fee_rate
        hold = int(self.signals.max_bars[wish])
        self.position = Position(
            side=side, amount=amount, entry_price=fill, posted=margin, margin=margin, entry_bar=bar, stop=stop, target=target,
            leaves_at=bar + hold if hold else None,
            fees=fee, slippage=amount * abs(fill - open_),
        )  # fmt: skip
        self.cash -= fee
        self.orders.append((bar, "entry", "buy" if side == "long" else "sell", amount, fill, fee))

    def within(self, bar):
        held = self.position
        if held is None:
            return
        open_, high, low = self.market.open[bar], self.market.high[bar], self.market.low[bar]
        mark_low = self.market.low[bar] if self.market.mark_low is None else self.market.mark_low[bar]
        liquidation = held.liquidation(self.tiers)
        mark_high = self.market.high[bar] if self.market.mark_high is None else self.market.mark_high[bar]
        if held.is_long:
            gap_to_target = held.target is not None and open_ > held.target
            stopped = held.stop is not None and low <= held.stop
            dead = mark_low <= liquidation
            stop_first = stopped and held.stop > liquidation and open_ > liquidation
            stop_fill = min(held.stop, open_) if stopped else None
            traded_through = held.target is not None and high > held.target
        else:
            gap_to_target = held.target is not None and open_ < held.target
            stopped = held.stop is not None and high >= held.stop
            dead = mark_high >= liquidation
            stop_first = stopped and held.stop < liquidation and open_ < liquidation
            stop_fill = max(held.stop, open_) if stopped else None
            traded_through = held.target is not None and low < held.target
        if gap_to_target:
            self.close(bar, open_, "target", self.costs.maker_fee_rate)
        elif dead and not stop_first:
            self.liquidate(bar)
        elif stopped:
            self.market_close(bar, stop_fill, "stop")
        elif traded_through:
            self.close(bar, held.target, "target", self.costs.maker_fee_rate)
        else:
            held.lows.append(low)
            held.highs.append(high)

    def market_close(self, bar, reference, reason):
        held = self.position
        fill = self.sell_price(reference) if held.is_long else self.buy_price(reference)
        self.close(bar, fill, reason, self.costs.taker_fee_rate, slippage=held.amount * abs(fill - reference))

    def liquidate(self, bar):
        self.cash -= self.position.margin
        self.end(bar, self.position.bankrupt, "liquidation", 0.0)

    def close(self, bar, price, reason, fee_rate, slippage=0.0):
        held = self.position
        fee = held.amount * price * fee_rate
        if held.profit(price) - fee <= -held.margin:
            self.liquidate(bar)
            return
        held.fees += fee
        held.slippage += slippage
        self.cash += held.profit(price) - fee
        self.end(bar, price, reason, fee)

    def end(self, bar, price, reason, fee):
        held = self.position
        held.lows.append(price)
        held.highs.append(price)
        self.orders.append((bar, reason, "sell" if held.is_long else "buy", held.amount, price, fee))
        self.end_trade(reason, bar, price, held.profit(price))
        self.position = None

    def end_trade(self, reason, bar, price, profit):
        held = self.position
        lowest, highest = min([*held.lows, held.entry_price]), max([*held.highs, held.entry_price])
        fall, rise = 1 - lowest / held.entry_price, highest / held.entry_price - 1
        self.trades.append(
            {
                "entry_bar": held.entry_bar, "exit_bar": bar, "side": held.side, "reason": reason, "amount": held.amount,
                "entry_price": held.entry_price, "exit_price": price, "fees": held.fees, "funding": held.funding,
                "slippage": held.slippage, "pnl": profit - held.fees - held.funding,
                "mae": fall if held.is_long else rise, "mfe": rise if held.is_long else fall,
            }
        )  # fmt: skip
