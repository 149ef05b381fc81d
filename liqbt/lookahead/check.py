"""check_lookahead(): ask again without the future, with another one, and with the same."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from liqbt._time import format_ns
from liqbt._typing import Progress
from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.reconstruct import reconstruct
from liqbt.errors import ConfigError
from liqbt.features import FeatureParams, build_features
from liqbt.lookahead.cuts import deep_cuts, quick_cuts
from liqbt.lookahead.report import AHEAD, FAILS, UNSTEADY, Fault, FaultKind, LookaheadReport
from liqbt.market import MarketFrame
from liqbt.market.futures import cut_off, other_future
from liqbt.signals import Signals
from liqbt.strategy import Strategy, ask_signals, load_strategy

__all__ = ["check_lookahead"]

SPAN: Final = 32_768  # bars of history that a quick question gives at least, and at most twice as many


def check_lookahead(
    strategy: Strategy,
    market: MarketFrame,
    *,
    mix: LeverageMix | None = None,
    book: BookParams | None = None,
    features: FeatureParams | None = None,
    cuts: int | Sequence[int] = 8,
    strategy_cuts: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> LookaheadReport:
    """Return whether a strategy says the same of each bar when the bars after it are taken away, and when others come instead.

    mix, book, features: what its features are made with, as `reconstruct` and `build_features` take it.
    cuts: after which bars the future is cut off, and then replaced by another, and everything made again: book, features, signals.
    A number chooses so many, half of them where it enters.
    strategy_cuts: after how many more bars market and features are cut off and only the strategy is asked again. Half of them have an
    entry, a quarter an exit: a strategy of which one entry in a hundred peeks escapes 500 cuts at entries seven times in a thousand. Both
    numbers are a compromise with patience. Markets of more than 65,536 bars are then shown in stretches of at least 32,768.
    seed: of the choice of bars, and of the other futures.

    All columns of `Signals` must be equal to the last bit. First of all the strategy is asked twice about the same data, and a fresh one
    after it was asked about half of them, for what remembers could hide what it sees.

    Raises ConfigError for cuts that are not bars before the last, where the strategy fails on the market as it is, and what
    `reconstruct` and `build_features` raise.
    """
    rng = np.random.default_rng(seed)
    file = Path(inspect.getfile(type(strategy)))
    name = file.stem if _has_own_file(strategy) else type(strategy).__name__
    told = progress or (lambda _share, _what: None)
    told(0.0, f"{name}: signals")
    table = build_features(reconstruct(market, mix, book), features)
    said = _ask(strategy, market, table)
    check = _Check(strategy=strategy, market=market, features=table, said=said)
    deep = deep_cuts(cuts, said, table, rng)
    quick = quick_cuts(strategy_cuts, said, rng)

    def found() -> Iterator[Fault | None]:
        yield check.again()
        for done, last in enumerate(deep):
            told(0.05 + 0.55 * done / len(deep), f"{name}: without what came after {check.close_of(last)}")
            yield check.without_future(last, mix, book, features)
            yield check.with_another(last, mix, book, features, rng)
        for done, last in enumerate(quick):
            if done % 50 == 0:
                told(0.6 + 0.4 * done / len(quick), f"{name}: signals without what came after, {done} of {len(quick)}")
            yield check.signals_alone(last)
        yield check.failure()

    fault = next((one for one in found() if one is not None), None)
    silent = () if said.entry.any() or said.exit.any() else ("it wants nothing on this market, so there was nothing to compare",)
    notes = (*silent, *check.notes)
    return LookaheadReport(strategy=name, file=str(file), cuts=tuple(deep), strategy_cuts=len(quick), fault=fault, notes=notes)


@dataclass(kw_only=True, eq=False)
class _Check:
    """A strategy, what it said of the whole market, and where it could not be asked.

    shortest: last bar of the shortest data that it did not fail on. failures: errors by the last bar of the data. bases: what it said of
    each stretch of a long market, by the stretch's first bar.
    """

    strategy: Strategy
    market: MarketFrame
    features: pd.DataFrame
    said: Signals
    shortest: int | None = None
    failures: dict[int, str] = dataclasses.field(default_factory=dict)
    bases: dict[int, Signals] = dataclasses.field(default_factory=dict)

    def again(self) -> Fault | None:
        """Ask twice about the same data, and a fresh strategy after it was asked about half of them."""
        given = "when it is asked again"
        fresh, half = _afresh(self.strategy), max(1, self.market.n_bars // 2)
        try:
            fault = self.compare(self.said, _ask(self.strategy, self.market, self.features), UNSTEADY, given)
            if fault is not None:
                return fault
            given = "when it was asked about the first half of the data before"
            try:
                _ask(fresh, cut_off(self.market, half), self.features.iloc[:half])
            except ConfigError:
                return None  # too little for it, or it reads ahead: the cuts will tell
            return self.compare(self.said, _ask(fresh, self.market, self.features), UNSTEADY, given)
        except ConfigError as error:
            return self.fault(UNSTEADY, given, 0, "entry", int(self.said.entry[0]), str(error))

    def without_future(self, last: int, *made_with: Any) -> Fault | None:
        """Make everything again from the bars up to `last`."""
        market = cut_off(self.market, last + 1)
        given = f"with everything cut off after {self.close_of(last)}"
        return self.after_cut(last, market, self.made_again(last, market, given, made_with), self.said, given)

    def with_another(self, last: int, *made_with: Any) -> Fault | None:
        """Make everything again with another future after `last`, of at most as many bars as were before."""
        *settings, rng = made_with
        ahead = cut_off(self.market, min(self.market.n_bars, 2 * (last + 1)))
        market = other_future(ahead, last + 1, rng)
        given = f"with another future after {self.close_of(last)}"
        features = self.made_again(last, market, given, settings)
        try:
            signals = _ask(self.strategy, market, features)
        except ConfigError:
            return None  # what it cannot stand in that future is no matter
        return self.compare(self.said, signals, AHEAD, given, last + 1)

    def signals_alone(self, last: int) -> Fault | None:
        """Ask about market and features that end with bar `last`; of a long market, about the stretch before it."""
        start = max(0, (last // SPAN - 1) * SPAN)
        if start not in self.bases:
            end = min(self.market.n_bars, start + 2 * SPAN)
            whole = end - start == self.market.n_bars
            part = cut_off(self.market, end, start=start)
            self.bases[start] = self.said if whole else _ask(self.strategy, part, self.features.iloc[start:end])
        market = cut_off(self.market, last + 1, start=start)
        given = f"with everything cut off after {self.close_of(last)}"
        return self.after_cut(last, market, self.features.iloc[start : last + 1], self.bases[start], given, start)

    def made_again(self, last: int, market: MarketFrame, given: str, made_with: Sequence[Any]) -> pd.DataFrame:
        """Return the features of a changed market; they may not have changed up to `last`."""
        mix, book, params = made_with
        features = build_features(reconstruct(market, mix, book), params)
        if not features.iloc[: last + 1].equals(self.features.iloc[: last + 1]):
            raise RuntimeError(f"features {given} are others before it too; please report this defect")
        return features

    def after_cut(self, last: int, market: MarketFrame, features: pd.DataFrame, base: Signals, given: str, start: int = 0) -> Fault | None:
        """Ask about data that end with bar `last` and compare with `base`, which begins with the same bar `start`."""
        try:
            signals = _ask(self.strategy, market, features)
        except ConfigError as error:
            self.failures[last] = str(error)
            return None
        self.shortest = last if self.shortest is None else min(self.shortest, last)
        return self.compare(base, signals, AHEAD, given, market.n_bars, start)

    def compare(
        self, base: Signals, signals: Signals, kind: FaultKind, given: str, rows: int | None = None, start: int = 0
    ) -> Fault | None:
        """Return the first of the first `rows` bars, which begin with bar `start`, of which the two say something else."""
        found: tuple[int, str, Any, Any] | None = None
        for column, value in vars(base).items():
            if not isinstance(value, np.ndarray):
                continue
            one, other = value[:rows], getattr(signals, column)[:rows]
            differs = (one != other) & ((one == one) | (other == other))  # noqa: PLR0124 - NaN is not itself
            bar = int(differs.argmax())
            if differs[bar] and (found is None or bar < found[0]):
                found = (bar, column, one[bar].item(), other[bar].item())
        return None if found is None else self.fault(kind, given, start + found[0], *found[1:])

    def failure(self) -> Fault | None:
        """Return the failure that no shortness explains: on data that end later than others on which it did not fail."""
        late = [last for last in self.failures if self.shortest is None or last > self.shortest]
        if not late:
            return None
        last = max(late)
        return self.fault(FAILS, f"with everything cut off after {self.close_of(last)}", last, "", None, self.failures[last])

    def fault(self, kind: FaultKind, given: str, bar: int, column: str, value: Any, other: Any) -> Fault:
        """Return what was found of a bar."""
        time = format_ns(self.market.timestamp[bar])
        return Fault(kind=kind, given=given, bar=bar, time=time, column=column, value=value, other=other)

    def close_of(self, bar: int) -> str:
        """Return when a bar closes, UTC."""
        return format_ns(self.market.timestamp[bar] + self.market.interval_ns)

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be checked."""
        if not self.failures:
            return ()
        return (f"it fails on data that end with {self.close_of(max(self.failures))} or before, and was not checked there",)


