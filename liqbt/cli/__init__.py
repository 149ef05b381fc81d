"""The command line: parse, call, print. The only room that prints or exits.

Heavy libraries are imported inside the commands, so that `liqbt --help` answers at once.
"""

from __future__ import annotations

import os
import sys
import traceback

import click
import typer

from liqbt.cli.commands import app
from liqbt.errors import LiqbtError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line: exit code 0, 2 for the user's mistake, 1 for ours, 130 when interrupted."""
    try:
        code = app(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except LiqbtError as error:
        typer.echo(f"liqbt: {error}", err=True)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - the last line of defence turns a defect into a message
        if os.environ.get("LIQBT_TRACEBACK"):
            traceback.print_exc()
        told = f"{type(error).__name__}: {error}"
        typer.echo(f"liqbt: a defect of liqbt, please report it: {told} (LIQBT_TRACEBACK=1 shows where)", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
