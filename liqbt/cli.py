"""The command line: parse, call, print. The only module that prints or exits.

Heavy libraries are imported inside the commands, so that `liqbt --help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click
import typer

from liqbt.errors import ConfigError, LiqbtError

if TYPE_CHECKING:
    from liqbt._typing import Progress
    from liqbt.run import RunConfig, RunResult

__all__ = ["app", "main"]

app = typer.Typer(
    name="liqbt",
    help="Reconstruct liquidation heatmaps without look-ahead, trade their signals on paper, and report what came of it.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
data_app = typer.Typer(help="Look at what was imported.", no_args_is_help=True)
app.add_typer(data_app, name="data")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines, and no progress.")]
Store = Annotated[str | None, typer.Option(help="Folder of the store.  [default: store]", show_default=False)]
Venue = Annotated[str | None, typer.Option(help="Venue, as given at import.  [default: binance]", show_default=False)]
Symbol = Annotated[str | None, typer.Option(help="Symbol as the venue writes it, such as SOLUSDT.", show_default=False)]
Interval = Annotated[str | None, typer.Option(help="Bar interval, such as 5m or 1h.", show_default=False)]
Start = Annotated[str | None, typer.Option(help="First instant, ISO, UTC.", show_default=False)]
End = Annotated[str | None, typer.Option(help="Instant to stop before, ISO, UTC.", show_default=False)]
Dataset = Annotated[str | None, typer.Option(help="A named data set instead of the store, such as synthetic-90d.", show_default=False)]
Config = Annotated[Path | None, typer.Option(help="TOML file with settings; options given here win over it.", show_default=False)]
Strategies = Annotated[
    list[str] | None, typer.Argument(help="Shipped names or paths of .py files.  [default: gravity sweep_reversal]", show_default=False)
]
Param = Annotated[
    list[str] | None, typer.Option("--param", help="A strategy's parameter, such as gravity.threshold=0.7; may be repeated.", show_default=False)
]
Leverage = Annotated[float | None, typer.Option(help="Leverage of each position.  [default: 1]", show_default=False)]


@app.command(epilog="Example: `liqbt demo --out out/demo`")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the report, the picture and the record of the run.")] = Path("out/demo"),
    as_json: Json = False,
) -> None:
    """Run the main job on a synthetic market that comes with liqbt, and write a report."""
    config = _config(None, dataset="synthetic-90d")
    if not as_json:
        _say("This is a SYNTHETIC market: 90 days simulated from a seed. Its price takes no notice of liquidations, so there is no edge to find.")
    with _progress(as_json) as tell:
        result = _run(config, tell)
        paths = _write_report(result, out / "report.html", tell) | {"heatmap": str(_write_png(result, out / "heatmap.png", None, None))}
    _finish(result, paths, as_json)


@app.command("import", epilog="Example: `liqbt import data/*.csv --reader coinalyze --utc-offset 6 --venue binance --symbol BTCUSDT`")
def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files of one symbol.", show_default=False)],
    reader: Annotated[str, typer.Option(help="coinalyze, freqtrade or generic_csv.", show_default=False)],
    symbol: Annotated[str, typer.Option(help="Symbol as the venue writes it, such as SOLUSDT.", show_default=False)],
    venue: Annotated[str, typer.Option(help="Venue that was recorded.")] = "binance",
    store: Annotated[Path, typer.Option(help="Folder of the store; made where it is missing.")] = Path("store"),
    table: Annotated[str | None, typer.Option(help="Canonical table, where the file does not tell.", show_default=False)] = None,
    interval: Annotated[str | None, typer.Option(help="Interval of the rows; inferred where left out.", show_default=False)] = None,
    utc_offset: Annotated[float, typer.Option(help="Hours by which the file's clock runs ahead of UTC.")] = 0.0,
    mapping: Annotated[str | None, typer.Option(help="For generic_csv: ohlcv, open_interest, or a TOML file.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Read recorded files, check every row, and keep them in the store. Where one file is refused, nothing is stored."""
    from liqbt.data.importing import import_files

    with _progress(as_json) as tell:
        results = import_files(
            paths, store=store, venue=venue, symbol=symbol, reader=reader, table=table, interval=interval,
            utc_offset_hours=utc_offset, mapping=mapping, progress=tell,
        )  # fmt: skip
    if as_json:
        import dataclasses

        _print_json([dataclasses.asdict(one) for one in results])
        return
    rows = [
        (one.source, one.table, one.interval or "", f"{one.rows:,}", f"{one.written.rows_new:,}", f"{one.written.rows_replaced:,}", "; ".join(one.notes))
        for one in results
    ]
    _table(f"Stored in {store}", ("file", "table", "interval", "rows", "new", "replaced", "mended"), rows)


