"""A slow, obvious account of one or several markets: the oracle of the fill loop, written from the rules and sharing no code with it.

It walks through every bar, and within a bar (or the two parts into which an order's arrival cuts it) from one event to the next.
"""

from __future__ import annotations

import math

import numpy as np
from reference_orders import Order, Position, number, walk

from liqbt.margin import MarginRule
from liqbt.volatility import daily_volatility


class Account:
    """One wallet; `markets` are on the same bars, `trades` holds for each a list of (nanoseconds, price) or is None."""

    def __init__(self, markets, signals, *, costs, leverage, sizing, rules, initial_cash, tiers, venue_rules=None, trades=None):
        self.markets, self.signals, self.costs, self.tiers, self.trades = markets, signals, costs, tiers, trades
        self.venue_rules = venue_rules or [MarginRule()] * len(markets)
        self.leverage, self.sizing, self.rules, self.initial = leverage, sizing, rules, initial_cash
        self.cash, self.slip, self.ruined = initial_cash, costs.slippage_bps / 10_000, False
        count = len(markets)
        self.held, self.resting, self.ended = [None] * count, [None] * count, [-math.inf] * count
        self.leaves, self.entries = [False] * count, [None] * count  # what waits at the market
        self.orders, self.history, self.equity, self.positions = [], [], [], []
        names = ("rejected", "capped", "reduced", "starved", "cooled", "unsized", "beyond", "bookless")
        self.counts = dict.fromkeys(names, 0)
        days = getattr(sizing, "volatility_days", None)
        self.volatility = [daily_volatility(market, days) if days else np.full(market.n_bars, np.nan) for market in markets]
        total = round(rules.latency_ms * 1e6)
        self.late_bars = rules.latency_bars + total // markets[0].interval_ns
        self.late_ns = total % markets[0].interval_ns

    def run(self):
        assets = range(len(self.markets))
        for bar in range(self.markets[0].n_bars):
            for a in assets:
                self.pay_funding(bar, a)
                self.liquidate_if_passed(bar, a, self.markets[a].open[bar])
            for a in assets:
                if self.late_ns == 0:
                    self.receive(bar, a)
                if self.markets[a].observed[bar]:
                    self.act(bar, a, self.markets[a].open[bar], at_open=True)
            cut = [self.arrive(bar, a) if self.late_ns else None for a in assets]
            for a in assets:
                self.rest_of(bar, a, cut[a])
            self.close_bar(bar)
        for a in assets:
            if self.held[a]:
                self.write(self.held[a], "open", None, None, self.held[a].profit(self.markets[a].close[-1]))
        return self

    # what reaches the market

    def receive(self, bar, a):
        decided = bar - 1 - self.late_bars
        if decided < 0 or self.ruined:
            return
        signals = self.signals[a]
        if signals.exit[decided]:
            self.leaves[a], self.entries[a] = True, None
        if signals.entry[decided] != 0:
            limit, trigger = number(signals.limit_price[decided]), number(signals.trigger_price[decided])
            self.entries[a] = Order(
                side="long" if signals.entry[decided] > 0 else "short",
                kind="limit" if limit is not None else "trigger" if trigger is not None else "market",
                price=limit if limit is not None else trigger,
                stop=number(signals.stop_price[decided]), target=number(signals.target_price[decided]),
                trail=number(signals.trailing_stop[decided]),
                max_bars=int(signals.max_bars[decided]), valid_bars=int(signals.valid_bars[decided]),
                equity=self.equity[decided], volatility=self.volatility[a][decided],
            )  # fmt: skip

    def act(self, bar, a, price, at_open):
        if self.ruined:
            if self.held[a] and at_open:
                self.leave(bar, a, price, "ruin")
            return
        if self.held[a] and self.leaves[a]:
            self.leave(bar, a, price, "exit")
        if self.held[a] and bar >= self.held[a].leaves_at:
            self.leave(bar, a, price, "time")
        if self.leaves[a]:
            self.resting[a], self.leaves[a] = None, False
        order, self.entries[a] = self.entries[a], None
        if order is None:
            return
        self.resting[a] = None
        if order.is_there(price):
            self.execute(bar, a, order, price)
        else:
            order.last_bar = bar + order.valid_bars - 1 if order.valid_bars else math.inf
            self.resting[a] = order

    def arrive(self, bar, a):
        """Let this bar's wishes come when they come; return the price then and the extremes from then on, if they cut the bar in two."""
        decided, market = bar - 1 - self.late_bars, self.markets[a]
        if decided < 0 or self.ruined or not (self.signals[a].entry[decided] != 0 or self.signals[a].exit[decided]):
            return None
        begin = market.timestamp[bar]
        inside = [(stamp - begin, price) for stamp, price in self.trades[a] if begin <= stamp < begin + market.interval_ns]
        late = [price for since, price in inside if since >= self.late_ns]
        early = [market.open[bar]] + [price for since, price in inside if since < self.late_ns]
        comes = bool(late) and market.observed[bar]
        if comes:
            self.live(bar, a, early[0], min(early), max(early), None)
        self.receive(bar, a)
        if not comes:
            return None
        self.liquidate_if_passed(bar, a, late[0])
        self.act(bar, a, late[0], at_open=False)
        later = [*late, market.close[bar]]
        return late[0], min(later), max(later)

    # what happens to what is held and what rests

    def pay_funding(self, bar, a):
        market, held = self.markets[a], self.held[a]
        if held is None or not self.costs.funding or market.funding_rate is None:
            return
        rate = market.funding_rate[bar]
        if rate == 0:
            return
        price = market.open[bar] if market.mark_close is None or bar == 0 else market.mark_close[bar - 1]
        payment = held.amount * price * rate * held.sign
        others = sum(one.margin for one in self.held if one and one is not held)
        free, worth = self.cash - others - held.margin, max(held.margin + held.profit(price), 0.0)
        payment = min(payment, free + worth)
        held.funding += payment
        self.cash -= payment
        held.margin = min(held.posted, self.cash - others)
        self.orders.append((bar, a, "funding", held.side, 0.0, price, payment, 0.0))

    def liquidate_if_passed(self, bar, a, price):
        held = self.held[a]
        if held and self.markets[a].observed[bar]:
            limit = held.liquidation(self.tiers[a], self.venue_rules[a])
            if price <= limit if held.is_long else price >= limit:
                self.liquidate(bar, a)

    def rest_of(self, bar, a, part):
        market = self.markets[a]
        if market.observed[bar]:
            start, low, high = part or (market.open[bar], market.low[bar], market.high[bar])
            self.live(bar, a, start, low, high, market.close[bar])
            if self.held[a]:
                held = self.held[a]
                held.best = max([held.entry_price, *held.seen]) if held.is_long else min([held.entry_price, *held.seen])
        if self.resting[a] and bar >= self.resting[a].last_bar:
            self.resting[a] = None

    def live(self, bar, a, start, low, high, close):
        """From event to event, through one part of a bar."""
        market = self.markets[a]
        marks = (market.mark_low[bar], market.mark_high[bar]) if market.mark_low is not None else (low, high)
        while True:
            events = self.own_events(a, start, low, high, marks, close) + self.order_events(a, start, low, high)
            if not events:
                break
            kind, level = min(events, key=lambda event: event[0])[1:]
            if kind == "order":
                order, self.resting[a] = self.resting[a], None
                reference = level
                if order.kind == "trigger":
                    reference = max(level, start) if order.buys else min(level, start)
                if self.execute(bar, a, order, reference, rested=order.kind == "limit"):
                    begin = reference
                    if order.kind == "limit":
                        begin = min(level, start) if order.buys else max(level, start)
                    self.held[a].filled = (order.kind, begin)
                continue
            held = self.held[a]
            begin = held.filled[1] if held.filled else start
            if kind == "liquidation":
                self.liquidate(bar, a)
            elif kind == "target":
                price = max(level, begin) if held.is_long else min(level, begin)
                self.close(bar, a, price, "target", self.costs.maker_fee_rate)
            else:
                self.leave(bar, a, min(level, begin) if held.is_long else max(level, begin), kind)
        held = self.held[a]
        if held:
            far = [low, high]
            if held.filled and held.filled[0] == "limit":
                far = [low if held.is_long else high, *([] if close is None else [close])]
            held.seen += far
            held.filled = None

    def own_events(self, a, start, low, high, marks, close):
        """What could end the position: ((not at once, not against it, way), kind, level), the least of which comes first."""
        held = self.held[a]
        if held is None:
            return []
        up = held.sign
        worst, best = (low, high) if held.is_long else (high, low)
        if held.filled:
            start = held.filled[1]
            if held.filled[0] == "limit":  # the far extreme may be older than the fill; the close is not
                best = math.nan if close is None else close
        mark = marks[0] if held.is_long else marks[1]
        liquidation = held.liquidation(self.tiers[a], self.venue_rules[a])
        stop, name = held.protection()
        events = []
        if liquidation > 0 and up * mark <= up * liquidation:
            passed = up * start <= up * liquidation
            # where the start has passed liquidation and stop, nobody could stop any more
            events.append(((-1 if passed else 1, 0, -up * liquidation, 0), "liquidation", liquidation))
        if stop is not None and up * worst <= up * stop:
            events.append(((0 if up * start <= up * stop else 1, 0, -up * stop, 1), name, stop))
        if held.target is not None and (up * best > up * held.target or up * start > up * held.target):
            events.append(((0 if up * start > up * held.target else 1, 1, up * held.target, 1), "target", held.target))
        return events

    def order_events(self, a, start, low, high):
        order, held = self.resting[a], self.held[a]
        if order is None:
            return []
        price, from_above = order.price, order.buys == (order.kind == "limit")
        if order.kind == "limit":
            fires, at_once = (low < price, start < price) if order.buys else (high > price, start > price)
        else:
            fires, at_once = (high >= price, start >= price) if order.buys else (low <= price, start <= price)
        if not fires:
            return []
        against = held is not None and held.is_long == from_above
        return [((0 if at_once else 1, 0 if against else 1, -price if from_above else price, 2), "order", price)]

    # orders

    def execute(self, bar, a, order, reference, rested=False):
        held, used = self.held[a], 0.0
        limit = order.price if order.kind == "limit" else None
        if held and (held.side == order.side or self.rules.on_opposite == "ignore"):
            return False
        if held:
            reason = "reversal" if self.rules.on_opposite == "reverse" else "exit"
            used = held.amount * reference
            price = reference if rested else self.fill_price(bar, a, order.buys, reference, used, 0.0, limit)
            fee_rate = self.costs.maker_fee_rate if rested else self.costs.taker_fee_rate
            self.close(bar, a, price, reason, fee_rate, reference)
            if reason == "exit":
                return False
        if self.rules.cooldown_bars and bar - self.ended[a] <= self.rules.cooldown_bars:
            self.counts["cooled"] += 1
            return False
        return self.enter(bar, a, order, reference, rested, used, limit)

    def enter(self, bar, a, order, reference, rested, used, limit):
        sign, costs, rule = (1 if order.buys else -1), self.costs, self.venue_rules[a]
        fee_rate = costs.maker_fee_rate if rested else costs.taker_fee_rate
        posted = float(rule.posted_margin(sign, 1.0, self.leverage))  # for a notional of 1
        if hasattr(self.sizing, "daily"):
            if math.isnan(order.volatility):
                self.counts["unsized"] += 1
                return False
            most = self.sizing.max_share * self.leverage
            notional = order.equity * (most if order.volatility == 0 else min(self.sizing.daily / order.volatility, most))
        elif hasattr(self.sizing, "notional"):
            notional = self.sizing.notional
        else:
            notional = order.equity * self.sizing.share / (posted + costs.taker_fee_rate)
        allowed = max(tier.max_notional for tier in self.tiers[a] if tier.max_leverage >= self.leverage)
        free = self.cash - sum(one.margin for one in self.held if one)
        affordable = free / (posted + max(fee_rate, 0.0))
        capped, notional = notional > allowed, min(notional, allowed)
        reduced, notional = notional > affordable * (1 + 1e-9), min(notional, affordable)
        if free <= 1e-9 * max(self.cash, self.initial) or notional <= 0:
            self.counts["starved"] += 1
            return False
        fill = reference if rested else self.fill_price(bar, a, order.buys, reference, notional, used, limit)
        below, above = (order.stop, order.target) if order.buys else (order.target, order.stop)
        if (below is not None and below >= fill) or (above is not None and above <= fill):
            self.counts["rejected"] += 1
            return False
        self.counts["capped"] += capped
        self.counts["reduced"] += reduced
        amount, fee = notional / fill, notional * fee_rate
        slippage = amount * abs(fill - reference)
        self.cash -= fee
        margin = min(posted * notional, self.cash - sum(one.margin for one in self.held if one))
        self.held[a] = Position(
            side=order.side, amount=amount, entry_price=fill, posted=margin, margin=margin, entry_bar=bar, stop=order.stop,
            target=order.target, trail=order.trail, leaves_at=bar + order.max_bars if order.max_bars else math.inf,
            fees=fee, slippage=slippage, best=fill, trade={"asset": a},
        )  # fmt: skip
        self.history.append(self.held[a].trade)
        self.orders.append((bar, a, "entry", "buy" if order.buys else "sell", amount, fill, fee, slippage))
        return True

    def fill_price(self, bar, a, buys, reference, value, used, limit):
        slip, market = self.slip, self.markets[a]
        if self.costs.depth_slippage:
            paid = None
            if bar > 0:
                book = (market.depth_ask if buys else market.depth_bid)[bar - 1]
                paid = walk(used + value, market.depth_distance, book)
            if paid is None:
                self.counts["bookless"] += 1
            else:
                before = walk(used, market.depth_distance, book)[0] * used if used else 0.0
                slip = min(max(slip, (paid[0] * (used + value) - before) / value), 0.9)
                self.counts["beyond"] += bool(paid[1])
        price = reference * (1 + slip) if buys else reference * (1 - slip)
        if limit is not None:
            price = min(price, limit) if buys else max(price, limit)
        return price

    def leave(self, bar, a, reference, reason):
        held = self.held[a]
        price = self.fill_price(bar, a, not held.is_long, reference, held.amount * reference, 0.0, None)
        self.close(bar, a, price, reason, self.costs.taker_fee_rate, reference)

    def liquidate(self, bar, a):
        self.cash -= self.held[a].margin
        self.end(bar, a, self.held[a].bankrupt, "liquidation", 0.0, 0.0)

    def close(self, bar, a, price, reason, fee_rate, reference=None):
        held = self.held[a]
        fee = held.amount * price * fee_rate
        if held.profit(price) - fee <= -held.margin:
            self.liquidate(bar, a)
            return
        held.fees += fee
        slippage = 0.0 if reference is None else held.amount * abs(price - reference)
        held.slippage += slippage
        self.cash += held.profit(price) - fee
        self.end(bar, a, price, reason, fee, slippage)

    def end(self, bar, a, price, reason, fee, slippage):
        held = self.held[a]
        held.seen.append(price)
        self.orders.append((bar, a, reason, "sell" if held.is_long else "buy", held.amount, price, fee, slippage))
        self.write(held, reason, bar, price, held.profit(price))
        self.held[a], self.ended[a] = None, bar

    def write(self, held, reason, bar, price, profit):
        lowest, highest = min([held.entry_price, *held.seen]), max([held.entry_price, *held.seen])
        fall, rise = 1 - lowest / held.entry_price, highest / held.entry_price - 1
        held.trade |= {
            "entry_bar": held.entry_bar, "exit_bar": bar, "side": held.side, "reason": reason, "amount": held.amount,
            "entry_price": held.entry_price, "exit_price": price, "fees": held.fees, "funding": held.funding,
            "slippage": held.slippage, "pnl": profit - held.fees - held.funding,
            "mae": fall if held.is_long else rise, "mfe": rise if held.is_long else fall,
        }  # fmt: skip

    def close_bar(self, bar):
        profits = [held.profit(market.close[bar]) for held, market in zip(self.held, self.markets, strict=True) if held]
        self.equity.append(self.cash + sum(profits))
        self.positions.append([held.sign if held else 0 for held in self.held])
        if self.equity[-1] <= self.rules.ruin_share * self.initial and not self.ruined:
            self.ruined = True
            self.resting, self.entries = [None] * len(self.held), [None] * len(self.held)
            self.leaves = [False] * len(self.held)
