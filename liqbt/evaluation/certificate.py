"""The evaluation evaluated: how often it rejects on markets where nothing is to be found, and finds what was planted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from liqbt._typing import Progress
from liqbt.errors import ConfigError, DataError
from liqbt.evaluation.evaluate import evaluate
from liqbt.evaluation.hypotheses import Hypothesis, shipped_hypotheses

__all__ = ["CASES", "Case", "certify", "run_market"]

DAYS: Final = 60
FIRST_SEED: Final = 10_000
"""Seeds of the certificate; nothing was chosen by looking at markets of these."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A kind of synthetic market. name; truth: half a sentence; planted: which effect, none for nulls; strength: how much of it.

    params: of `SyntheticParams`, others as in the preset `null`. overlapping: whether events may overlap. markets: how many.
    """

    name: str
    truth: str
    planted: str = ""
    strength: float = 0.0
    params: Mapping[str, Any] = field(default_factory=dict)
    overlapping: bool = False
    markets: int = 200


def _planted(effect: str, parameter: str, strengths: Sequence[float], unit: str) -> Iterator[Case]:
    for strength in strengths:
        yield Case(
            name=f"{effect} {strength:g}", truth=f"{effect} of {strength:g} {unit}", planted=effect, strength=strength,
            params={parameter: strength}, markets=100,
        )  # fmt: skip


CASES: Final[tuple[Case, ...]] = (
    Case(name="null", truth="a martingale with clustered volatility, a jump a day and a busy afternoon"),
    Case(name="null, fat tails", truth="six jumps a day of 1.4 %", params={"jumps_per_day": 6.0, "jump_scale": 0.014}),
    Case(name="null, clustering", truth="volatility of volatility twice as high, over a week",
         params={"volatility_of_volatility": 0.9, "volatility_half_life_hours": 168.0}),
    Case(name="null, drift", truth="price is expected to grow sevenfold a year", params={"annual_drift": 2.0}),
    Case(name="null, seasonality", truth="volatility nine times as high in the afternoon as at night", params={"daily_seasonality": 0.8}),
    Case(name="null, overlapping", truth="as the null, and events overlap", overlapping=True),
    *_planted("gravity", "gravity_bps_per_hour", (40.0, 80.0, 160.0, 320.0), "bps an hour"),
    *_planted("reversal", "reversal_bps", (30.0, 60.0, 120.0, 240.0), "bps after a burst"),
    *_planted("cascade", "cascade", (2.0, 4.0, 8.0, 16.0), "times the impact that depth implies"),
)  # fmt: skip
"""What the certificate runs: six kinds of nulls, three effects at four strengths."""


def run_market(case: Case, seed: int, *, days: int = DAYS, draws: int = 500) -> list[dict[str, Any]]:
    """Simulate one market, reconstruct it, evaluate every shipped hypothesis on it; return one row a hypothesis.

    Columns: case, seed, those of `Evaluation.verdicts` but reason and unit, and `beaten`: whether every decisive control was.
    """
    from liqbt.book.reconstruct import reconstruct
    from liqbt.datasets import SyntheticParams, simulate

    market = simulate(SyntheticParams.preset("null", seed=seed, days=days, interval="5m", **case.params)).to_market()
    hypotheses: list[Hypothesis] = [replace(one, overlapping=case.overlapping) for one in shipped_hypotheses().values()]
    found = evaluate(market, reconstruct(market), hypotheses, draws=draws, seed=seed)
    decisive = found.controls[found.controls["decisive"]]
    beaten = ((decisive["difference"] > 0) & (decisive["p_value"] <= 0.1)).groupby(decisive["hypothesis"]).all()
    table = found.verdicts.drop(columns=["reason", "unit"]).assign(case=case.name, seed=seed)
    table["beaten"] = table["hypothesis"].map(beaten).fillna(True).astype(bool)
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return rows


def certify(
    folder: str | Path,
    *,
    cases: Sequence[Case] = CASES,
    markets: int | None = None,
    days: int = DAYS,
    workers: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Run every market of every case, and return the rows of `run_market` of all of them, in order.

    folder: where finished markets are kept, a line each; what is there already is not run again, so an interrupted run goes on. markets:
    of each case, instead of its own number. workers: processes; all cores where None. The result does not depend on their number.

    Raises DataError where the folder holds results of other settings.
    """
    from joblib import Parallel, delayed

    if days < 10:
        raise ConfigError(f"days: {days!r} must be at least 10, or no map explains enough to say anything")
    path = Path(folder) / "markets.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = _read(path, days)
    jobs = [(case, FIRST_SEED + seed) for case in cases for seed in range(markets or case.markets)]
    missing = [job for job in jobs if (job[0].name, job[1]) not in done]
    tell = progress or (lambda _share, _what: None)
    with path.open("a", encoding="utf-8") as file:
        tasks = (delayed(_job)(case, seed, days) for case, seed in missing)
        for finished, (key, rows) in enumerate(Parallel(n_jobs=workers or os.cpu_count(), return_as="generator_unordered")(tasks), start=1):
            done[key] = rows
            file.write(json.dumps({"case": key[0], "seed": key[1], "days": days, "rows": rows}) + "\n")
            file.flush()
            tell((len(jobs) - len(missing) + finished) / len(jobs), f"{len(jobs) - len(missing) + finished} of {len(jobs)} markets")
    return pd.DataFrame([row for case, seed in jobs for row in done[case.name, seed]]).replace({None: np.nan})


def _job(case: Case, seed: int, days: int) -> tuple[tuple[str, int], list[dict[str, Any]]]:
    return (case.name, seed), run_market(case, seed, days=days)


def _read(path: Path, days: int) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """Return the finished markets of the file; a last line that was torn by a kill is cut off."""
    if not path.exists():
        return {}
    done, kept = {}, []
    for line in path.read_text("utf-8").splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        entry = json.loads(line)
        if entry["days"] != days:
            raise DataError(f"{path}: it holds markets of {entry['days']} days, not {days}; give another folder, or delete it")
        done[entry["case"], entry["seed"]] = entry["rows"]
        kept.append(line)
    path.write_text("".join(kept), "utf-8")
    return done
