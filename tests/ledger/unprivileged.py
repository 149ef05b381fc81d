"""What permissions forbid, also where tests run as root."""

from __future__ import annotations

import contextlib
import os
import pwd


@contextlib.contextmanager
def bound_by_permissions():
    """Act as somebody to whom permissions apply, which root is not."""
    if os.geteuid() != 0:
        yield
        return
    nobody = pwd.getpwnam("nobody")
    os.setresgid(nobody.pw_gid, nobody.pw_gid, 0)
    os.setresuid(nobody.pw_uid, nobody.pw_uid, 0)  # the third, saved, is the way back
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
