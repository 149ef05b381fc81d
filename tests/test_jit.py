"""Compiled kernels never outlive the source that they were made from."""

import os
import subprocess
import sys

CALLEE = "from liqbt._jit import kernel\n\n\n@kernel\ndef amount(x):\n    return x + {added}\n"
CALLER = (
    "from callee import amount\nfrom liqbt._jit import kernel\n\n\n@kernel\ndef twice(x):\n    return 2 * amount(x)\n\n\nprint(twice(1))\n"
)


def run(folder):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run([sys.executable, "caller.py"], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_caller_is_compiled_again_when_its_callee_in_another_file_changed(tmp_path):
    (tmp_path / "caller.py").write_text(CALLER)
    (tmp_path / "callee.py").write_text(CALLEE.format(added=1))
    assert run(tmp_path) == "4"
    compiled = set(tmp_path.rglob("*.nbc"))
    assert len(compiled) == 2
    assert run(tmp_path) == "4"
    assert set(tmp_path.rglob("*.nbc")) == compiled  # used again
    (tmp_path / "callee.py").write_text(CALLEE.format(added=2))
    assert run(tmp_path) == "6"
