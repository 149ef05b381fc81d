"""The cases of the fidelity study: what each differs in, and nothing else."""

from dataclasses import fields, replace

import numpy as np
import pytest

from liqbt.book.params import BookParams, LeverageMix
from liqbt.datasets import SyntheticParams, simulate
from liqbt.errors import ConfigError
from liqbt.fidelity import MATCHED_CHURN_SHARE, fidelity_cases, matched_market
from liqbt.fidelity.cases import same_market

CASES = {one.name: one for one in fidelity_cases()}
RICH = SyntheticParams.preset("null")
KNOBS = {
    "cross-margin": {"cross_share"},
    "top-ups": {"top_up_share"},
    "stops": {"stop_share"},
    "hedged": {"hedged_share"},
    "momentum": {"momentum_tilt"},
    "maker-churn": {"maker_churn"},
    "holding": {"holding_exponent"},
    "uneven-sizes": {"notional_sigma"},
    "brackets": {"notional_sigma", "tiers"},
    "mark-noise": {"mark_noise_bps"},
}


def differing(one, other):
    return {field.name for field in fields(one) if getattr(one, field.name) != getattr(other, field.name)}


def test_names_are_unique_and_every_case_says_what_differs():
    cases = fidelity_cases()
    assert len(CASES) == len(cases)
    assert all(one.differs for one in cases)
    assert cases[0].name == "matched"


@pytest.mark.parametrize("name", KNOBS)
def test_a_misspecified_market_has_one_thing_of_the_rich_one(name):
    case, matched = CASES[name], CASES["matched"]
    assert differing(case.market, matched.market) == KNOBS[name]
    assert all(getattr(case.market, knob) == getattr(RICH, knob) for knob in KNOBS[name])
    assert differing(case, matched) <= {"name", "group", "differs", "market", "chance_days"}


def test_everything_at_once_is_the_rich_market():
    assert differing(CASES["everything"].market, RICH) == {"trades", "truth_every", "arrivals_per_hour"} - (
        {"truth_every"} if RICH.truth_every == "1h" else set()
    )
    assert set.union(*KNOBS.values()) <= differing(CASES["everything"].market, CASES["matched"].market)
    shipped = CASES["as-shipped"]
    assert (shipped.market, shipped.params, shipped.mix) == (CASES["everything"].market, BookParams(), LeverageMix.default())


def test_other_cases_share_the_matched_market():
    groups = {tuple(one.name for one in group) for group in same_market(fidelity_cases())}
    assert sum(map(len, groups)) == len(CASES)
    (matched,) = (group for group in groups if "matched" in group)
    assert {name for name, one in CASES.items() if one.group in ("model", "bars", "width")} < set(matched)
    assert ("sparse-crowd", "sparse") in groups
    assert ("everything", "as-shipped") in groups
    assert {name: CASES[name].interval for name in ("bars-1m", "bars-5m", "bars-15m", "bars-30m", "bars-1h")} == {
        f"bars-{length}": length for length in ("1m", "5m", "15m", "30m", "1h")
    }
    assert not any(CASES[f"bars-{length}"].trades for length in ("1m", "5m", "15m", "30m", "1h"))
    assert CASES["churn-halved"].params.churn_share * 4 == pytest.approx(CASES["churn-doubled"].params.churn_share)


@pytest.mark.slow
def test_the_matched_churn_share_is_what_its_definition_gives():
    """Openings of both sides that are no rise of open interest, over the volume that does not change open interest."""
    synthetic = simulate(replace(matched_market(seed=1), days=14, trades=False))
    interest = synthetic.open_interest["open_interest"].to_numpy()
    change, volume = np.diff(interest), synthetic.bars["volume"].to_numpy()[1:]
    opened = synthetic.truth.opened[1:].sum()
    share = (opened - 2 * np.maximum(change, 0).sum()) / np.maximum(volume - np.abs(change), 0).sum()
    assert share == pytest.approx(0.4463, abs=1e-4)
    assert share == pytest.approx(MATCHED_CHURN_SHARE, abs=0.005)


def test_what_no_case_can_be():
    with pytest.raises(ConfigError, match="interval: '7s' is no multiple of the simulated 1m"):
        replace(CASES["matched"], interval="7s")
    with pytest.raises(ConfigError, match=r"crowd: 1\.0 must be above 1"):
        replace(CASES["matched"], crowd=1.0)
