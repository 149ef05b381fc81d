"""Small markets for tests of the fidelity study: few traders, few days."""

from __future__ import annotations

from dataclasses import replace

from liqbt.fidelity import fidelity_cases

ARRIVALS = 300.0


def small(*names):
    """The cases of these names with few traders, a warm-up of two days and an hour's steps of half a minute."""
    cases = {one.name: one for one in fidelity_cases(ARRIVALS)}
    return tuple(replace(cases[name], market=replace(cases[name].market, warmup_days=2, steps_per_bar=2)) for name in names)
