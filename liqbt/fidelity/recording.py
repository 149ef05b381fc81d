"""One simulated market as the book of each case gets to see it."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from liqbt.book.params import LeverageMix
from liqbt.book.reconstruct import Reconstruction, reconstruct
from liqbt.data.aggregate import resample_bars
from liqbt.datasets import SyntheticMarket
from liqbt.fidelity.cases import FidelityCase
from liqbt.market import MarketFrame

__all__ = ["Recordings", "reconstruction", "true_mix"]


class Recordings:
    """The MarketFrames of one simulated market by length of bar, each made once."""

    def __init__(self, synthetic: SyntheticMarket) -> None:
        self._synthetic = synthetic
        self._frames: dict[str, MarketFrame] = {}

    def of(self, case: FidelityCase) -> MarketFrame:
        """Return the market as the book of a case sees it."""
        if case.interval not in self._frames:
            self._frames[case.interval] = self._frame(case.interval)
        frame = self._frames[case.interval]
        return replace(
            frame,
            volume_profile=frame.volume_profile if case.trades else None,
            open_interest=frame.open_interest if case.open_interest else None,
        )

    def _frame(self, interval: str) -> MarketFrame:
        synthetic, own = self._synthetic, self._synthetic.params.interval

        def longer(table: pl.DataFrame) -> pl.DataFrame:
            return table if interval == own else resample_bars(table, interval, source_interval=own).rows

        return MarketFrame.from_frames(
            bars=longer(synthetic.bars),
            mark=longer(synthetic.mark),
            open_interest=synthetic.open_interest,
            trades=synthetic.trades,
            venue="synthetic",
            symbol="SYNUSDT",
            interval=interval,
            seed=synthetic.params.seed,
        )


def true_mix(synthetic: SyntheticMarket) -> LeverageMix:
    """Return the shares of what was opened by leverage, in truth."""
    truth = synthetic.truth
    return LeverageMix.of(dict(zip(truth.leverages.tolist(), truth.effective_mix.tolist(), strict=True)))


def reconstruction(case: FidelityCase, recordings: Recordings, mix: LeverageMix) -> Reconstruction:
    """Return the book of a case; `mix` is what traders took in truth, for a case that assumes no other."""
    return reconstruct(recordings.of(case), case.mix or mix, case.params)
