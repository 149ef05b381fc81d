"""The commands about recorded data: fetch it, keep it, look at it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liqbt.cli.output import print_json, print_paths, print_table, progress_bar, say
from liqbt.cli.settings import Json

if TYPE_CHECKING:
    from liqbt.data.importing import ImportResult
    from liqbt.margin import TierTable

__all__ = ["app", "download", "import_"]

app = typer.Typer(help="Look at what was imported.", no_args_is_help=True)

StorePath = Annotated[str, typer.Option("--store", help="Folder of the store, or s3://bucket/prefix; made where it is missing.")]


def _option(text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(help=text, show_default=False)
    return option


def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of files.", show_default=False)],
    symbol: Annotated[str | None, _option("Symbol as the venue writes it, such as SOLUSDT; where the files do not tell.")] = None,
    venue: Annotated[str | None, _option("Venue that was recorded.  [default: what the files tell, else binance]")] = None,
    store: StorePath = "store",
    reader: Annotated[str | None, _option("Take only kinds of this reader, such as tardis.  [default: what the contents tell]")] = None,
    table: Annotated[str | None, _option("Canonical table, where the contents leave a choice.")] = None,
    interval: Annotated[str | None, _option("Interval of the rows; inferred where left out.")] = None,
    quote: Annotated[str | None, _option("Currency to append to coins that only file names tell: USDT makes SOL to SOLUSDT.")] = None,
    utc_offset: Annotated[float, typer.Option(help="Hours by which the files' clock runs ahead of UTC.")] = 0.0,
    mapping: Annotated[str | None, _option("Columns of any text: ohlcv, open_interest, or a TOML file.")] = None,
    contract_size: Annotated[float | None, _option("Where amounts are contracts: base coin (linear) or USD (inverse) a contract.")] = None,
    depth_interval: Annotated[str, typer.Option(help="Keep one depth profile of an order book in each such interval.")] = "10s",
    as_json: Json = False,
) -> None:
    """Read recorded files, tell what each was taken for, check every row, and keep them in the store.

    Where one file is refused, nothing is stored.
    """
    from liqbt.data.importing import import_files

    with progress_bar(as_json) as tell:
        results = import_files(
            paths, store=store, venue=venue, symbol=symbol, reader=reader, table=table, interval=interval, quote=quote,
            utc_offset_hours=utc_offset, mapping=mapping, contract_size=contract_size, depth_interval=depth_interval, progress=tell,
        )  # fmt: skip
    if as_json:
        print_json([dataclasses.asdict(one) for one in results])
    else:
        print_imported(results, store)


def download(
    symbol: Annotated[str, typer.Argument(help="As Binance writes it: BTCUSDT, or BTCUSD_PERP for COIN-M.", show_default=False)],
    start: Annotated[str, _option("First day, ISO, UTC.")],
    end: Annotated[str, _option("Day to stop before, ISO, UTC.")],
    tables: Annotated[
        str, typer.Option(help="Of klines, markPriceKlines, indexPriceKlines, premiumIndexKlines, aggTrades, trades, metrics, bookDepth, "
                               "fundingRate, liquidationSnapshot; with commas between.")
    ] = "klines,markPriceKlines,metrics,fundingRate",
    interval: Annotated[str | None, _option("Of candles.  [default: 5m]")] = None,
    to: Annotated[Path, typer.Option(help="Folder for the archive's files; what is there is not fetched again.")] = Path("downloads"),
    store: StorePath = "store",
    base_url: Annotated[str | None, _option("Where the archive lies.  [default: Binance's public one]")] = None,
    workers: Annotated[int, typer.Option(help="Files fetched at once.")] = 4,
    only_fetch: Annotated[bool, typer.Option("--only-fetch", help="Do not import what was fetched.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Fetch files of Binance's public archive, verify them, and import them. Run it again to resume or extend.

    Days that the archive lacks are listed. Where a file cannot be had, the others are kept and imported, and the exit code is 2.
    """
    from liqbt.data.download import ARCHIVE_TABLES, BASE_URL
    from liqbt.data.download import download as fetch
    from liqbt.data.importing import import_files
    from liqbt.errors import DataError

    names = tuple(name.strip() for name in tables.split(",") if name.strip())
    if interval is None and any(ARCHIVE_TABLES[name].klines for name in names if name in ARCHIVE_TABLES):
        interval = "5m"
    with progress_bar(as_json) as tell:
        found = fetch(
            symbol, tables=names, interval=interval, start=start, end=end, folder=to, base_url=base_url or BASE_URL, workers=workers,
            progress=tell,
        )  # fmt: skip
        results = [] if only_fetch or not found.files else import_files(found.files, store=store, symbol=symbol, progress=tell)
    if as_json:
        print_json({**dataclasses.asdict(found), "imported": [dataclasses.asdict(one) for one in results]})
    else:
        if results:
            print_imported(results, store)
        say(f"{len(found.fetched)} files fetched, {len(found.already)} were there, {len(found.missing)} are not in the archive")
        for name in found.missing:
            say(f"missing: {name}")
        for one in found.failed:
            say(f"failed: {one.name}: {one.reason}")
    if found.failed:
        first = found.failed[0]
        raise DataError(f"download: {len(found.failed)} files could not be had, the first {first.name} ({first.reason}); run it again")
    if not found.files:
        raise DataError(f"download: the archive has nothing of {symbol} from {start} to {end}; check symbol, tables and dates")


