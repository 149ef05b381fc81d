"""The report: one HTML file that works offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
from jinja2 import Environment, PackageLoader, select_autoescape
from plotly.offline import get_plotlyjs

from liqbt._typing import Float64Array1D, Progress
from liqbt.book.reconstruct import Reconstruction
from liqbt.errors import ConfigError
from liqbt.evaluation.results import Evaluation
from liqbt.evaluation.robustness import RobustnessGrid
from liqbt.features import FeatureParams
from liqbt.market import MarketFrame
from liqbt.report.candles import picture_cadence
from liqbt.report.evaluation_figures import evaluation_figures
from liqbt.report.figures import drawn_zones, equity_figure, explained_figure, heatmap_figure
from liqbt.report.files import write_whole
from liqbt.report.numbers import CARDS, card_value, display
from liqbt.report.provenance import provenance
from liqbt.report.verdict_table import verdict_rows
from liqbt.scoring import Score

__all__ = ["write_report"]

_COLUMNS: Final = 700

LIMITS: Final = (
    "Whether the signal holds. No null test was run for this report: a profit may be luck and a loss may be costs.",
    "Where positions really are. Leverage, top-ups, stops and cross margin are not published; the map is what assumed leverage implies.",
    "What the next strategy would have done. Every further variant that you try here makes the best one look better than it is.",
    "How your own orders would have moved the price. Fills assume that you are small.",
)
EVALUATION_LIMITS: Final = (
    "Whether the claim will hold. The verdict is about this span of this market, and about claims as they are worded above.",
)


def write_report(
    path: str | Path,
    *,
    market: MarketFrame,
    book: Reconstruction,
    scores: Sequence[Score],
    benchmark: Score | None = None,
    features: FeatureParams | None = None,
    sources: Mapping[str, str] | None = None,
    evaluation: Evaluation | None = None,
    grids: Sequence[RobustnessGrid] = (),
    progress: Progress | None = None,
) -> Path:
    """Write one self-contained HTML file and return its path; the file appears whole or not at all.

    scores: drawn and listed side by side. benchmark: such as `buy_and_hold(market)`, drawn beside their equity.
    features: the settings that the strategies' features were built with, for the record and for the zones drawn.
    sources: SHA-256 of the strategies' files by the name of the score, for the record.
    evaluation: verdicts for page one, with what they rest on; without it the report says that it gives none. grids: of `robustness`.

    Raises ConfigError where a score or the evaluation is of another market or the file cannot be written.
    """
    for score in (*scores, *([benchmark] if benchmark else [])):
        if score.market is not market:
            raise ConfigError(f"write_report: score {score.name!r} is of {score.market!r}, not of the report's market")
    if evaluation is not None and evaluation.context.market is not market:
        raise ConfigError(f"write_report: the evaluation is of {evaluation.context.market!r}, not of the report's market")
    told = progress or (lambda _share, _what: None)
    features = features or FeatureParams()
    cadence = picture_cadence(market, _COLUMNS)
    told(0.1, "map")
    heat = book.heatmap(cadence)
    zones = drawn_zones(heat, features.zones, usable=features.min_explained_share)
    shares = pd.DataFrame({"entry seen": book.explained_share, "on the map": book.live_share}, index=market.index)
    told(0.3, "figures")
    figures = {
        "heatmap": heatmap_figure(heat, market, cadence, zones, scores),
        "equity": equity_figure(scores, benchmark),
        "explained": explained_figure(shares["entry seen"], shares["on the map"], features.min_explained_share),
    }
    if evaluation is not None:
        figures |= evaluation_figures(evaluation, grids)
    told(0.5, "statistics")
    environment = Environment(loader=PackageLoader("liqbt.report", "."), autoescape=select_autoescape(default=True), trim_blocks=True)
    text = environment.get_template("report.html.j2").render(
        market=market,
        book=book,
        scores=scores,
        cards=[_cards(score) for score in scores],
        benchmark=benchmark,
        stats=_side_by_side([*scores, *([benchmark] if benchmark else [])]),
        trades=[(score.name, *_trade_rows(score)) for score in scores],
        usable=_usable(book.explained_share, features.min_explained_share),
        notes=list(dict.fromkeys([*book.notes, *(note for score in scores for note in score.notes)])),
        candle_step=cadence,
        provenance=provenance(market, book, features, scores, sources),
        limits=[*(LIMITS[1:] if evaluation else LIMITS), *(EVALUATION_LIMITS if evaluation else ())],
        evaluation=evaluation,
        verdicts=verdict_rows(evaluation) if evaluation else [],
        figures={name: _json(figure) for name, figure in figures.items()},
        plotly=get_plotlyjs(),
    )
    told(0.95, "writing")
    written = write_whole(path, text)
    told(1.0, "writing")
    return written


def _usable(explained_share: Float64Array1D, needed: float) -> tuple[int, int]:
    """Return in how many bars the map may be used, and before which bar it never is."""
    usable = explained_share >= needed
    return int(usable.sum()), int(usable.argmax()) if usable.any() else usable.size


def _json(figure: go.Figure) -> str:
    """Return a figure as JSON that cannot end the script element that holds it, whatever a symbol is called."""
    return str(pio.to_json(figure)).replace("<", "\\u003c")


def _cards(score: Score) -> dict[str, Any]:
    shown = [(label, card_value(score, key, unit)) for key, label, unit in CARDS]
    total = score.stats["Total Return [%]"]
    return {"name": score.name, "good": bool(total > 0), "shown": shown}


def _side_by_side(scores: Sequence[Score]) -> dict[str, Any]:
    rows = list(dict.fromkeys(key for score in scores for key in score.stats.index))
    return {
        "names": [score.name for score in scores],
        "rows": [(row, [display(score.stats.get(row)) for score in scores]) for row in rows],
    }


def _trade_rows(score: Score, most: int = 200) -> tuple[int, list[str], list[list[str]]]:
    trades = score.trades
    columns = ["entry_time", "exit_time", "side", "entry_price", "exit_price", "reason", "fees", "funding", "slippage", "pnl"]
    rows = [
        [_price(value) if "price" in name else display(value) for name, value in zip(columns, row, strict=True)]
        for row in trades[columns].head(most).itertuples(index=False)
    ]
    return len(trades), columns, rows


def _price(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.6g}"
