"""Output files that appear whole or not at all, and the plain ones: trades as CSV, statistics as JSON."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from liqbt.errors import ConfigError
from liqbt.report.provenance import plain
from liqbt.scoring import Score

__all__ = ["stats_of", "write_scores", "write_whole"]


def write_whole(path: str | Path, content: str | bytes) -> Path:
    """Write a file through a temporary one beside it, so that a reader sees the old file or the new one; return its path.

    Raises ConfigError where the place cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
            temporary.chmod(0o644)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}; choose another place with --out") from error
    return target


def stats_of(scores: Sequence[Score]) -> dict[str, dict[str, Any]]:
    """Return the statistics of each score by name, in types that JSON can hold."""
    return {score.name: plain(dict(score.stats)) for score in scores}


def write_scores(folder: str | Path, scores: Sequence[Score], described: Mapping[str, Any]) -> list[Path]:
    """Write `trades-NAME.csv` and `equity-NAME.csv` for each score and `stats.json` for all; return the paths."""
    place = Path(folder)
    written = []
    stems = [re.sub(r"[^A-Za-z0-9_+-]+", "-", score.name).strip("-") or "unnamed" for score in scores]
    if len(set(stems)) < len(stems):
        raise ConfigError(f"scores: {', '.join(score.name for score in scores)} would share a file; give each another name")
    for stem, score in zip(stems, scores, strict=True):
        written.append(write_whole(place / f"trades-{stem}.csv", score.trades.to_csv(index=False)))
        written.append(write_whole(place / f"equity-{stem}.csv", score.equity.to_csv()))
    content = json.dumps({"stats": stats_of(scores), "provenance": described}, indent=2, ensure_ascii=False)
    written.append(write_whole(place / "stats.json", content + "\n"))
    return written
