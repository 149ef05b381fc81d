"""What was tried: the ledger of runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from liqbt.cli.output import print_json, print_table, say
from liqbt.cli.settings import Json, Store, Symbol

if TYPE_CHECKING:
    import pandas as pd

    from liqbt.ledger import Ledger

__all__ = ["LedgerAddress", "app"]

app = typer.Typer(help="List and compare what was tried; every backtest and report is recorded.")


def _option(*names: str, text: str) -> Any:
    return typer.Option(*names, help=text, show_default=False)


_ADDRESS: Final = "File or postgresql:// address of the ledger, or none.  [default: $LIQBT_LEDGER, else runs.sqlite in the store]"
LedgerAddress = Annotated[str | None, _option("--ledger", text=_ADDRESS)]
_UNITS: Final = {"total_return": "%", "max_drawdown": "%", "sharpe_year": "", "n_trades": ""}
_HEADER: Final = (
    "run", "recorded", "strategy", "market", "span", "parameters that differ", "total return", "worst drawdown", "Sharpe, yearly", "trades",
    "data",
)  # fmt: skip


@app.callback(invoke_without_command=True)
def runs(
    context: typer.Context,
    symbol: Symbol = None,
    venue: Annotated[str | None, _option("--venue", text="Venue, as given at import.")] = None,
    strategy: Annotated[str | None, _option("--strategy", text="Name of the results, as the column strategy shows it.")] = None,
    data: Annotated[str | None, _option("--data", text="Beginning of the data's SHA-256, as the column data shows it.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most runs to list.")] = 50,
    ledger: LedgerAddress = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """List what was tried, newest first."""
    if context.invoked_subcommand is not None:
        return
    book = _open(ledger, store)
    table = book.runs(symbol=symbol, venue=venue, strategy=strategy, data=data, limit=limit)
    if as_json:
        print_json({"ledger": book.label, "runs": _records(table)})
    elif table.empty:
        say(f"{book.label} holds no such run; backtests and reports are recorded in it")
    else:
        differing = {name: _differing(some["parameters"].tolist()) for name, some in table.groupby("strategy")}
        rows = [_line(run, row, differing[row["strategy"]]) for run, row in table.iterrows()]
        print_table(f"Runs in {book.label}, newest first", _HEADER, rows)


@app.command(epilog="Example: `liqbt runs compare 12 15`")
def compare(
    ids: Annotated[list[int], typer.Argument(metavar="RUN...", help="Two or more, as `liqbt runs` lists them.", show_default=False)],
    ledger: LedgerAddress = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Show runs side by side: every setting in which they differ, and all results."""
    book = _open(ledger, store)
    table = book.compare(ids)
    if as_json:
        values = {name: _plain(row.tolist()) for name, row in table.iterrows()}
        print_json({"ledger": book.label, "runs": table.columns.tolist(), "values": values})
        return
    rows = [(str(name), *(_shown(value) for value in row)) for name, row in table.iterrows()]
    print_table(f"Runs of {book.label}: where they differ, and results", ("", *(f"run {run}" for run in table.columns)), rows)


@app.command(epilog="Example: `liqbt runs show 12 --json`")
def show(
    run: Annotated[int, typer.Argument(metavar="RUN", help="As `liqbt runs` lists it.", show_default=False)],
    ledger: LedgerAddress = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Show everything that is recorded of a run."""
    book = _open(ledger, store)
    table = book.runs([run])
    if as_json:
        print_json({"ledger": book.label, **_records(table)[0]})
        return
    rows = [(name, _shown(value)) for name, value in _flat(table.iloc[0].to_dict()).items()]
    print_table(f"Run {run} of {book.label}", ("", "value"), rows)


def _open(ledger: str | None, store: str | None) -> Ledger:
    from liqbt.errors import ConfigError, StoreError
    from liqbt.ledger import NO_LEDGER, Ledger, default_ledger

    address = ledger or default_ledger(store or "store")
    if address == NO_LEDGER:
        raise ConfigError(f"--ledger: {NO_LEDGER!r} keeps no runs; name a file or a postgresql:// address")
    if ledger is not None and "://" not in ledger and not Path(ledger).exists():
        raise StoreError(f"{ledger}: there is no ledger; check --ledger, the first run that is recorded makes it")
    return Ledger(address)


def _differing(parameters: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of parameters that are not the same in all of them."""
    names = sorted({name for one in parameters for name in one})
    return [name for name in names if len({str(one.get(name)) for one in parameters}) > 1]


def _line(run: Any, row: pd.Series[Any], differing: Sequence[str]) -> tuple[str, ...]:
    return (
        str(run),
        _shown(row["created"]),
        row["strategy"],
        f"{row['venue']} {row['symbol']} {row['interval']}",
        f"{row['span_start']:%Y-%m-%d} to {row['span_end']:%Y-%m-%d}",
        " ".join(f"{name}={_shown(row['parameters'].get(name))}" for name in differing),
        *(_result(row[name], unit) for name, unit in _UNITS.items()),
        row["data_sha256"][:8],
    )


def _result(value: Any, unit: str) -> str:
    from liqbt.report.numbers import display

    return f"{display(100 * value)}%" if unit else display(value)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{"run": run, **{str(name): _plain(value) for name, value in row.items()}} for run, row in table.iterrows()]


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: no NaN, times in ISO."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _flat(values: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _shown(value: Any) -> str:
    from liqbt.report.numbers import display

    if isinstance(value, float) and 0 < abs(value) < 100:
        return f"{value:.4g}"  # settings and ratios per bar are often small
    return display(value)