def print_imported(results: Sequence[ImportResult], store: str) -> None:
    """Print what each file was taken for, what was mended in it, and what it changed in the store."""
    rows = [
        (
            file.source,
            file.taken_for,
            f"{one.venue} {one.symbol}",
            f"{one.table} {one.interval or ''}".strip(),
            f"{one.rows:,}",
            f"{one.written.rows_new:,}",
            f"{one.written.rows_replaced:,}",
        )
        for file in results
        for one in file.stored
    ]
    print_table(f"Stored in {store}", ("file", "taken for", "market", "table", "rows", "new", "replaced"), rows)
    for file in results:
        for note in file.notes:
            say(f"{file.source}: {note}")


@app.command("ls", epilog="Example: `liqbt data ls --store store`")
def ls(store: StorePath = "store", as_json: Json = False) -> None:
    """List what the store holds, and the data sets that come with liqbt."""
    from liqbt._time import format_ns
    from liqbt.data.store import Store
    from liqbt.datasets import describe_datasets

    entries = Store(store).contents()
    if as_json:
        print_json({"store": [dataclasses.asdict(one) for one in entries], "datasets": describe_datasets()})
        return
    rows = [
        (
            one.venue,
            one.symbol,
            one.table,
            one.interval or "",
            f"{one.rows:,}",
            format_ns(one.first),
            format_ns(one.last),
            str(len(one.sources)),
        )
        for one in entries
    ]
    if rows:
        print_table(f"Store {store}", ("venue", "symbol", "table", "interval", "rows", "first", "last", "files"), rows)
    else:
        say(f"{store} holds nothing yet; put files in it with `liqbt import`")
    print_table("Data sets that come with liqbt (--dataset)", ("name", "what"), list(describe_datasets().items()))


