"""Words follow from numbers by a fixed rule."""

import pytest

from liqbt.evaluation.estimates import Estimate
from liqbt.evaluation.results import ControlResult
from liqbt.evaluation.verdicts import judge


def estimate(effect, p_value, *, detectable=0.1, n_events=200, n_clusters=60):
    return Estimate(
        effect=effect, standard_error=0.02, ci_low=effect - 0.04, ci_high=effect + 0.04, p_value=p_value, n_events=n_events,
        n_clusters=n_clusters, minimum_detectable_effect=detectable,
    )  # fmt: skip


def control(effect, p_value, *, decisive=True):
    difference = estimate(effect, p_value)
    return ControlResult(name="placebo levels", decisive=decisive, difference=difference, stand_ins=difference, n_matched=200)


def word_of(one, q_value, controls=(), p_shifted=0.01, relevant=0.05, unit="probability"):
    return judge(one, q_value, controls, p_shifted, relevant=relevant, unit=unit)


def test_significant_and_better_than_every_decisive_control():
    assert word_of(estimate(0.1, 0.001), 0.004, [control(0.08, 0.02), control(-0.1, 0.9, decisive=False)]).word == "holds"


@pytest.mark.parametrize("control", [control(0.08, 0.11), control(-0.08, 0.001), control(float("nan"), float("nan"))])
def test_a_decisive_control_that_does_as_well_explains_it(control):
    found = word_of(estimate(0.1, 0.001), 0.004, [control])
    assert (found.word, found.reason) == ("does not hold", "not told from placebo levels")


def test_maps_of_other_days_that_do_as_well_explain_it():
    assert word_of(estimate(0.1, 0.001), 0.004, p_shifted=0.3).reason == "not told from maps of other days"


def test_the_opposite_is_no_success():
    found = word_of(estimate(-0.1, 0.001), 0.004)
    assert (found.word, found.reason) == ("does not hold", "the opposite holds: the effect is significantly negative")


def test_nothing_found_counts_only_where_something_would_have_shown():
    assert word_of(estimate(0.01, 0.6, detectable=0.04), 0.7).word == "does not hold"
    found = word_of(estimate(0.01, 0.6, detectable=0.08), 0.7)
    assert (found.word, found.reason) == ("not enough data", "only an effect of 8.0 points would have shown, 5.0 points would matter")
    assert word_of(estimate(3.0, 0.6, detectable=30.0), 0.7, relevant=12.0, unit="bps").reason == (
        "only an effect of 30.0 bps would have shown, 12.0 bps would matter"
    )


@pytest.mark.parametrize("few", [{"n_events": 29}, {"n_clusters": 14}])
def test_few_events_or_days_give_no_verdict_however_significant(few):
    assert word_of(estimate(0.4, 1e-9, **few), 1e-9).word == "not enough data"


def test_a_p_value_that_cannot_be_told_gives_no_verdict():
    assert word_of(estimate(0.4, float("nan")), float("nan")).word == "not enough data"


def test_a_span_too_short_for_other_days_gives_no_verdict():
    found = word_of(estimate(0.1, 0.001), 0.004, p_shifted=float("nan"))
    assert (found.word, found.reason) == ("not enough data", "significant, but the span is too short for maps of other days")
