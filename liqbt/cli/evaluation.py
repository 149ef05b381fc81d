"""The commands that ask whether signals hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liqbt.cli.output import notes_of, print_json, print_paths, print_table, progress_bar, say
from liqbt.cli.settings import Config, Dataset, End, Interval, Json, Start, Store, Symbol, Venue, make_config

if TYPE_CHECKING:
    from liqbt.book.reconstruct import Reconstruction
    from liqbt.evaluation import Evaluation, RobustnessGrid
    from liqbt.run import RunConfig

__all__ = ["certify", "evaluate"]


def evaluate(
    hypotheses: Annotated[
        list[str] | None, typer.Argument(help="Such as gravity or sweep_reversal.  [default: all]", show_default=False)
    ] = None,
    store: Store = None, venue: Venue = None, symbol: Symbol = None, interval: Interval = None, start: Start = None, end: End = None,
    dataset: Dataset = None, config: Config = None,
    tuned_until: Annotated[
        str | None, typer.Option(help="Data up to here helped to choose anything; it is not judged.", show_default=False)
    ] = None,
    draws: Annotated[int | None, typer.Option(help="Of the bootstrap.  [default: 2000]", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(help="Of bootstrap and controls.  [default: 0]", show_default=False)] = None,
    robust: Annotated[
        list[str] | None, typer.Option("--robust", help="Also over thresholds, horizons and mixes; may be repeated.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="HTML file to write, with tables (CSV) beside it.", show_default=False)] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Test whether the folklore holds on a market: holds, does not hold, or not enough data."""
    from liqbt.report.files import write_whole
    from liqbt.report.html import write_report
    from liqbt.run import evaluate_market, robustness_of

    settings = make_config(
        config, dataset=dataset, store=store, venue=venue, symbol=symbol, interval=interval, start=start, end=end,
        evaluation={"hypotheses": hypotheses or None, "tuned_until": tuned_until, "draws": draws, "seed": seed},
    )  # fmt: skip
    paths: dict[str, str] = {}
    with progress_bar(as_json) as tell:
        book, found = evaluate_market(settings, progress=lambda share, what: tell((0.5 if robust else 0.9) * share, what))
        grids = [robustness_of(settings, book, name, progress=lambda share, what: tell(0.5 + 0.4 * share, what)) for name in robust or ()]
        if out is not None:
            tell(0.95, "report")
            written = write_report(
                out, market=book.market, book=book, scores=(), features=settings.features, evaluation=found, grids=grids
            )  # fmt: skip
            paths = {"report": str(written)}
            for name, table in _tables(found, grids).items():
                paths[name] = str(write_whole(out.with_name(f"{out.stem}.{name}.csv"), table.to_csv(index=False)))
            paths["record"] = str(write_whole(out.with_name(f"{out.name}.run.toml"), settings.to_toml(_described(found, book, settings))))
    _finish(found, notes_of(book.market, found.notes), paths, as_json)


def certify(
    out: Annotated[Path, typer.Option(help="Markdown file to write; figures go beside it.")] = Path("docs/statistics.md"),
    work: Annotated[Path, typer.Option(help="Folder of finished markets; an interrupted run goes on from there.")] = Path(
        "out/certificate"
    ),
    markets: Annotated[
        int | None, typer.Option(help="Markets of each case.  [default: 200 nulls, 100 planted]", show_default=False)
    ] = None,
    days: Annotated[int, typer.Option(help="Days of each market.")] = 60,
    workers: Annotated[int | None, typer.Option(help="Processes.  [default: all cores]", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Evaluate the evaluation: how often it rejects where nothing is to be found, and finds what was planted."""
    from liqbt.evaluation.certificate import certify as run_certificate
    from liqbt.report.certificate_page import write_certificate

    with progress_bar(as_json) as tell:
        rows = run_certificate(work, markets=markets, days=days, workers=workers, progress=tell)
        paths = {name: str(path) for name, path in write_certificate(out, rows, days=days).items()}
    if as_json:
        print_json({"rows": len(rows), "written": paths})
        return
    print_paths(paths)


def _tables(found: Evaluation, grids: list[RobustnessGrid]) -> dict[str, Any]:
    tables: dict[str, Any] = {"verdicts": found.verdicts, "controls": found.controls, "ablations": found.ablations}
    return tables | {f"robustness.{grid.hypothesis.name}": grid.to_frame() for grid in grids}


def _described(found: Evaluation, book: Reconstruction, settings: RunConfig) -> dict[str, Any]:
    from liqbt.report.provenance import provenance

    described = provenance(book.market, book, settings.features, ())
    described["seeds"] |= {"evaluation": found.seed}
    return described


def _finish(found: Evaluation, notes: list[str], paths: dict[str, str], as_json: bool) -> None:
    from liqbt.report.verdict_table import VERDICT_HEADER, verdict_rows

    if as_json:
        document = {"span": found.span, "cost_bps": found.cost_bps, "draws": found.draws, "seed": found.seed, "notes": notes}
        tables = {name: _records(table) for name, table in _tables(found, []).items()}
        print_json(document | {"written": paths} | tables)
        return
    say(repr(found.context.market))
    rows = [[row[name] for name in VERDICT_HEADER] for row in verdict_rows(found)]
    print_table("Verdicts; pts are points of probability above what a martingale gives", VERDICT_HEADER, rows)
    for note in notes:
        say(f"note: {note}")
    print_paths(paths)


def _records(table: Any) -> Any:
    import json

    return json.loads(table.to_json(orient="records", double_precision=15))