@app.command("check", epilog="Example: `liqbt data check --store store --symbol BTCUSDT --against coinalyze --picture out/coverage.png`")
def check(
    venue: Annotated[str | None, _option("Only this venue.")] = None,
    symbol: Annotated[str | None, _option("Only this symbol.")] = None,
    start: Annotated[str | None, _option("First instant, ISO, UTC.")] = None,
    end: Annotated[str | None, _option("Instant to stop before, ISO, UTC.")] = None,
    against: Annotated[str | None, _option("Compare bars with those of this venue: shows shifted clocks and missing volume.")] = None,
    picture: Annotated[Path | None, _option("PNG of coverage over time to write.")] = None,
    store: StorePath = "store",
    as_json: Json = False,
) -> None:
    """Look for what is wrong with recordings: gaps, doubled rows, frozen values, outliers, wrong units, shifted clocks, throttled feeds."""
    from liqbt.data.quality import check_store

    with progress_bar(as_json) as tell:
        report = check_store(store, venue=venue, symbol=symbol, start=start, end=end, against=against, progress=tell)
    written = {}
    if picture is not None:
        from liqbt.report.coverage import write_coverage_png

        written = {"picture": str(write_coverage_png(picture, report))}
    if as_json:
        print_json({**report.to_dict(), "written": written})
        return
    rows = [
        (f"{some.venue} {some.symbol}", one.table, one.severity, one.code, f"{one.count:,}", one.message)
        for some in report.symbols
        for one in some.findings
    ]
    if rows:
        print_table("What is wrong, the gravest first", ("market", "table", "severity", "code", "rows", "what"), rows)
    say(", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in report.counts.items()))
    print_paths(written)


@app.command("tiers", epilog="Example: `liqbt data tiers binance_leverage_tiers.json --venue binance --as-of 2026-09-29`")
def tiers(
    path: Annotated[Path | None, typer.Argument(help="JSON as a venue, ccxt or freqtrade gives it.", show_default=False)] = None,
    venue: Annotated[str | None, _option("Venue, as the store calls it; where the file does not tell.")] = None,
    symbol: Annotated[str | None, _option("Take only this one, or the name of a table without one.")] = None,
    as_of: Annotated[str | None, _option("Day when the file was fetched, ISO.")] = None,
    contract_size: Annotated[float | None, _option("For OKX, whose bounds count contracts: ctVal.")] = None,
    price: Annotated[float | None, _option("For OKX: price in quote to value contracts at.")] = None,
    percent: Annotated[bool, typer.Option("--percent", help="Maintenance rates are written as 0.5 for 0.5 %.")] = False,
    store: StorePath = "store",
    as_json: Json = False,
) -> None:
    """Import bracket tables (leverage tiers), which then win over the ones that come with liqbt; without a file, list all."""
    from liqbt.data.store import Store
    from liqbt.errors import ConfigError
    from liqbt.loading import tiers_folder
    from liqbt.margin import read_tiers, save_tiers, saved_tables, shipped_tables

    folder = tiers_folder(Store(store))
    if folder is None:
        raise ConfigError(f"store: {store} is on S3, which keeps no bracket tables; use a store in a folder")
    if path is None:
        tables: list[tuple[str, TierTable]] = [("imported", one) for one in saved_tables(folder)]
        tables += [("with liqbt", one) for one in shipped_tables()]
    else:
        read = read_tiers(
            path, venue=venue, symbol=symbol, as_of=as_of, contract_size=contract_size, price=price,
            rate_unit="percent" if percent else "fraction",
        )  # fmt: skip
        for name in sorted({one.venue for one in read.values()}):
            save_tiers(folder, name, {key: one for key, one in read.items() if one.venue == name})
        tables = [("imported", one) for one in read.values()]
    if as_json:
        print_json([{"from": origin, **_table_fields(one)} for origin, one in tables])
        return
    rows = [
        (f"{one.venue} {one.symbol}", origin, one.contract, str(len(one.tiers)), f"{one.tiers[0].max_leverage:g}x",
         f"{one.tiers[0].maintenance_margin_rate:.2%}", str(one.as_of or "undated"))
        for origin, one in tables
    ]  # fmt: skip
    print_table("Leverage tiers", ("market", "from", "contract", "tiers", "highest leverage", "maintenance", "as of"), rows)


def _table_fields(table: TierTable) -> dict[str, Any]:
    """Return a bracket table in types that JSON can hold; an open end is null."""
    fields = dataclasses.asdict(table)
    for tier in fields["tiers"]:
        if math.isinf(tier["max_notional"]):
            tier["max_notional"] = None
    return fields
