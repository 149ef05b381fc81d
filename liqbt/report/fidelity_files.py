"""A fidelity study as files: rows by case and seed, reliability curves, one JSON document, and tables in Markdown."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from liqbt.fidelity import MEASURES, FidelityStudy
from liqbt.report.files import write_whole

__all__ = ["STUDY_HEADER", "study_document", "study_markdown", "study_rows", "write_study"]

STUDY_HEADER = ("case", "what differs", "rank correlation", "precision", "recall", "mover, bps", "chance, mean", "chance, worst")
_DIGITS = {"rank_correlation": 3, "precision": 2, "recall": 2, "earth_mover_bps": 1, "chance_error": 3, "chance_worst": 3}


def write_study(folder: str | Path, study: FidelityStudy, described: Mapping[str, Any]) -> dict[str, Path]:
    """Write `fidelity.csv`, `reliability.csv`, `fidelity.json` and `fidelity.md` below `folder`; return the paths by name.

    described: how the study was made, for the JSON document.
    """
    place = Path(folder)
    document = json.dumps(study_document(study) | {"provenance": dict(described)}, indent=2, ensure_ascii=False)
    contents = {
        "fidelity.csv": study.to_frame().to_csv(index=False),
        "reliability.csv": _curves(study).to_csv(index=False),
        "fidelity.json": document + "\n",
        "fidelity.md": study_markdown(study),
    }
    return {name: write_whole(place / name, content) for name, content in contents.items()}


def study_document(study: FidelityStudy) -> dict[str, Any]:
    """Return a study in types that JSON can hold; what is not a number is null."""
    return {
        "seeds": list(study.seeds),
        "days": study.days,
        "min_explained_share": study.min_explained_share,
        "cases": _rows(study.summary().reset_index()),
        "by_seed": _rows(study.to_frame()),
        "reliability": _rows(study.chance_frame()),
    }


def study_rows(study: FidelityStudy) -> list[tuple[str, ...]]:
    """Return the rows of the table of cases as text, by `STUDY_HEADER`: the mean over seeds, of precision and so on the range too."""
    frame = study.summary()
    return [(str(name), str(row["differs"]), *(_cell(row, measure) for measure in _DIGITS)) for name, row in frame.iterrows()]


def study_markdown(study: FidelityStudy) -> str:
    """Return the tables of a study: all cases, agreement by how much is explained, and the reliability of the probability map."""
    seeds = ", ".join(map(str, study.seeds))
    told = f"Seeds {seeds}, {study.days} days each; means over seeds, least to greatest in brackets."
    parts = [told, _table(STUDY_HEADER, study_rows(study))]
    if any(one.name == "matched" for one in study.cases):
        bands = study.warm_up()
        rows = [
            (f"from {float(str(start)):.0%}", *(f"{row[name]:.{_DIGITS[name]}f}" for name in MEASURES), f"{int(row['maps']):,}")
            for start, row in bands.iterrows()
        ]
        parts.append(_table(("explained", *STUDY_HEADER[2:6], "maps"), rows))
    if study.chances:
        rows = [(one.case, one.measure, str(one.markets), f"{one.curve.error:.3f}", f"{one.curve.worst:.3f}") for one in study.chances]
        parts.append(_table(("case", "zones by", "markets", "mean distance", "worst"), rows))
    return "\n\n".join(parts) + "\n"


def _cell(row: pd.Series, measure: str) -> str:
    if measure not in row.index or math.isnan(row[measure]):
        return "–"
    digits = _DIGITS[measure]
    text = f"{row[measure]:.{digits}f}"
    least, most = f"{measure}_min", f"{measure}_max"
    return f"{text} ({row[least]:.{digits}f}–{row[most]:.{digits}f})" if least in row.index else text


def _curves(study: FidelityStudy) -> pd.DataFrame:
    parts = [one.curve.to_frame().assign(case=one.case, measure=one.measure, noise=one.noise) for one in study.chances]
    names = ["case", "measure", "predicted", "observed", "count", "noise"]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    clean = frame.astype(object).where(frame.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in clean.to_dict("records")]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
