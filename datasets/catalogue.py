"""Data sets by name, for the demo, the tests and anyone who wants to try liqbt before importing a recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from liqbt._typing import Progress
from liqbt.errors import ConfigError, did_you_mean
from liqbt.market import MarketFrame

from .params import SyntheticParams
from .presets import PRESETS
from .synthetic import simulate

__all__ = ["DATASETS", "Dataset", "describe_datasets", "load_dataset"]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set. description: one sentence. factory: makes it; takes a progress callback or None."""

    description: str
    factory: Callable[[Progress | None], MarketFrame]


def _synthetic(params: SyntheticParams, progress: Progress | None) -> MarketFrame:
    return simulate(params, progress=progress).to_market()


def _entry(params: SyntheticParams, effect: str) -> Dataset:
    return Dataset(
        description=(
            f"synthetic perpetual, {params.days} days of {params.interval} bars from {params.start}, seed {params.seed}; {effect}"
        ),
        factory=partial(_synthetic, params),
    )


DATASETS: Final[Mapping[str, Dataset]] = MappingProxyType(
    {
        "synthetic-7d": _entry(SyntheticParams(days=7), PRESETS["null"].effect),
        "synthetic-90d": _entry(SyntheticParams(), PRESETS["null"].effect),
    }
    | {f"synthetic-{name}-30d": _entry(SyntheticParams.preset(name), preset.effect) for name, preset in PRESETS.items()}
)
"""The data sets by name. Their truth is in `simulate(SyntheticParams(...))`, or of the preset in the name, with the days and seed of
the description."""


def load_dataset(name: str, *, progress: Progress | None = None) -> MarketFrame:
    """Return the data set of that name; synthetic ones are simulated anew, to the same bytes each time.

    Raises ConfigError with the closest name for one that is not in the catalogue.
    """
    if name not in DATASETS:
        raise ConfigError(f"dataset: {name!r} is not in the catalogue{did_you_mean(name, DATASETS)}")
    return DATASETS[name].factory(progress)


def describe_datasets() -> dict[str, str]:
    """Return the description of each data set by name."""
    return {name: one.description for name, one in DATASETS.items()}
