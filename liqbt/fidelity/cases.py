"""What is compared with what: the matched market, and what is wrong in each of the other cases.

The numbers here were fixed before the seeds of the published study were simulated; docs/fidelity.md says why they are what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from liqbt._time import parse_interval
from liqbt.book.params import BookParams, LeverageMix
from liqbt.datasets import SyntheticParams
from liqbt.errors import ConfigError
from liqbt.margin import GENERIC_TIERS

__all__ = ["EVERY", "MATCHED_CHURN_SHARE", "FidelityCase", "Group", "fidelity_cases", "matched_market", "same_market"]

EVERY: Final = "1h"
"""Cadence of the snapshots that are compared; that of the true map."""

MATCHED_CHURN_SHARE: Final = 0.445
"""`BookParams.churn_share` by its own definition on matched markets: the openings of both sides that are no rise of open interest, over
the volume that does not change open interest. Three markets of 14 days (seeds 1 to 3) gave .446, .443 and .448."""

_ARRIVALS: Final = 20_000.0
_CADENCES: Final = ("5m", "15m", "30m", "1h")

Group: TypeAlias = Literal["matched", "yardstick", "market", "model", "bars", "width"]
Source: TypeAlias = Literal["book", "crowd", "distance"]


@dataclass(frozen=True, kw_only=True)
class FidelityCase:
    """One thing to hold against the truth.

    name: one word. group: what the case is about. differs: from the matched case, half a sentence.
    market: what is simulated; seed and days are set by the study.
    source: what is held against the true map: the `book`; the true map of another `crowd`, `crowd` times as many traders on the
    same path of price, which is the best that a map of expectations can be; or the mean true map by `distance` from the last
    price, which is what is left of a map that knows nothing of this market.
    params: what the book assumes. mix: None for the shares that the traders of the market took in truth.
    interval: of the bars that the book sees, a multiple of the market's. trades: whether it sees the trades, or bars only.
    open_interest: whether it sees open interest. bin_bps: width of the compared price bins, a multiple of `params.bin_bps`.
    chance_days: recorded days of a market on which its probability map is tested; at the matched rate of closing, the entries of nine
    tenths of open interest are seen in two.
    """

    name: str
    group: Group
    differs: str
    market: SyntheticParams
    source: Source = "book"
    crowd: float = 4.0
    params: BookParams = field(default_factory=lambda: BookParams(churn_share=MATCHED_CHURN_SHARE))
    mix: LeverageMix | None = None
    interval: str = "1m"
    trades: bool = True
    open_interest: bool = True
    bin_bps: float = 5.0
    chance_days: int = 4

    def __post_init__(self) -> None:
        if parse_interval(self.interval) % parse_interval(self.market.interval):
            raise ConfigError(f"interval: {self.interval!r} is no multiple of the simulated {self.market.interval}; choose one that is")
        if not self.crowd > 1:
            raise ConfigError(f"crowd: {self.crowd!r} must be above 1, a multiple of the market's arrivals")


def matched_market(arrivals_per_hour: float = _ARRIVALS, **overrides: Any) -> SyntheticParams:
    """Return a market that does what the book assumes, to be misspecified by `overrides`.

    All margin is isolated, nobody adds to it or sets a stop, all close at one rate whatever their leverage, nobody follows a trend or
    hedges, one bracket holds all sizes, liquidations look at the last price, and all volume is leveraged traders coming and going.
    """
    plain: dict[str, Any] = {
        "cross_share": 0.0,
        "stop_share": 0.0,
        "top_up_share": 0.0,
        "momentum_tilt": 0.0,
        "hedged_share": 0.0,
        "holding_exponent": 0.0,
        "maker_churn": 0.0,
        "mark_noise_bps": 0.0,
        "notional_sigma": 0.5,
        "tiers": GENERIC_TIERS,
        "trades": True,
        "truth_every": EVERY,
        "arrivals_per_hour": arrivals_per_hour,
    }
    return SyntheticParams.preset("null", **plain | overrides)


_KNOBS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "cross-margin": ("half of the traders margin with a whole balance", ("cross_share",)),
    "top-ups": ("a tenth of the traders add margin once", ("top_up_share",)),
    "stops": ("a quarter of the traders have a stop loss", ("stop_share",)),
    "hedged": ("seven tenths of open interest are hedged accounts", ("hedged_share",)),
    "momentum": ("traders follow the trend", ("momentum_tilt",)),
    "maker-churn": ("market makers trade one and a half times what others do", ("maker_churn",)),
    "holding": ("the higher the leverage, the sooner it is closed", ("holding_exponent",)),
    "uneven-sizes": ("a few positions are very large", ("notional_sigma",)),
    "brackets": ("sizes as uneven, and large ones need more margin", ("notional_sigma", "tiers")),
    "mark-noise": ("liquidations look at a mark a basis point off", ("mark_noise_bps",)),
}
"""Cases of the market: what differs, and the parameters that get the values of the preset `null` for it."""

_FOLKLORE: Final[Mapping[str, LeverageMix]] = {
    "folklore-mix-a": LeverageMix.of({10.0: 0.35, 25.0: 0.40, 50.0: 0.20, 100.0: 0.05}),
    "folklore-mix-b": LeverageMix.of({3.0: 0.05, 5.0: 0.10, 10.0: 0.25, 20.0: 0.30, 25.0: 0.15, 50.0: 0.10, 100.0: 0.05}),
}
"""Weights that published heatmap code writes down without a source."""


def fidelity_cases(arrivals_per_hour: float = _ARRIVALS) -> tuple[FidelityCase, ...]:
    """Return the matched case, and each misspecification alone and all at once.

    arrivals_per_hour: of the matched market, in which positions are opened at this rate; the sparse market has a twentieth of it.
    """
    matched, rich = matched_market(arrivals_per_hour), SyntheticParams.preset("null")
    everything = SyntheticParams.preset("null", trades=True, truth_every=EVERY, arrivals_per_hour=arrivals_per_hour)
    sparse = matched_market(arrivals_per_hour / 20)

    def book(name: str, differs: str, **changes: Any) -> FidelityCase:
        changed = BookParams(**{"churn_share": MATCHED_CHURN_SHARE} | changes)
        return FidelityCase(name=name, group="model", differs=differs, market=matched, params=changed)

    cases = [
        FidelityCase(name="matched", group="matched", differs="the market does what the book assumes", market=matched),
        FidelityCase(
            name="another-crowd", group="yardstick", differs="true map of four times the traders: the best there is",
            market=matched, source="crowd",
        ),
        FidelityCase(
            name="sparse-crowd", group="yardstick", differs="a twentieth of the traders, true map of twenty times as many",
            market=sparse, source="crowd", crowd=20.0,
        ),
        FidelityCase(
            name="distance-only", group="yardstick", differs="mean true map by distance from price, no reconstruction",
            market=matched, source="distance",
        ),
    ]  # fmt: skip
    for name, (differs, knobs) in _KNOBS.items():
        market = matched_market(arrivals_per_hour, **{knob: getattr(rich, knob) for knob in knobs})
        slow = market.hedged_share > 0  # hedged accounts stay for two weeks
        cases.append(FidelityCase(name=name, group="market", differs=differs, market=market, chance_days=9 if slow else 4))
    cases += [
        FidelityCase(name="sparse", group="market", differs="a twentieth of the traders", market=sparse),
        FidelityCase(name="everything", group="market", differs="all of the above but the sparse market, at once", market=everything),
        FidelityCase(
            name="as-shipped", group="market", differs="the same, and the book has its default parameters and mix",
            market=everything, params=BookParams(), mix=LeverageMix.default(),
        ),
        FidelityCase(
            name="equal-mix", group="model", differs="equal weights, the default", market=matched, mix=LeverageMix.default()
        ),
        *(
            FidelityCase(name=name, group="model", differs="weights of published heatmap code", market=matched, mix=mix)
            for name, mix in _FOLKLORE.items()
        ),
        book("default-churn", "the default churn_share of 0.5", churn_share=BookParams().churn_share),
        book("churn-halved", "positions close at about half the true rate", churn_share=MATCHED_CHURN_SHARE / 2),
        book("churn-doubled", "positions close at about twice the true rate", churn_share=MATCHED_CHURN_SHARE * 2),
        book("hazard-by-distance", "near positions close faster: hazard_exponent 0.25", hazard_exponent=0.25),
        FidelityCase(
            name="no-open-interest", group="model", differs="open interest is taken from volume", market=matched, open_interest=False,
            chance_days=6,
        ),
        FidelityCase(name="bars-1m", group="bars", differs="1m bars instead of trades", market=matched, trades=False),
    ]  # fmt: skip
    for interval in _CADENCES:
        for trades, what in ((True, "trades in"), (False, "only")):
            name = f"{'trades' if trades else 'bars'}-{interval}"
            cases.append(
                FidelityCase(name=name, group="bars", differs=f"{what} {interval} bars", market=matched, interval=interval, trades=trades)
            )
    for width in (10.0, 20.0):
        cases.append(
            FidelityCase(name=f"bins-{width:g}bps", group="width", differs=f"price bins of {width:g} bps", market=matched, bin_bps=width)
        )
    return tuple(cases)


def same_market(cases: Sequence[FidelityCase]) -> list[list[FidelityCase]]:
    """Return the cases in lists that share a market, in order of first mention."""
    groups: list[list[FidelityCase]] = []
    for case in cases:
        group = next((one for one in groups if one[0].market == case.market), None)
        if group is None:
            groups.append([case])
        else:
            group.append(case)
    return groups
