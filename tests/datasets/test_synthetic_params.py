"""Parameters and presets of the synthetic market."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from liqbt import margin
from liqbt.datasets import PRESETS, SyntheticParams
from liqbt.errors import ConfigError

STRICT = (margin.LeverageTier(min_notional=0.0, max_notional=1e5, maintenance_margin_rate=0.2, max_leverage=5.0, maintenance_amount=0.0),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "seed: -1"),
        ({"seed": 1.5}, "seed: 1.5"),
        ({"days": 0}, "days: 0"),
        ({"days": True}, "days: True"),
        ({"interval": "7m"}, "does not divide a day"),
        ({"interval": "five"}, "interval"),
        ({"start": "soon"}, "start"),
        ({"start": "2025-01-01T00:01"}, "not on the 5m grid"),
        ({"steps_per_bar": 7}, "steps_per_bar: 7"),
        ({"annual_volatility": 0.0}, "annual_volatility: 0.0"),
        ({"annual_volatility": float("nan")}, "annual_volatility: nan"),
        ({"annual_volatility": "high"}, "annual_volatility: 'high'"),
        ({"jump_scale": 0.1}, "leaves nothing of annual_volatility"),
        ({"hedged_share": 1.0}, "hedged_share: 1.0"),
        ({"momentum_tilt": 0.6}, "momentum_tilt: 0.6"),
        ({"mean_holding_hours": 1e12}, "makes about"),
        ({"arrivals_per_hour": 1e6}, "makes about"),
        ({"interval": "1s", "steps_per_bar": 20, "days": 90}, "price steps"),
        ({"leverage_mix": {}}, "leverage_mix"),
        ({"leverage_mix": {10: 0.5}}, "sum to 0.5"),
        ({"leverage_mix": {0.5: 1.0}}, "at least 1"),
        ({"leverage_mix": {10: 1.5, 20: -0.5}}, "weight of 20x"),
        ({"leverage_mix": {125: 1.0}}, "125x is above the 100x that the brackets allow"),
        ({"tiers": ()}, "tiers: no brackets"),
        ({"tiers": (10.0,)}, "tiers: give brackets"),
        ({"tiers": STRICT}, "bracket 1 allows 5x, which its maintenance margin rate 0.2 liquidates at once"),
        ({"tiers": tuple(replace(one, contract="inverse") for one in margin.GENERIC_TIERS)}, "inverse contract"),
        ({"cross_share": 1.1}, "cross_share: 1.1"),
        ({"cross_margin": -1.0}, "cross_margin: -1.0"),
        ({"stop_share": 0.8, "top_up_share": 0.3}, "stop_share: 0.8 and top_up_share 0.3"),
        ({"stop_nearest": 0.0}, "stop_nearest: 0.0"),
        ({"stop_nearest": 0.9, "stop_farthest": 0.5}, "stop_farthest: 0.5 is nearer than stop_nearest 0.9"),
        ({"top_up_at": 1.0}, "top_up_at: 1.0"),
        ({"top_up_margin": -0.1}, "top_up_margin: -0.1"),
        ({"cascade": -1.0}, "cascade: -1.0"),
        ({"lasting_share": 2.0}, "lasting_share: 2.0"),
        ({"gravity_bps_per_hour": float("inf")}, "gravity_bps_per_hour: inf"),
        ({"gravity_reach": 0.0}, "gravity_reach: 0.0"),
        ({"reversal_hours": 0.0}, "reversal_hours: 0.0"),
        ({"burst_depth_share": 0.0}, "burst_depth_share: 0.0"),
        ({"depth_every": "7m"}, "depth_every: '7m' is not a multiple of the bar interval 5m"),
        ({"truth_every": "1m"}, "truth_every: '1m' is not a multiple"),
        ({"truth_every": "often"}, "truth_every: 'often' is not an interval"),
        ({"truth_every": "5m", "days": 365}, "truth_every: '5m' makes 105120 snapshots"),
        ({"truth_bin_bps": 0.0}, "truth_bin_bps: 0.0 must be between 0.1 and 100"),
        ({"interval": 5}, "interval: 5 must be text"),
        ({"start": None}, "start: None must be text"),
        ({"truth_every": 60}, "truth_every: 60 must be text"),
        ({"throttle": "some"}, "throttle: 'some' must be 'largest' or 'latest'"),
        ({"trades": 1}, "trades: 1 must be True or False"),
        ({"mark_noise_bps": -1.0}, "mark_noise_bps: -1.0"),
    ],
)
def test_parameters_are_validated(change, message):
    with pytest.raises(ConfigError, match=message) as caught:
        SyntheticParams(**change)
    assert "\n" not in str(caught.value)


def test_parameters_cannot_change():
    mix = {10: 0.5, 50: 0.5}
    params = SyntheticParams(leverage_mix=mix)
    mix[10] = 0.9
    assert dict(params.leverage_mix) == {10.0: 0.5, 50.0: 0.5}
    with pytest.raises(TypeError):
        params.leverage_mix[10.0] = 1.0


def test_they_travel():
    params = SyntheticParams.preset("cascade", seed=4, leverage_mix={10: 0.5, 50: 0.5})
    assert pickle.loads(pickle.dumps(params)) == params  # noqa: S301 - our own bytes


def test_presets_have_one_effect_each():
    effects = {"null": None, "gravity": "gravity_bps_per_hour", "cascade": "cascade", "reversal": "reversal_bps"}
    assert set(PRESETS) == set(effects)
    for name, switched in effects.items():
        params = SyntheticParams.preset(name)
        assert (params.days, params.interval, params.null) == (30, "1m", name == "null")
        assert [one for one in effects.values() if one and getattr(params, one)] == [one for one in [switched] if one]
    assert SyntheticParams().null


def test_presets_can_be_overridden():
    assert SyntheticParams.preset("gravity", days=2, cascade=1.5).cascade == 1.5
    assert SyntheticParams.preset("gravity", gravity_bps_per_hour=5.0).gravity_bps_per_hour == 5.0
    with pytest.raises(ConfigError, match=r"preset: 'gravty' is not a preset; did you mean 'gravity'\?"):
        SyntheticParams.preset("gravty")
    with pytest.raises(ConfigError, match=r"cascad: a synthetic market has no such parameter; did you mean 'cascade'\?"):
        SyntheticParams.preset("null", cascad=1.0)


def test_derived_figures():
    params = SyntheticParams(leverage_mix={10: 0.75, 40: 0.25}, holding_exponent=0.5, mean_holding_hours=24.0)
    np.testing.assert_allclose(params.holding_hours, [24.0, 12.0])
    assert params.mean_notional == pytest.approx(2_000 * np.exp(1.125))
    assert params.depth_notional == pytest.approx(0.01 * params.mean_day_notional)
    assert params.mean_live_hedged / (params.mean_live_hedged + params.mean_live_traders) == pytest.approx(params.hedged_share)
    # who never closes and is liquidated by nothing is live for the whole mean: 1 / (10 x 0.005) of distance is none in an hour
    calm = SyntheticParams(leverage_mix={2: 1.0}, holding_exponent=0.0, mean_holding_hours=1.0, stop_share=0.0)
    assert calm.mean_live_traders == pytest.approx(calm.arrivals_per_hour, rel=1e-6)
