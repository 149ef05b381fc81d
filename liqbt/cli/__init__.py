"""The command line: parse, call, print. The only room that prints or exits.

Heavy libraries are imported inside the commands, so that `liqbt --help` answers at once.
"""

from __future__ import annotations

import os
import sys
import traceback

import typer

from liqbt.cli import evaluation, ledger, recordings, studies
from liqbt.cli.commands import app
from liqbt.errors import LiqbtError

__all__ = ["app", "main"]

app.command("import", epilog="Example: `liqbt import recordings/ --store store`")(recordings.import_)
app.command(epilog="Example: `liqbt download BTCUSDT --start 2026-01-01 --end 2026-02-01 --interval 5m`")(recordings.download)
app.command(epilog="Example: `liqbt evaluate gravity --symbol SOLUSDT --interval 5m --out out/verdicts.html`")(evaluation.evaluate)
app.command(epilog="Example: `liqbt certify --out docs/statistics.md`")(evaluation.certify)
app.command(epilog="Example: `liqbt fidelity --seeds 5 --days 14 --out out/fidelity`")(studies.fidelity)
app.add_typer(ledger.app, name="runs", epilog="Example: `liqbt runs --symbol SOLUSDT --strategy gravity`")
app.add_typer(recordings.app, name="data", epilog="Example: `liqbt data ls --store store`")

_USAGE_ERROR = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")  # typer brings its own click


def main() -> None:
    """Run the command line: exit code 0, 2 for the user's mistake, 1 for ours, 130 when interrupted."""
    try:
        code = app(standalone_mode=False)
    except typer.Exit as error:
        sys.exit(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except LiqbtError as error:
        typer.echo(f"liqbt: {' '.join(str(error).splitlines())}", err=True)  # a file's name may hold line breaks
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - the last line of defence turns a defect into a message
        if isinstance(error, _USAGE_ERROR):
            error.show()  # type: ignore[attr-defined]
            sys.exit(2)
        if os.environ.get("LIQBT_TRACEBACK"):
            traceback.print_exc()
        told = f"{type(error).__name__}: {error}"
        typer.echo(f"liqbt: a defect of liqbt, please report it: {told} (LIQBT_TRACEBACK=1 shows where)", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
