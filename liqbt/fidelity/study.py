"""fidelity_study(): every case on every seed, in as many processes as there are workers, with the same result for any number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pandas as pd

from liqbt._typing import Progress
from liqbt.errors import ConfigError, did_you_mean
from liqbt.fidelity.cases import FidelityCase, fidelity_cases, same_market
from liqbt.fidelity.chance import CaseChance, ChanceSettings, case_chance, run_chance
from liqbt.fidelity.trial import run_trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["MEASURES", "FidelityStudy", "fidelity_study"]

MEASURES: Final = ("rank_correlation", "precision", "recall", "earth_mover_bps")
"""Columns of `compare_maps` that are averaged over snapshots and sides."""

_BANDS: Final = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)

_Job: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True, eq=False)
class FidelityStudy:
    """How well reconstructed maps agree with true ones, by case and seed.

    cases: what was compared. seeds, days: of the simulated markets. min_explained_share: share of open interest whose entry must
    have been seen before a snapshot counts.
    snapshots: one row a case, seed, snapshot and side, the columns of `compare_maps` with case, seed and explained_share before them;
    those before `min_explained_share` too.
    chances: calibration of the probability map by case and measure of size; empty where it was left out.
    """

    cases: tuple[FidelityCase, ...]
    seeds: tuple[int, ...]
    days: int
    min_explained_share: float
    snapshots: pd.DataFrame
    chances: tuple[CaseChance, ...]

    @property
    def counted(self) -> pd.DataFrame:
        """The rows of `snapshots` that count."""
        return self.snapshots[self.snapshots["explained_share"] >= self.min_explained_share]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a case and seed: how many maps of a side were compared, and the means of `MEASURES` over them."""
        return self._means(self.counted)

    def summary(self) -> pd.DataFrame:
        """Return one row a case, indexed by it: group, differs, seeds, and of each of `MEASURES` the mean, least and greatest over seeds.

        With a probability map also the distance of its reliability curve from the diagonal, mean and worst, of zones by share.
        """
        grouped = self.to_frame().groupby("case", sort=False)[list(MEASURES)]
        frame = grouped.mean().join(grouped.min().add_suffix("_min")).join(grouped.max().add_suffix("_max"))
        about = pd.DataFrame([(one.name, one.group, one.differs) for one in self.cases], columns=["case", "group", "differs"])
        frame = about.set_index("case").join(frame)
        shares = {one.case: one for one in self.chances if one.measure == "share"}
        if shares:
            frame["chance_error"] = pd.Series({name: one.curve.error for name, one in shares.items()})
            frame["chance_worst"] = pd.Series({name: one.curve.worst for name, one in shares.items()})
        return frame

    def warm_up(self, case: str = "matched") -> pd.DataFrame:
        """Return the means of `MEASURES` by how much of open interest was explained, one row a band, indexed by its lower end.

        Raises ConfigError for a case that was not compared.
        """
        known = [one.name for one in self.cases]
        if case not in known:
            raise ConfigError(f"case: {case!r} was not compared{did_you_mean(case, known)}")
        rows = self.snapshots[self.snapshots["case"] == case]
        place = np.clip(np.searchsorted(_BANDS, rows["explained_share"], side="right") - 1, 0, len(_BANDS) - 2)
        band = pd.Series(np.array(_BANDS)[place], index=rows.index, name="explained_from")
        grouped = rows.groupby(band)
        return grouped[list(MEASURES)].mean().assign(maps=grouped.size())

    def chance_frame(self) -> pd.DataFrame:
        """Return one row a case and measure of size: markets, and mean and worst distance of the reliability curve from the diagonal."""
        rows = [(one.case, one.measure, one.markets, one.curve.error, one.curve.worst) for one in self.chances]
        return pd.DataFrame(rows, columns=["case", "measure", "markets", "error", "worst"])

    def figure(self) -> go.Figure:
        """Return an interactive figure: a dot a seed for each case, by measure."""
        from liqbt.fidelity.figures import study_figure

        return study_figure(self)

    def _means(self, rows: pd.DataFrame) -> pd.DataFrame:
        grouped = rows.groupby(["case", "seed"], sort=False)
        frame = grouped[list(MEASURES)].mean()
        frame.insert(0, "maps", grouped["rank_correlation"].count())
        order = pd.MultiIndex.from_product([[one.name for one in self.cases], self.seeds], names=["case", "seed"])
        return frame.reindex(order).reset_index().fillna({"maps": 0}).astype({"maps": int})

    def __repr__(self) -> str:
        return f"FidelityStudy({len(self.cases)} cases, seeds {', '.join(map(str, self.seeds))}, {self.days} days)"


