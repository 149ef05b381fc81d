"""Verdicts as rows of text, for the terminal and the page alike."""

from __future__ import annotations

import math

from liqbt.evaluation.estimates import Estimate
from liqbt.evaluation.results import Evaluation

__all__ = ["VERDICT_HEADER", "verdict_rows"]

VERDICT_HEADER = (
    "hypothesis", "verdict", "effect", "95 % interval", "p", "q", "events", "days", "detectable", "bps", "after costs", "why",
)  # fmt: skip


def verdict_rows(result: Evaluation) -> list[dict[str, str]]:
    """Return one row a hypothesis, text by column of `VERDICT_HEADER`, and `claim`, the sentence that was tested."""
    rows = []
    for one in result.results.values():
        points = one.hypothesis.outcome.unit == "probability"
        scale, unit = (100.0, " pts") if points else (1.0, " bps")
        values = (
            one.hypothesis.name,
            one.verdict.word,
            _number(scale * one.estimate.effect, sign=True) + unit,
            _interval(one.estimate, scale),
            _share(one.estimate.p_value),
            _share(one.q_value),
            f"{one.estimate.n_events:,}",
            f"{one.estimate.n_clusters:,}",
            _number(scale * one.estimate.minimum_detectable_effect) + unit,
            _number(one.bps.effect, sign=True),
            _number(one.bps.effect - result.cost_bps, sign=True),
            one.verdict.reason,
        )
        rows.append(dict(zip(VERDICT_HEADER, values, strict=True)) | {"claim": one.hypothesis.claim})
    return rows


def _interval(one: Estimate, scale: float) -> str:
    return f"{_number(scale * one.ci_low, sign=True)} to {_number(scale * one.ci_high, sign=True)}"


def _number(value: float, *, sign: bool = False) -> str:
    return "–" if math.isnan(value) else f"{value:{'+' if sign else ''}.1f}"


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
