"""A synthetic market that recorded all its liquidations, made once."""

import functools

from liqbt.book import params, reconstruct
from liqbt.datasets import SyntheticParams, simulate

HOURLY = {"days": 45, "interval": "1h", "steps_per_bar": 60, "arrivals_per_hour": 300.0, "truth_every": None, "seed": 1}


@functools.cache
def hourly_market():
    return simulate(SyntheticParams(**HOURLY)).to_market()


@functools.cache
def hourly_book():
    """The reconstruction with the mix that the traders really have."""
    mix = params.LeverageMix.of(dict(SyntheticParams(**HOURLY).leverage_mix))
    return reconstruct.reconstruct(hourly_market(), mix)