def _ask(strategy: Strategy, market: MarketFrame, features: pd.DataFrame) -> Signals:
    """Return the signals; raises ConfigError where the strategy fails, or gives those of another market."""
    signals = ask_signals(strategy, market, features)
    if signals.entry.size != market.n_bars:
        where = inspect.getfile(type(strategy))
        raise ConfigError(
            f"{where}: signals() gave {signals.entry.size} bars for a market of {market.n_bars}; make them by Signals.of(market)"
        )
    return signals


def _has_own_file(strategy: Strategy) -> bool:
    """Whether the strategy's class was made by `load_strategy`."""
    return type(strategy).__module__.startswith("liqbt_strategy_")


def _afresh(strategy: Strategy) -> Strategy:
    """Return an equal strategy that remembers nothing, as far as its file can be loaded again."""
    if not _has_own_file(strategy):
        return copy.deepcopy(strategy)
    home = type(strategy).__module__
    module = sys.modules[home]
    fields = dataclasses.fields(strategy)  # type: ignore[arg-type]  # load_strategy takes nothing but dataclasses
    parameters = {field.name: getattr(strategy, field.name) for field in fields if field.init}
    try:
        return load_strategy(inspect.getfile(type(strategy)), **parameters)
    finally:
        sys.modules[home] = module  # where pickle looks for the class of the strategy that was given
