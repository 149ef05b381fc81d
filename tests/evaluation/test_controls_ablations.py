"""The same claims with less of a map."""

import math
from dataclasses import replace

import numpy as np
import pytest
from contexts import context_of
from random_walks import PER_DAY, walk, with_map

from liqbt.errors import ConfigError
from liqbt.evaluation.ablations import DistanceOnly, VolumeProfileOnly, ablations
from liqbt.evaluation.events import HotZone
from liqbt.evaluation.hypotheses import measure, shipped_hypotheses
from liqbt.evaluation.volume_nodes import volume_nodes

NAN = np.nan


def test_the_nearer_zone_whatever_its_heat(make_market):
    context = context_of(
        make_market(close=[100.0] * 8),
        sigma=0.02,
        above_near=[102, 101, 103.5, NAN, 100.2, 101, 102, 101],
        below_near=[98, 98, 97.5, 99, 99, 99.5, NAN, 99],
        dominance=[0.1, 0.1, 0.9, 0.5, 0.5, 0.5, NAN, 0.5],
    )
    found = DistanceOnly().events(context)
    # 0: log distances differ, up is nearer; 3: only one side; 4: 0.1 volatilities are too near; 6: no map; 7: the last bar
    assert found.bar.tolist() == [0, 1, 2, 3, 5]
    assert found.direction.tolist() == [1, 1, -1, -1, -1]
    assert found.level.tolist() == [102, 101, 97.5, 99, 99.5]
    assert DistanceOnly(min_distance=0.6, max_distance=1.0).events(context).bar.tolist() == [0]
    assert DistanceOnly(min_distance=0.0).events(context).bar.tolist() == [0, 1, 2, 3, 4, 5]


def test_equal_distances_say_nothing(make_market):
    context = context_of(make_market(close=[100.0] * 3), sigma=0.02, above_near=100 * 1.25, below_near=100 / 1.25)
    assert len(DistanceOnly(max_distance=20.0).events(context)) == 0


def test_the_heavier_side_of_the_volume_profile():
    rng = np.random.default_rng(3)
    context = replace(with_map(walk(rng, 12), rng), first_bar=200)
    finder = VolumeProfileOnly(threshold=0.65, min_distance=0.3, max_distance=1.2, days=3.0)
    found = finder.events(context)
    bars = np.arange(200, context.market.n_bars - 1)
    nodes = volume_nodes(context, bars, days=3.0)
    expected = []
    for i, bar in enumerate(bars.tolist()):
        share = nodes.above[i] / (nodes.above[i] + nodes.below[i])
        side = 1 if share >= 0.65 else -1 if share <= 0.35 else 0
        own = range(nodes.offsets[i], nodes.offsets[i + 1])
        away = {j: side * math.log(nodes.price[j] / context.market.close[bar]) / context.sigma[bar] for j in own}
        within = [j for j in own if side and 0.3 <= away[j] <= 1.2]
        if within:
            expected.append((bar, side, nodes.price[max(within, key=lambda j: nodes.weight[j])]))
    assert len(expected) > 50
    assert {one[1] for one in expected} == {1, -1}
    assert list(zip(found.bar.tolist(), found.direction.tolist(), found.level.tolist(), strict=True)) == expected


def test_ablations_have_the_thresholds_of_the_claim():
    shipped = shipped_hypotheses()
    ours = replace(shipped["gravity"], find=HotZone(threshold=0.7, min_distance=0.1, max_distance=2.0))
    variants = ablations(ours)
    assert list(variants) == ["distance_only", "volume_profile_only"]
    assert variants["distance_only"].find == DistanceOnly(min_distance=0.1, max_distance=2.0)
    assert variants["volume_profile_only"].find == VolumeProfileOnly(threshold=0.7, min_distance=0.1, max_distance=2.0)
    for left, variant in variants.items():
        assert variant.name == f"gravity_{left}"
        assert variant.outcome == ours.outcome
        assert variant.controls == ()
        assert variant.claim != ours.claim
    assert ablations(shipped["zones_as_levels"]) == ablations(shipped["sweep_reversal_4h"]) == {}


def test_ablations_can_be_measured():
    rng = np.random.default_rng(6)
    context = with_map(walk(rng, 20), rng)
    for variant in ablations(shipped_hypotheses()["gravity"]).values():
        outcomes = measure(variant, context)
        assert len(outcomes.events) > 10
        assert np.abs(outcomes.value).max() <= 0.5 + 1e-9
        assert outcomes.events.bar.min() >= PER_DAY - 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DistanceOnly(min_distance=2.0), "DistanceOnly: min_distance 2.0 must be at least 0 and below max_distance 1.5"),
        (lambda: VolumeProfileOnly(max_distance=0.1), "VolumeProfileOnly: min_distance 0.2 must"),
        (lambda: VolumeProfileOnly(threshold=0.4), "VolumeProfileOnly: threshold 0.4 must be at least 0.5 and below 1"),
        (lambda: VolumeProfileOnly(days=0.0), "VolumeProfileOnly: days 0.0 must be above 0"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
