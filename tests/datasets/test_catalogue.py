"""The catalogue of data sets."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from liqbt import datasets
from liqbt.datasets import DATASETS, SyntheticParams, describe_datasets, load_dataset, simulate
from liqbt.errors import ConfigError


def test_names_and_descriptions() -> None:
    described = describe_datasets()
    assert list(described) == list(DATASETS) == ["synthetic-7d", "synthetic-90d"]
    assert all(f"seed {SyntheticParams().seed}" in text for text in described.values())


def test_load_gives_the_market_of_its_description() -> None:
    market = load_dataset("synthetic-7d")
    assert market.synthetic
    assert market.n_bars == 7 * 288
    np.testing.assert_array_equal(market.close, simulate(SyntheticParams(days=7)).bars["close"].to_numpy())


def test_the_large_one_reports_progress() -> None:
    told: list[float] = []
    market = load_dataset("synthetic-90d", progress=lambda share, _what: told.append(share))
    assert market.n_bars == 90 * 288
    assert market.open_interest is not None
    assert told[-1] == 1.0


def test_unknown_name_suggests_the_closest() -> None:
    with pytest.raises(ConfigError, match=r"'synthetic-9d' is not in the catalogue; did you mean 'synthetic-90?d'"):
        load_dataset("synthetic-9d")
    with pytest.raises(ConfigError, match=r"known: synthetic-7d, synthetic-90d"):
        load_dataset("zzz")


def test_public_names_are_sorted_and_there() -> None:
    assert datasets.__all__ == sorted(datasets.__all__)
    assert all(hasattr(datasets, name) for name in datasets.__all__)


def test_importing_liqbt_does_not_import_datasets() -> None:
    code = "import sys, liqbt; raise SystemExit('liqbt.datasets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
