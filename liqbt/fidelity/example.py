"""One market twice, for a picture: the map that was reconstructed, and the true one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from liqbt.datasets import simulate
from liqbt.fidelity.cases import EVERY, FidelityCase
from liqbt.fidelity.recording import Recordings, reconstruction, true_mix
from liqbt.fidelity.trial import true_heatmap
from liqbt.heatmap import Heatmap
from liqbt.market import MarketFrame

__all__ = ["TrueAndReconstructed", "true_and_reconstructed"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrueAndReconstructed:
    """The map of a case and the true map, on the same snapshots and price bins, and the market as the book saw it."""

    case: FidelityCase
    market: MarketFrame
    reconstructed: Heatmap
    true: Heatmap


def true_and_reconstructed(case: FidelityCase, *, seed: int, days: int) -> TrueAndReconstructed:
    """Return both maps of the market of a case on one seed, hourly."""
    synthetic = simulate(replace(case.market, seed=seed, days=days))
    recordings = Recordings(synthetic)
    heat = reconstruction(case, recordings, true_mix(synthetic)).heatmap(EVERY, bin_bps=case.bin_bps)
    return TrueAndReconstructed(case=case, market=recordings.of(case), reconstructed=heat, true=true_heatmap(heat, synthetic))
