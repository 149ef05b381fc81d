"""The commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liqbt.cli.ledger import LedgerAddress
from liqbt.cli.output import notes_of, print_json, print_paths, print_scores, progress_bar, say
from liqbt.cli.settings import (
    Config,
    Dataset,
    End,
    Interval,
    Json,
    Leverage,
    Param,
    Start,
    Store,
    Strategies,
    Symbol,
    Venue,
    make_config,
)  # fmt: skip

if TYPE_CHECKING:
    from liqbt._typing import Progress
    from liqbt.book.reconstruct import Reconstruction
    from liqbt.run import RunConfig, RunResult

__all__ = ["app"]

app = typer.Typer(
    name="liqbt",
    help="Reconstruct liquidation heatmaps without look-ahead, trade their signals on paper, and report what came of it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

DEMO = "synthetic-90d"


@app.command(epilog="Example: `liqbt demo --out out/demo`")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the report, the picture and the record of the run.")] = Path("out/demo"),
    ledger: LedgerAddress = None,
    as_json: Json = False,
) -> None:
    """Run the main job on a synthetic market that comes with liqbt, and write a report."""
    if not as_json:
        say("This is a SYNTHETIC market: 90 days from a seed. Its price takes no notice of liquidations: there is no edge to find.")
    with progress_bar(as_json) as tell:
        result = _run(make_config(None, dataset=DEMO), tell, ledger)
        paths = {"heatmap": _draw(result.book, result.config, out / "heatmap.png", None, None)}
        paths |= _write_report(result, out / "report.html", tell)
    _finish(result, paths, as_json)


@app.command(epilog="Example: `liqbt heatmap --symbol SOLUSDT --interval 5m --start 2026-01-01 --every 1h --out out/sol.png`")
def heatmap(
    store: Store = None, venue: Venue = None, symbol: Symbol = None, interval: Interval = None, start: Start = None, end: End = None,
    dataset: Dataset = None, config: Config = None,
    every: Annotated[str | None, typer.Option(help="Cadence of snapshots; fits the picture where left out.", show_default=False)] = None,
    bin_bps: Annotated[float | None, typer.Option(help="Width of a price bin, a multiple of the book's.", show_default=False)] = None,
    out: Annotated[Path, typer.Option(help="PNG to write.")] = Path("out/heatmap.png"),
    as_json: Json = False,
) -> None:  # fmt: skip
    """Draw where positions would be liquidated, under the candles."""
    from liqbt.report.provenance import provenance
    from liqbt.run import reconstruct_market

    settings = make_config(
        config, dataset=dataset, store=store, venue=venue, symbol=symbol, interval=interval, start=start, end=end,
    )  # fmt: skip
    with progress_bar(as_json) as tell:
        book = reconstruct_market(settings, progress=tell)
        tell(1.0, "drawing")
        paths = {"heatmap": _draw(book, settings, out, every, bin_bps)}
    paths["record"] = _write_record(settings, provenance(book.market, book, settings.features, ()), out)
    notes = notes_of(book.market, book.notes)
    if as_json:
        print_json({"bars": book.market.n_bars, "synthetic": book.market.synthetic, "notes": notes, "written": paths})
        return
    say(repr(book.market))
    for note in notes:
        say(f"note: {note}")
    print_paths(paths)


@app.command(epilog="Example: `liqbt backtest gravity ./mine.py --symbol SOLUSDT --interval 5m --param gravity.threshold=0.7 --leverage 3`")
def backtest(
    strategies: Strategies = None,
    store: Store = None, venue: Venue = None, symbol: Symbol = None, interval: Interval = None, start: Start = None, end: End = None,
    dataset: Dataset = None, config: Config = None, param: Param = None, leverage: Leverage = None,
    ledger: LedgerAddress = None,
    check_lookahead: Annotated[
        bool, typer.Option("--check-lookahead", help="First ask the strategies again without the future; ends where one looks ahead.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for trades and equity (CSV), statistics (JSON), record of the run.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Trade strategies on paper, as they would really have been filled, beside buy and hold."""
    from liqbt.report.files import write_scores

    settings = make_config(
        config, dataset=dataset, store=store, venue=venue, symbol=symbol, interval=interval, start=start, end=end,
        strategies=strategies, param=param, leverage=leverage,
    )  # fmt: skip
    paths: dict[str, str] = {}
    with progress_bar(as_json) as tell:
        checked = _checked(settings, tell) if check_lookahead else []
        result = _run(settings, tell, ledger)
        scores = (*result.scores, result.benchmark)
        for done, score in enumerate(scores):
            tell(done / len(scores), f"statistics of {score.name}")
            _ = score.stats
        if out is not None:
            described = result.provenance()
            paths = {path.name: str(path) for path in write_scores(out, scores, described)}
            paths["record"] = _write_record(settings, described, out / "backtest")
    for line in [] if as_json else checked:
        say(line)
    _finish(result, paths, as_json)


