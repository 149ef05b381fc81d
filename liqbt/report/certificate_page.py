"""The certificate of the evaluation as a page: how often it rejects where nothing is, how often it finds what was planted."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import binom, binomtest

from liqbt.evaluation.certificate import CASES
from liqbt.report.files import write_whole
from liqbt.report.style import LINES

__all__ = ["certificate_tables", "write_certificate"]

_LEVEL: Final = 0.05
_HEAD: Final = """# How far the verdicts can be trusted

Made by `make certify`: synthetic markets of {days} days of 5-minute bars, simulated from seeds, reconstructed with the default leverage mix
(which is not the traders'), and evaluated with every shipped hypothesis. Nothing below was chosen by looking at these seeds.

"""


def certificate_tables(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return what `certify` found, summed up: `nulls`, `planted` and `coverage`, each one row a case and hypothesis.

    nulls: share of markets in which p is at most 0.05, its exact 95 % interval, whether 5 % lies within what chance allows for that many
    markets, and the share of verdicts that say `holds`. planted: the share that is significant in the direction of the mean effect, the
    share of `holds` and of `not enough data`, mean effect. coverage: share of 95 % intervals that hold the mean of all markets of the case.
    """
    known = rows[rows["p_value"].notna()]
    cases = {case.name: case for case in CASES}
    found: dict[str, list[dict[str, Any]]] = {"nulls": [], "planted": [], "coverage": []}
    for (name, hypothesis), some in known.groupby(["case", "hypothesis"], sort=False):
        case, count = cases[str(name)], len(some)
        rejected = some["p_value"] <= _LEVEL
        words = some["verdict"].value_counts(normalize=True)
        common = {"case": name, "hypothesis": hypothesis, "markets": count}
        truth = 0.0 if not case.planted else float(some["effect"].mean())
        inside = int(((some["ci_low"] <= truth) & (truth <= some["ci_high"])).sum())
        found["coverage"].append(common | _share("covered", inside, count))
        if not case.planted:
            low, high = binom.ppf([0.005, 0.995], count, _LEVEL)
            within = bool(low <= rejected.sum() <= high)
            found["nulls"].append(
                common | _share("rejected", int(rejected.sum()), count) | {"within": within, "holds": words.get("holds", 0.0)}
            )
            continue
        right = int((rejected & (np.sign(some["effect"]) == np.sign(truth))).sum())
        verdicts = {"holds": words.get("holds", 0.0), "not enough data": words.get("not enough data", 0.0)}
        found["planted"].append(
            common | {"planted": case.planted, "strength": case.strength, "effect": truth} | _share("power", right, count) | verdicts
        )
    return {name: pd.DataFrame(some) for name, some in found.items()}


def write_certificate(path: str | Path, rows: pd.DataFrame, *, days: int) -> dict[str, Path]:
    """Write the page and its figure beside it; return where they are."""
    tables = certificate_tables(rows)
    figure = Path(path).with_name("images") / "certificate.png"
    parts = [_HEAD.format(days=days), "| case | what it is | markets |\n|---|---|---|\n"]
    parts += [f"| {case.name} | {case.truth} | {(rows['case'] == case.name).sum() // rows['hypothesis'].nunique()} |\n" for case in CASES]
    parts.append(f"\n![Rejections on null markets, and power against the strength of what was planted](images/{figure.name})\n")
    for title, name, told in (
        (
            "Where nothing is to be found",
            "nulls",
            "Share of markets with p at most 0.05. 5 % is right; `within`: inside the 99 % binomial range.",
        ),
        ("Where something was planted", "planted", "Share of markets in which it was significant, in the direction of the mean effect."),
        (
            "Do 95 % intervals hold the truth?",
            "coverage",
            "The truth is 0 on nulls, and the mean over all markets of the case where planted.",
        ),
    ):
        parts.append(f"\n## {title}\n\n{told}\n\n{_markdown(tables[name])}")
    return {"certificate": write_whole(path, "".join(parts)), "figure": write_whole(figure, _picture(tables))}


def _share(name: str, count: int, total: int) -> dict[str, float]:
    interval = binomtest(count, total).proportion_ci(0.95)
    return {name: count / total, "low": float(interval.low), "high": float(interval.high)}


def _markdown(table: pd.DataFrame) -> str:
    lines = [f"| {' | '.join(table.columns)} |", f"|{'---|' * table.shape[1]}"]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in table.itertuples(index=False)]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _picture(tables: dict[str, pd.DataFrame]) -> bytes:
    from matplotlib.figure import Figure

    planted = tables["planted"]
    kinds = list(dict.fromkeys(planted["planted"])) if len(planted) else []
    figure = Figure(figsize=(5 * (1 + len(kinds)), 4.2), layout="constrained")
    axes = figure.subplots(1, 1 + len(kinds), squeeze=False)[0]
    nulls, names = tables["nulls"], list(dict.fromkeys(tables["coverage"]["hypothesis"]))
    for place, name in enumerate(names):
        some = nulls[nulls["hypothesis"] == name]
        y = np.arange(len(some)) + 0.1 * (place - len(names) / 2)
        error = np.abs(some[["low", "high"]].to_numpy().T - some["rejected"].to_numpy())
        axes[0].errorbar(some["rejected"], y, xerr=error, fmt="o", ms=4, color=LINES[place % len(LINES)], lw=1, label=name)
    axes[0].axvline(_LEVEL, color="#888", ls=":")
    axes[0].set(
        yticks=range(nulls["case"].nunique()), yticklabels=list(dict.fromkeys(nulls["case"])), xlabel="share of null markets rejected"
    )
    axes[0].invert_yaxis()
    for axis, kind in zip(axes[1:], kinds, strict=True):
        for place, name in enumerate(names):
            some = planted[(planted["planted"] == kind) & (planted["hypothesis"] == name)]
            axis.plot(
                some["strength"],
                some["power"],
                "o-",
                ms=4,
                color=LINES[place % len(LINES)],
                ls=("-", "--")[place // len(LINES)],
                label=name,
            )
        axis.axhline(0.9, color="#888", ls=":")
        axis.set(title=kind, xlabel="strength planted", ylabel="share found", ylim=(-0.02, 1.02), xscale="log")
    axes[-1].legend(fontsize=7, loc="best")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
