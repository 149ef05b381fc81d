"""How commands talk: tables and notes for people, JSON for machines, a bar while work goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from liqbt._typing import Progress
    from liqbt.market import MarketFrame
    from liqbt.scoring import Score

__all__ = ["notes_of", "print_json", "print_paths", "print_scores", "print_table", "progress_bar", "say"]


def say(text: str) -> None:
    """Print a line about the work, on stderr, so that it never mixes with results."""
    typer.echo(text, err=True)


def print_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout; cells are plain text, whatever they look like."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for position, name in enumerate(header):
        table.add_column(name, justify="left" if position == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 160)  # a file or pipe has no width to fit
    console.print(table)


def print_scores(scores: Sequence[Score]) -> None:
    """Print the headline statistics of scores, one row each."""
    from liqbt.report.numbers import CARDS, card_value

    rows = [(score.name, *(card_value(score, key, unit) for key, _, unit in CARDS)) for score in scores]
    print_table("Net of fees, slippage and recorded funding; no test against chance was run", ("", *(name for _, name, _ in CARDS)), rows)


def notes_of(market: MarketFrame, *notes: Sequence[str]) -> list[str]:
    """Return what is wrong with the data and what was assumed, each once."""
    return list(dict.fromkeys([*(finding.message for finding in market.findings), *(note for some in notes for note in some)]))


def print_paths(paths: dict[str, str]) -> None:
    """Print where results were written."""
    for what, path in paths.items():
        typer.echo(f"{what}: {path}")


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Progress]:
    """Show a bar on stderr while work goes on; nothing where stderr is no terminal, or `quiet`."""
    if quiet or not sys.stderr.isatty():
        yield lambda _share, _what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=what)