def fidelity_study(
    cases: Sequence[FidelityCase] | None = None,
    *,
    seeds: Sequence[int] = (101, 102, 103, 104, 105),
    days: int = 14,
    chance: ChanceSettings | None = None,
    min_explained_share: float = 0.9,
    workers: int = 1,
    progress: Progress | None = None,
) -> FidelityStudy:
    """Simulate the market of each case on each seed, reconstruct it, and hold the map against the true one.

    cases: None for `fidelity_cases()`. days: recorded, of each market. chance: how the probability map is tested; None for
    `ChanceSettings()`, of which `markets=0` leaves it out. min_explained_share: share of open interest whose entry must have been
    seen before a snapshot counts; nine tenths, a convention; a case in which none does has NaN for results. workers: processes; the
    result is the same for any number. A script that asks for several guards its start with `if __name__ == "__main__"`. With the
    matched number of traders and 14 days, each takes up to 3 GB, for every trade is kept while its market lasts.

    Raises ConfigError for cases of the same name, for no case or seed, and where no snapshot of any case counts.
    """
    chosen = tuple(fidelity_cases() if cases is None else cases)
    settings = chance or ChanceSettings()
    _check(chosen, seeds, days, min_explained_share, workers)
    groups = same_market(chosen)
    trials: list[_Job] = [(run_trial, (group, replace(group[0].market, seed=seed, days=days))) for group in groups for seed in seeds]
    chances: list[_Job] = [
        (run_chance, (wanted, number, settings, min_explained_share))
        for group in groups
        for number in range(max(settings.of(one) for one in group))
        if (wanted := [one for one in group if number < settings.of(one)])
    ]
    frames: list[pd.DataFrame] = []
    sums: dict[tuple[str, str], list[Any]] = {}
    for done, result in enumerate(_results([*trials, *chances], workers), start=1):
        if isinstance(result, pd.DataFrame):
            frames.append(result)
        else:
            for key, value in result.items():
                sums.setdefault(key, []).append(value)
        if progress is not None:
            progress(done / (len(trials) + len(chances)), "markets" if done < len(trials) else "probability maps")
    place = {one.name: at for at, one in enumerate(chosen)}
    study = FidelityStudy(
        cases=chosen,
        seeds=tuple(seeds),
        days=days,
        min_explained_share=min_explained_share,
        snapshots=pd.concat(frames).sort_values("case", key=lambda names: names.map(place), kind="stable", ignore_index=True),
        chances=tuple(case_chance(*key, sums[key]) for key in sorted(sums, key=lambda key: place[key[0]]) if sum(sums[key])[0].any()),
    )
    if study.counted.empty:
        raise ConfigError(
            f"days: in {days} days no snapshot has {min_explained_share:g} of its open interest explained; "
            "take more days or a lower min_explained_share"
        )
    return study


def _check(cases: Sequence[FidelityCase], seeds: Sequence[int], days: int, min_explained_share: float, workers: int) -> None:
    names = [one.name for one in cases]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ConfigError(f"cases: two are called {twice[0]!r}; results are told apart by name")
    if not names or not seeds:
        raise ConfigError("cases and seeds: give at least one of each")
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"seeds: {tuple(seeds)} has one twice; the same market twice is no second one")
    if days < 1 or workers < 1:
        raise ConfigError(f"days and workers: {days!r} and {workers!r} must be at least 1")
    if not 0 <= min_explained_share < 1:
        raise ConfigError(f"min_explained_share: {min_explained_share!r} must be a share of at least 0 and below 1")


def _results(jobs: Sequence[_Job], workers: int) -> Iterator[Any]:
    """Yield the results of jobs in their order."""
    if workers == 1 or len(jobs) == 1:
        yield from (function(*given) for function, given in jobs)
        return
    # spawned, not forked: polars and numba have threads by now
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(function, *given) for function, given in jobs]
        try:
            for future in futures:
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
