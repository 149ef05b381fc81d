"""Tables of scores against the functions that measure one forecast of one sample."""

from types import MappingProxyType

import numpy as np
import pytest
from liquidation_samples import hourly_book, hourly_market
from scipy.stats import false_discovery_control, spearmanr

from liqbt.evaluation.liquidation_cells import liquidation_cells
from liqbt.evaluation.liquidation_claims import Claim, comparison_table
from liqbt.evaluation.liquidation_forecasts import LiquidationForecast
from liqbt.evaluation.liquidation_tables import samples_of, score_table
from liqbt.inference.ranking import molchan_diagram, roc_auc
from liqbt.inference.skill import deviance_explained, information_gain

NAMES = ("one", "two", "three")


@pytest.fixture(scope="module")
def cells():
    return liquidation_cells(hourly_market(), hourly_book())


@pytest.fixture(scope="module")
def forecasts(cells):
    """Noise around what was recorded, less with each."""
    rng = np.random.default_rng(4)
    means = [(cells.recorded + 50) * rng.lognormal(0, scatter, cells.recorded.shape) for scatter in (1.5, 0.8, 0.4)]
    return {
        ("range", name): LiquidationForecast(name=name, given="range", mean=mean, parameters=MappingProxyType({"a": 1.0}))
        for name, mean in zip(NAMES, means, strict=True)
    }


@pytest.fixture(scope="module")
def samples(cells):
    mask = np.broadcast_to(cells.usable[:, None], cells.recorded.shape)
    return samples_of(cells, {("range", "all"): mask, ("range", "fresh"): mask & cells.fresh, ("range", "near"): mask & False})


def test_each_measure_is_that_of_its_function(cells, forecasts, samples):
    table = score_table(cells, forecasts, samples, references={"range": "one"}, large=200.0, draws=49, seed=0)
    values = table.set_index(["region", "days", "forecast", "measure"])["value"].to_dict()
    for sample in samples:
        recorded, (one, two) = cells.recorded[sample.cells], [forecasts["range", name].mean[sample.cells] for name in NAMES[:2]]
        found = {key[3]: value for key, value in values.items() if key[:3] == (sample.region, sample.days, "two")}
        scaled = two * recorded.sum() / two.sum()
        expected = {
            "deviance_explained": deviance_explained(recorded, two),
            "shape_explained": deviance_explained(recorded, scaled),
            "rank_correlation": spearmanr(recorded, two).statistic,
            "roc_area": roc_auc(two, recorded > 200),
            "molchan_area": molchan_diagram(two / one, recorded, one).area_skill,
        }
        assert {name: found[name] for name in expected} == pytest.approx(expected, abs=5e-4)
        assert set(found) - set(expected) == {"information_gain", "partial_rank_correlation"}
    assert (table["ci_low"] < table["ci_high"]).all()


def test_gain_of_events_of_one_is_that_of_whole_catalogues(cells, forecasts, samples):
    """An amount is as many events in its cell: the gain is that of Rhoades et al. with each event on its own."""
    sample = samples[0]
    counts = np.round(cells.recorded[sample.cells] / 100).astype(np.int64)
    means = [forecasts["range", name].mean[sample.cells] for name in ("two", "one")]
    rates = [np.repeat(mean, counts) for mean in means]
    whole = information_gain(*rates, total=means[0].sum(), baseline_total=means[1].sum())
    (claim,) = claims_of(("two", "one"))
    recorded = np.zeros(cells.recorded.shape)
    recorded[sample.cells] = counts
    changed = type(cells)(**{**vars(cells), "recorded": recorded})
    table = comparison_table(changed, forecasts, samples[:1], (claim,), relevant=0.05, draws=99, seed=0)
    assert table.query("not rescaled")["gain"].item() == pytest.approx(whole.gain)


def claims_of(*pairs):
    return tuple(Claim(given="range", words=f"{one} beats {other}", forecast=one, against=other) for one, other in pairs)


def test_p_values_are_adjusted_among_rows_of_the_same_days_and_scaling(cells, forecasts, samples):
    claims = claims_of(("two", "one"), ("three", "two"), ("one", "two"), ("two", "two"))
    table = comparison_table(cells, forecasts, samples, claims, relevant=0.05, draws=199, seed=0)
    assert len(table) == 4 * 4 * 2
    for _, part in table.groupby(["days", "rescaled"]):
        assert len(part) == 8
        assert part["q_value"].to_numpy() == pytest.approx(false_discovery_control(part["p_value"].to_numpy()))
    words = table.query("region == 'all'").groupby("claim")["verdict"].agg(set).to_dict()
    assert words == {
        "two beats one": {"holds"},
        "three beats two": {"holds"},
        "one beats two": {"does not hold"},
        "two beats two": {"does not hold"},
    }


def test_a_claim_without_its_forecast_or_region_is_not_asked(cells, forecasts, samples):
    claims = (*claims_of(("four", "one")), Claim(given="range", words="there", forecast="two", against="one", regions=("fresh",)))
    table = comparison_table(cells, forecasts, samples, claims, relevant=0.05, draws=99, seed=0)
    assert set(table["claim"]) == {"there"}
    assert set(table["region"]) == {"fresh"}


def test_regions_without_liquidations_are_left_out(samples):
    assert [(one.region, one.days) for one in samples] == [
        ("all", "all"), ("all", "without top day"), ("fresh", "all"), ("fresh", "without top day"),
    ]  # fmt: skip
