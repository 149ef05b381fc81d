"""Is the probability map calibrated? Markets whose leverage mix is drawn from what the ensemble is drawn from.

A probability map says in which share of an ensemble of leverage mixes a zone is great. Where the true mix is one more draw of the
same kind, and the book is otherwise right, zones that are great in a share p of the ensemble are truly great in a share p of the
markets. That is a statement about many markets: within one there is one true mix, and all zones are right or wrong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from liqbt._typing import Float64Array1D, Float64Array2D
from liqbt.book.params import LeverageMix
from liqbt.datasets import SyntheticMarket, SyntheticParams, simulate
from liqbt.errors import ConfigError
from liqbt.fidelity.cases import FidelityCase
from liqbt.fidelity.measures import Reliability
from liqbt.fidelity.recording import Recordings, reconstruction
from liqbt.heatmap import LeverageHeat, ZoneSize, dirichlet_mixes, probability_map
from liqbt.heatmap.axes import MapAxes, side_windows
from liqbt.maps import leverage_heat

__all__ = ["CaseChance", "ChanceSettings", "case_chance", "chance_market", "run_chance"]

_BINS: Final = 10


def _sizes() -> tuple[ZoneSize, ...]:
    shares = (ZoneSize(measure="share", size=size) for size in (0.02, 0.04, 0.08))
    multiples = (ZoneSize(measure="times_median", size=size) for size in (2.0, 4.0))
    amounts = (ZoneSize(measure="notional", size=size) for size in (2e6, 5e6, 1e7))
    return (*shares, *multiples, *amounts)


@dataclass(frozen=True, kw_only=True)
class ChanceSettings:
    """How the probability map is held against the truth. Conventions, fixed before the published study.

    markets: of the matched case; 0 leaves the probability map out. markets_elsewhere: of each other case, at most as many.
    concentration: of the Dirichlet distribution around the market's usual mix, from which each true mix and each ensemble is drawn; see
    `dirichlet_mixes`. n_mixes: of an ensemble. sizes: of zones that are asked for. every: cadence of snapshots.
    warmup_days: simulated before the recording. first_seed: of the first market, the others follow.
    """

    markets: int = 100
    markets_elsewhere: int = 12
    concentration: float = 20.0
    n_mixes: int = 200
    sizes: tuple[ZoneSize, ...] = _sizes()
    every: str = "4h"
    warmup_days: int = 5
    first_seed: int = 10_001

    def __post_init__(self) -> None:
        for name, least in (("markets", 0), ("markets_elsewhere", 0), ("n_mixes", 1), ("warmup_days", 1)):
            value = getattr(self, name)
            if value < least:
                raise ConfigError(f"{name}: {value!r} must be at least {least}")
        if not self.sizes:
            raise ConfigError("sizes: there are none; give at least one ZoneSize")

    def of(self, case: FidelityCase) -> int:
        """Return how many markets a case is given."""
        if case.source != "book" or case.group == "width":
            return 0
        return self.markets if case.group == "matched" else min(self.markets, self.markets_elsewhere)


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseChance:
    """Calibration of the probability map in one case, over all sizes of one measure.

    case: its name. measure: of `ZoneSize`. markets: how many there were. curve: what was said against what was.
    noise: standard error of the distance from the diagonal in each bin of the curve, shape (n_bins,), by leaving out one market after
    the other; NaN for a single market.
    """

    case: str
    measure: str
    markets: int
    curve: Reliability
    noise: Float64Array1D


def chance_market(market: SyntheticParams, number: int, days: int, settings: ChanceSettings) -> SyntheticParams:
    """Return market `number`, from 0, of those that are like `market`: another seed, and a leverage mix that is drawn."""
    seed = settings.first_seed + number
    usual = market.leverage_mix
    drawn = dirichlet_mixes(list(usual.values()), concentration=settings.concentration, n_mixes=1, seed=np.random.default_rng([seed, 0]))[0]
    mix = dict(zip(usual, (drawn / drawn.sum()).tolist(), strict=True))
    return replace(market, seed=seed, days=days, warmup_days=settings.warmup_days, leverage_mix=mix, truth_every=settings.every)


def run_chance(
    cases: Sequence[FidelityCase], number: int, settings: ChanceSettings, min_explained_share: float
) -> dict[tuple[str, str], Float64Array2D]:
    """Return, by case and measure of size, what the probability maps of one market said and what was.

    cases: all of one market. Values have shape (3, 10), by tenth of what was said: how often, the sum of probabilities, and how often
    it was so. Each bin within reach of the last price counts once a snapshot, side and size.
    """
    usual = cases[0].market
    market = chance_market(usual, number, max(case.chance_days for case in cases), settings)
    synthetic = simulate(market)
    recordings = Recordings(synthetic)
    believed = LeverageMix.of(usual.leverage_mix)
    found: dict[tuple[str, str], Float64Array2D] = {}
    for case in cases:
        book = reconstruction(case, recordings, believed)
        ensemble = dirichlet_mixes(
            book.mix.weights, concentration=settings.concentration, n_mixes=settings.n_mixes, seed=np.random.default_rng([market.seed, 1])
        )
        parts = list(leverage_heat(book, settings.every))
        for size in settings.sizes:
            sums = found.setdefault((case.name, size.measure), np.zeros((3, _BINS)))
            _add(sums, parts, ensemble, size, synthetic, min_explained_share)
    return found


def case_chance(case: str, measure: str, sums: Sequence[Float64Array2D]) -> CaseChance:
    """Return the calibration of a case from what `run_chance` found in each market."""
    every = np.stack(sums)
    total = every.sum(axis=0)
    said = total[0] > 0
    count, predicted, observed = total[:, said]
    curve = Reliability(predicted=predicted / count, observed=observed / count, count=count.astype(np.int64))
    return CaseChance(case=case, measure=measure, markets=len(sums), curve=curve, noise=_jackknife(every[:, :, said]))


def _jackknife(every: Float64Array2D) -> Float64Array1D:
    """Return the standard error of the distance from the diagonal; every: shape (n_markets, 3, n_bins)."""
    markets = len(every)
    left = every.sum(axis=0) - every
    with np.errstate(divide="ignore", invalid="ignore"):
        away = (left[:, 2] - left[:, 1]) / left[:, 0]
    if markets < 2:
        return np.full(every.shape[2], np.nan)
    return np.asarray(np.sqrt((markets - 1) / markets * ((away - away.mean(axis=0)) ** 2).sum(axis=0)))


def _add(
    sums: Float64Array2D,
    parts: Sequence[LeverageHeat],
    ensemble: Float64Array2D,
    size: ZoneSize,
    synthetic: SyntheticMarket,
    min_explained_share: float,
) -> None:
    """Add what was said of zones of one size, and what was."""
    chance = probability_map(parts, ensemble, size)
    axes = MapAxes(**chance.axes)
    truth = synthetic.truth.heat.intensity(axes.price_edges, axes.timestamp)
    # one leverage with all the weight: the zones of the true map, found by the same code
    whole = LeverageHeat(**axes.axes, leverage=(2.0,), intensity=np.ascontiguousarray(truth[:, :, None]))
    came = probability_map(whole, np.ones((1, 1)), size).probability
    windows = side_windows(axes, size.reach)
    for row in np.flatnonzero(axes.explained_share >= min_explained_share):
        for side, (first, last) in enumerate(windows[row]):
            said, so = chance.probability[row, side, first:last], came[row, side, first:last]
            place = np.minimum((said * _BINS).astype(np.int64), _BINS - 1)
            for line, weights in enumerate((np.ones(said.size), said, so)):
                sums[line] += np.bincount(place, weights=weights, minlength=_BINS)
