"""The package as it is installed: quick to import, complete, and the same from a wheel."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import liqbt

ROOT = Path(__file__).parents[1]
HEAVY = ("vectorbt", "plotly", "polars", "matplotlib", "xarray", "sqlalchemy", "statsmodels", "arch", "skfolio")


def python(code, *, cwd=None, path=None):
    """Run code in a fresh interpreter and return what it prints as JSON."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | ({"PYTHONPATH": str(path)} if path else {})
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=120, cwd=cwd, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("module", "also"), [("liqbt", ("pandas", "numba", "numpy")), ("liqbt.cli", ("pandas", "numba"))])
def test_an_import_loads_no_heavy_library(module, also):
    loaded = python(f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))")
    assert module in loaded
    assert not {*HEAVY, *also} & set(loaded)


def test_public_names_are_sorted_and_resolve():
    assert liqbt.__all__ == sorted(liqbt.__all__, key=lambda name: (not name[0].isupper(), name))
    assert len(set(liqbt.__all__)) == len(liqbt.__all__)
    for name in liqbt.__all__:
        assert getattr(liqbt, name).__name__ == name
        assert getattr(liqbt, name).__doc__
    assert set(dir(liqbt)) >= set(liqbt.__all__)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match=r"module 'liqbt' has no attribute 'reconstrct'"):
        liqbt.reconstrct  # noqa: B018 - looking it up is the test


def test_every_package_is_listed_for_the_wheel():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"])
    found = {".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "liqbt").rglob("__init__.py")}
    mapped = {
        f"liqbt.{'.'.join(f.parent.relative_to(ROOT).parts)}"
        for top in ("strategies", "datasets")
        for f in (ROOT / top).rglob("__init__.py")
    }
    assert listed == found | mapped


def test_every_data_file_is_matched_for_the_wheel():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]["liqbt"]
    matched = {file for pattern in patterns for file in (ROOT / "liqbt").glob(pattern)}
    needed = {f for f in (ROOT / "liqbt").rglob("*.*") if f.is_file() and f.suffix not in (".py", ".pyc", ".nbi", ".nbc")}
    assert needed == matched


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel of a copy of this tree, installed in a folder of its own."""
    place = tmp_path_factory.mktemp("wheel")
    source, target = place / "source", place / "target"
    for name in ("liqbt", "strategies", "datasets"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *offline, "--no-build-isolation", "-w", str(place), str(source)], check=True, timeout=300)
    (wheel,) = place.glob("*.whl")
    subprocess.run([*pip, "install", *offline, "--target", str(target), str(wheel)], check=True, timeout=300)
    shutil.rmtree(source)
    return target


def test_the_wheel_works_outside_of_the_checkout(installed, tmp_path):
    code = """
import json
import liqbt, liqbt.datasets, liqbt.strategies, liqbt.report, liqbt.cli
from importlib import resources
from liqbt.data.readers.csv_mapping import built_in_mappings, load_mapping
from liqbt.strategy import shipped_strategies
report = resources.files("liqbt.report")
print(json.dumps({
    "homes": [module.__file__ for module in (liqbt, liqbt.datasets, liqbt.strategies, liqbt.report, liqbt.cli)]
        + [str(path) for path in shipped_strategies().values()],
    "strategies": sorted(shipped_strategies()),
    "gravity": liqbt.load_strategy("gravity", threshold=0.7).threshold,
    "tiers": len(liqbt.leverage_tiers("binance", "BTCUSDT")),
    "mappings": [load_mapping(name).table for name in built_in_mappings()],
    "report": [len(report.joinpath(name).read_text("utf-8")) > 0 for name in ("report.html.j2", "report.css", "report.js")],
    "typed": resources.files("liqbt").joinpath("py.typed").is_file(),
}))
"""
    found = python(code, cwd=tmp_path, path=installed)
    assert found.pop("tiers") > 5
    homes = found.pop("homes")
    assert all(Path(home).is_relative_to(installed) for home in homes), homes
    assert found == {
        "strategies": [
            "breakout",
            "buy_and_hold",
            "confluence",
            "distance_gravity",
            "fade_moves",
            "gravity",
            "random_entries",
            "sweep_continuation",
            "sweep_reversal",
            "zone_levels",
        ],
        "gravity": 0.7,
        "mappings": ["bars", "open_interest"],
        "report": [True, True, True],
        "typed": True,
    }


def test_the_wheel_puts_nothing_else_at_the_top(installed):
    names = {entry.name for entry in installed.iterdir() if not entry.name.endswith(".dist-info")}
    assert names == {"liqbt", "bin"}