@data_app.command("ls", epilog="Example: `liqbt data ls --store store`")
def data_ls(store: Annotated[Path, typer.Option(help="Folder of the store.")] = Path("store"), as_json: Json = False) -> None:
    """List what the store holds, and the data sets that come with liqbt."""
    from liqbt._time import format_ns
    from liqbt.data.store import Store as OpenStore
    from liqbt.datasets import describe_datasets

    entries = OpenStore(store).contents()
    if as_json:
        import dataclasses

        _print_json({"store": [dataclasses.asdict(one) for one in entries], "datasets": describe_datasets()})
        return
    rows = [
        (one.venue, one.symbol, one.table, one.interval or "", f"{one.rows:,}", format_ns(one.first), format_ns(one.last), str(len(one.sources)))
        for one in entries
    ]
    _table(f"Store {store}", ("venue", "symbol", "table", "interval", "rows", "first", "last", "files"), rows)
    _table("Data sets that come with liqbt (--dataset)", ("name", "what"), list(describe_datasets().items()))


@app.command(epilog="Example: `liqbt heatmap --symbol SOLUSDT --interval 5m --start 2026-01-01 --every 1h --out out/sol.png`")
def heatmap(
    store: Store = None, venue: Venue = None, symbol: Symbol = None, interval: Interval = None, start: Start = None, end: End = None,
    dataset: Dataset = None, config: Config = None,
    every: Annotated[str | None, typer.Option(help="Cadence of snapshots; chosen to fit the picture where left out.", show_default=False)] = None,
    bin_bps: Annotated[float | None, typer.Option(help="Width of a price bin, a multiple of the book's.", show_default=False)] = None,
    out: Annotated[Path, typer.Option(help="PNG to write.")] = Path("out/heatmap.png"),
    as_json: Json = False,
) -> None:  # fmt: skip
    """Draw where positions would be liquidated, under the candles."""
    settings = _config(config, dataset=dataset, store=store, venue=venue, symbol=symbol, interval=interval, start=start, end=end, strategies=[])
    with _progress(as_json) as tell:
        result = _run(settings, tell)
        path = _write_png(result, out, every, bin_bps)
        _write_record(result, out)
    _finish(result, {"heatmap": str(path)}, as_json)


@app.command(epilog="Example: `liqbt backtest gravity ./mine.py --symbol SOLUSDT --interval 5m --param gravity.threshold=0.7 --leverage 3`")
def backtest(
    strategies: Strategies = None,
    store: Store = None, venue: Venue = None, symbol: Symbol = None, interval: Interval = None, start: Start = None, end: End = None,
    dataset: Dataset = None, config: Config = None, param: Param = None, leverage: Leverage = None,
    out: Annotated[Path | None, typer.Option(help="Folder for trades and equity (CSV), statistics (JSON) and the record of the run.", show_default=False)] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Trade strategies on paper, as they would really have been filled, beside buy and hold."""
    settings = _config(
        config, dataset=dataset, store=store, venue=venue, symbol=symbol, interval=interval, start=start, end=end,
        strategies=strategies, param=param, leverage=leverage,
    )  # fmt: skip
    with _progress(as_json) as tell:
        result = _run(settings, tell)
        tell(0.5, "statistics")
        for score in (*result.scores, result.benchmark):
            _ = score.stats
        paths: dict[str, str] = {}
        if out is not None:
            from liqbt.report.files import write_scores

            for path in write_scores(out, (*result.scores, result.benchmark), _described(result)):
                paths[path.name] = str(path)
            paths["record"] = str(_write_record(result, out / "backtest"))
    _finish(result, paths, as_json)


@app.command(epilog="Example: `liqbt report gravity sweep_reversal --symbol SOLUSDT --interval 5m --out out/sol.html`")
def report(
    strategies: Strategies = None,
    store: Store = None, venue: Venue = None, symbol: Symbol = None, interval: Interval = None, start: Start = None, end: End = None,
    dataset: Dataset = None, config: Config = None, param: Param = None, leverage: Leverage = None,
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("out/report.html"),
    as_json: Json = False,
) -> None:  # fmt: skip
    """Write one self-contained HTML file: heatmap, trades, equity, statistics, assumptions, provenance."""
    settings = _config(
        config, dataset=dataset, store=store, venue=venue, symbol=symbol, interval=interval, start=start, end=end,
        strategies=strategies, param=param, leverage=leverage,
    )  # fmt: skip
    with _progress(as_json) as tell:
        result = _run(settings, tell)
        paths = _write_report(result, out, tell)
    _finish(result, paths, as_json)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        import liqbt

        typer.echo(f"liqbt {liqbt.__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line: exit code 0, 2 for the user's mistake, 1 for ours, 130 when interrupted."""
    try:
        code = app(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except LiqbtError as error:
        typer.echo(f"liqbt: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last line of defence turns a defect into a message
        if os.environ.get("LIQBT_TRACEBACK"):
            traceback.print_exc()
        typer.echo(f"liqbt: a defect of liqbt, please report it: {type(error).__name__}: {error} (LIQBT_TRACEBACK=1 shows where)", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _config(
    path: Path | None,
    *,
    strategies: list[str] | None = None,
    param: list[str] | None = None,
    leverage: float | None = None,
    **data: str | None,
) -> RunConfig:
    from liqbt.run import RunConfig, read_config

    values = {} if path is None else read_config(path)
    given = {key: value for key, value in data.items() if value is not None}
    if "symbol" in given or "store" in given:  # the store was asked for, whatever data set the file names
        values["data"] = {key: value for key, value in values.get("data", {}).items() if key != "dataset"}
    values["data"] = {**values.get("data", {}), **given}
    if strategies is not None:
        values["strategies"] = [{"name": name} for name in strategies]
    if leverage is not None:
        values["execution"] = {**values.get("execution", {}), "leverage": leverage}
    config = RunConfig.of(values, str(path) if path else "options")
    return _with_parameters(config, param or [])


def _with_parameters(config: RunConfig, assignments: list[str]) -> RunConfig:
    from liqbt.errors import did_you_mean

    by_stem = {Path(one.name).stem: dict(one.parameters) for one in config.strategies}
    for text in assignments:
        target, found, value = text.partition("=")
        name, dot, key = target.partition(".")
        if not (found and dot):
            raise ConfigError(f"--param: {text!r} is not of the form strategy.parameter=value")
        if name not in by_stem:
            raise ConfigError(f"--param: no strategy {name!r} in this run{did_you_mean(name, by_stem)}")
        by_stem[name][key] = value
    strategies = tuple(one.model_copy(update={"parameters": by_stem[Path(one.name).stem]}) for one in config.strategies)
    return config.model_copy(update={"strategies": strategies})


def _run(config: RunConfig, tell: Progress) -> RunResult:
    from liqbt.run import run

    return run(config, progress=tell)


def _described(result: RunResult) -> dict[str, Any]:
    from liqbt.report.provenance import provenance

    return provenance(result.market, result.book, result.config.features, result.scores)


def _write_record(result: RunResult, beside: Path) -> Path:
    from liqbt.report.files import write_whole

    return write_whole(beside.with_suffix(".run.toml"), result.config.to_toml(_described(result)))


def _write_report(result: RunResult, path: Path, tell: Progress) -> dict[str, str]:
    from liqbt.report.html import write_report

    written = write_report(
        path, market=result.market, book=result.book, scores=result.scores, benchmark=result.benchmark,
        features=result.config.features, progress=tell,
    )  # fmt: skip
    return {"report": str(written), "record": str(_write_record(result, path))}


def _write_png(result: RunResult, path: Path, every: str | None, bin_bps: float | None) -> Path:
    from liqbt._time import format_interval
    from liqbt.report.candles import picture_step
    from liqbt.report.png import write_heatmap_png
    from liqbt.zones import find_zones

    heat = result.book.heatmap(every or format_interval(picture_step(result.market, 1600)), bin_bps=bin_bps)
    return write_heatmap_png(path, heat, result.market, zones=find_zones(heat, result.config.features.zones))


def _finish(result: RunResult, paths: dict[str, str], as_json: bool) -> None:
    """Print what a run found, what it assumed, and where it was written."""
    if as_json:
        from liqbt.report.files import stats_of

        document = {"bars": result.market.n_bars, "synthetic": result.market.synthetic, "notes": _notes(result), "written": paths}
        _print_json({**document, "stats": stats_of((*result.scores, result.benchmark)) if result.scores else {}})
        return
    _say(repr(result.market))
    if result.scores:
        from liqbt.report.html import CARDS
        from liqbt.report.numbers import display

        scores = (*result.scores, result.benchmark)
        rows = [(score.name, *(f"{display(score.stats[key])}{unit}" for key, _, unit in CARDS)) for score in scores]
        _table("Net of fees, slippage and recorded funding; no test against chance was run", ("", *(label for _, label, _ in CARDS)), rows)
    for note in _notes(result):
        _say(f"note: {note}")
    for what, path in paths.items():
        typer.echo(f"{what}: {path}")


def _notes(result: RunResult) -> list[str]:
    found = [finding.message for finding in result.market.findings]
    return list(dict.fromkeys([*found, *result.book.notes, *(note for score in result.scores for note in score.notes)]))


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def _table(title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for position, name in enumerate(header):
        table.add_column(name, justify="left" if position == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # as text, for names may hold what looks like markup
    Console().print(table)


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """Show a bar on stderr while work goes on; nothing where it is no terminal or `quiet`."""
    if quiet or not sys.stderr.isatty():
        yield lambda _share, _what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=what)