@app.command(epilog="Example: `liqbt report gravity sweep_reversal --symbol SOLUSDT --interval 5m --out out/sol.html`")
def report(
    strategies: Strategies = None,
    store: Store = None, venue: Venue = None, symbol: Symbol = None, interval: Interval = None, start: Start = None, end: End = None,
    dataset: Dataset = None, config: Config = None, param: Param = None, leverage: Leverage = None,
    ledger: LedgerAddress = None,
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("out/report.html"),
    as_json: Json = False,
) -> None:  # fmt: skip
    """Write one self-contained HTML file: heatmap, trades, equity, statistics, assumptions, provenance."""
    settings = make_config(
        config, dataset=dataset, store=store, venue=venue, symbol=symbol, interval=interval, start=start, end=end,
        strategies=strategies, param=param, leverage=leverage,
    )  # fmt: skip
    with progress_bar(as_json) as tell:
        result = _run(settings, tell, ledger)
        paths = _write_report(result, out, tell)
    _finish(result, paths, as_json)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        import liqbt

        typer.echo(f"liqbt {liqbt.__version__}")
        raise typer.Exit


def _run(config: RunConfig, tell: Progress, ledger: str | None) -> RunResult:
    from liqbt.run import run

    return run(config if ledger is None else config.model_copy(update={"ledger": ledger}), progress=tell)


def _checked(config: RunConfig, tell: Progress) -> list[str]:
    """Return what the check for look-ahead says of each strategy; raises ConfigError for the first that does not pass."""
    from liqbt.errors import ConfigError
    from liqbt.run import check_strategies

    reports = check_strategies(config, progress=tell)
    for report in reports:
        if not report.clean:
            raise ConfigError(report.message)
    return [line for report in reports for line in (report.message, *(f"{report.strategy}: {note}" for note in report.notes))]


def _draw(book: Reconstruction, config: RunConfig, path: Path, every: str | None, bin_bps: float | None) -> str:
    from liqbt.report.candles import picture_cadence
    from liqbt.report.png import write_heatmap_png
    from liqbt.zones import find_zones

    heat = book.heatmap(every or picture_cadence(book.market, 1600), bin_bps=bin_bps)
    return str(write_heatmap_png(path, heat, book.market, zones=find_zones(heat, config.features.zones)))


def _write_report(result: RunResult, path: Path, tell: Progress) -> dict[str, str]:
    from liqbt.report.html import write_report

    written = write_report(
        path, market=result.market, book=result.book, scores=result.scores, benchmark=result.benchmark,
        features=result.config.features, sources=result.sources, progress=tell,
    )  # fmt: skip
    return {"record": _write_record(result.config, result.provenance(), path), "report": str(written)}


def _write_record(config: RunConfig, described: dict[str, Any], beside: Path) -> str:
    from liqbt.report.files import write_whole

    return str(write_whole(beside.with_name(f"{beside.name}.run.toml"), config.to_toml(described)))


def _finish(result: RunResult, paths: dict[str, str], as_json: bool) -> None:
    """Print what a run found, what it assumed, and where it was written."""
    scores = (*result.scores, result.benchmark)
    notes = notes_of(result.market, result.book.notes, *(score.notes for score in scores), result.notes)
    if as_json:
        from liqbt.report.files import stats_of

        trials = None if result.trials is None else result.trials.count
        document = {"bars": result.market.n_bars, "synthetic": result.market.synthetic, "notes": notes, "trials": trials}
        print_json({**document, "written": paths, "stats": stats_of(scores)})
        return
    say(repr(result.market))
    print_scores(scores)
    for note in notes:
        say(f"note: {note}")
    print_paths(paths)
