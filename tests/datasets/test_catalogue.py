"""The catalogue of data sets."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from liqbt import datasets
from liqbt.datasets import DATASETS, SyntheticParams, describe_datasets, load_dataset, simulate
from liqbt.errors import ConfigError

NAMES = ["synthetic-7d", "synthetic-90d", *(f"synthetic-{one}-30d" for one in ("null", "gravity", "cascade", "reversal"))]


def test_names_and_descriptions():
    described = describe_datasets()
    assert list(described) == list(DATASETS) == NAMES
    assert all(f"seed {SyntheticParams().seed}" in text for text in described.values())
    assert [name for name, text in described.items() if "no signal has an edge" in text] == NAMES[:3]


def test_load_gives_the_market_of_its_description():
    market = load_dataset("synthetic-7d")
    assert market.synthetic
    assert market.n_bars == 7 * 288
    assert market.findings == ()
    np.testing.assert_array_equal(market.close, simulate(SyntheticParams(days=7)).bars["close"].to_numpy())


def test_the_large_one_reports_progress():
    told: list[float] = []
    market = load_dataset("synthetic-90d", progress=lambda share, _what: told.append(share))
    assert market.n_bars == 90 * 288
    assert market.open_interest is not None
    assert told[-1] == 1.0


@pytest.mark.parametrize(
    ("name", "effect"), [("gravity", "gravity_bps_per_hour 40"), ("cascade", "cascade 2"), ("reversal", "reversal_bps 60")]
)
def test_markets_with_an_effect_say_so(name, effect):
    market = load_dataset(f"synthetic-{name}-30d")
    assert market.n_bars == 30 * 1440
    (finding,) = market.findings
    assert (finding.code, finding.severity) == ("synthetic_effect", "note")
    assert effect in finding.message


def test_unknown_name_suggests_the_closest():
    with pytest.raises(ConfigError, match=r"'synthetic-9d' is not in the catalogue; did you mean 'synthetic-90?d'"):
        load_dataset("synthetic-9d")
    with pytest.raises(ConfigError, match=r"known: .*synthetic-7d, synthetic-90d"):
        load_dataset("zzz")


def test_public_names_are_there():
    assert len(set(datasets.__all__)) == len(datasets.__all__)
    assert all(hasattr(datasets, name) for name in datasets.__all__)


def test_importing_liqbt_does_not_import_datasets():
    code = "import sys, liqbt; raise SystemExit('liqbt.datasets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
