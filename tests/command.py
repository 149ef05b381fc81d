"""The command line in this process, and what it leaves behind."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
from dataclasses import dataclass

import pytest

from liqbt.cli import main


@dataclass(frozen=True)
class Done:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def run(*arguments):
    """What `liqbt ARGUMENTS` does."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["liqbt", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
    return Done(caught.value.code, out.getvalue(), err.getvalue())


def refused(*arguments, says):
    """The user's mistake: exit code 2, one line on stderr, nothing on stdout, no traceback."""
    done = run(*arguments)
    assert (done.code, done.out) == (2, ""), done
    assert done.err.startswith("liqbt: "), done.err
    assert done.err.splitlines() == [done.err.removesuffix("\n")], done.err
    assert says in done.err
    return done


def fingerprint(folder):
    """All files below a folder, each with the hash of its bytes and when it was written, and all folders."""
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }
