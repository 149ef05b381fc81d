"""The command line: the way from a file to a report, and one plain line for every mistake."""

import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from command import Done, fingerprint, refused, run

import liqbt
from liqbt.cli import app

BARS = 240


def bars():
    """Ten days of hours."""
    rng = np.random.default_rng(11)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.006, BARS)))
    open_ = np.r_[100.0, close[:-1]]
    time = pd.date_range("2026-01-01", periods=BARS, freq="1h").strftime("%Y-%m-%d %H:%M:%S")
    high, low = np.maximum(open_, close) * 1.002, np.minimum(open_, close) * 0.998
    return pd.DataFrame({"time": time, "open": open_, "high": high, "low": low, "close": close, "volume": rng.uniform(10, 100, BARS)})


def written(folder, frame, name="bars.csv"):
    path = folder / name
    frame.to_csv(path, index=False)
    return path


def importing(path, store, *more):
    return ["import", path, "--reader", "generic_csv", "--mapping", "ohlcv", "--symbol", "TESTUSDT", "--store", store, *more]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    assert run(*importing(written(folder, bars()), folder / "store", "--json")).code == 0
    return folder / "store"


@pytest.fixture
def here(store):
    """Options that name the stored market; the store must not change."""
    before = fingerprint(store)
    yield ["--store", store, "--symbol", "TESTUSDT", "--interval", "1h"]
    assert fingerprint(store) == before


# --- help -----------------------------------------------------------------------------------------------------------


def commands(group, prefix=()):
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from commands(command, (*prefix, name))
        else:
            yield (*prefix, name)


@pytest.mark.parametrize("command", list(commands(typer.main.get_command(app))), ids=" ".join)
def test_help_of_every_command_shows_an_example(command):
    done = run(*command, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"Example: liqbt {' '.join(command)}" in " ".join(done.out.split())


def test_version_and_bare_call():
    assert run("--version") == Done(0, f"liqbt {liqbt.__version__}\n", "")
    assert "Usage" in (bare := run()).out + bare.err
    assert bare.code == 2


def test_the_entry_point():
    done = subprocess.run([Path(sys.executable).parent / "liqbt", "--version"], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"liqbt {liqbt.__version__}\n")
    done = subprocess.run([Path(sys.executable).parent / "liqbt", "heatmap"], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no symbol is given" in done.stderr


# --- from a file to a report ----------------------------------------------------------------------------------------


def test_import_tells_what_was_stored(tmp_path):
    path = written(tmp_path, bars())
    done = run(*importing(path, tmp_path / "store"))
    assert done.code == 0
    assert "bars.csv" in done.out
    first = run(*importing(path, tmp_path / "other", "--json")).json
    kept = [one for file in first for one in file["stored"]]
    assert [(one["table"], one["interval"], one["rows"], one["written"]["rows_new"]) for one in kept] == [("bars", "1h", BARS, BARS)]
    assert first[0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    again = run(*importing(path, tmp_path / "other", "--json")).json
    assert again[0]["stored"][0]["written"]["rows_new"] == 0


def test_data_ls(store, tmp_path):
    listed = run("data", "ls", "--store", store, "--json").json
    assert [(one["venue"], one["symbol"], one["table"], one["rows"]) for one in listed["store"]] == [("binance", "TESTUSDT", "bars", BARS)]
    assert "synthetic-7d" in listed["datasets"]
    shown = run("data", "ls", "--store", store)
    assert "TESTUSDT" in shown.out
    assert "2026-01-10 23:00:00" in shown.out
    nothing = run("data", "ls", "--store", tmp_path / "none")
    assert nothing.code == 0
    assert "holds nothing yet" in nothing.err
    assert not (tmp_path / "none").exists()


def test_heatmap(here, tmp_path):
    out = tmp_path / "new" / "map.png"
    done = run("heatmap", *here, "--every", "2h", "--bin-bps", 10, "--out", out, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["bars"] == BARS
    assert done.json["synthetic"] is False
    assert any("no open interest was recorded" in note for note in done.json["notes"])
    assert done.json["written"] == {"heatmap": str(out), "record": f"{out}.run.toml"}
    assert out.read_bytes().startswith(b"\x89PNG")


def test_backtest_and_its_record(here, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    asked = ["--param", "gravity.threshold=0.55", "--param", "gravity.min_distance=0.05", "--leverage", 2, "--json"]
    done = run("backtest", "gravity", *here, *asked, "--out", first)
    assert (done.code, done.err) == (0, "")
    stats = done.json["stats"]
    assert set(stats) == {"gravity", "buy and hold"}
    assert stats["gravity"]["Leverage"] == 2.0
    assert stats["gravity"]["Total Trades"] > 0
    record = tomllib.loads((first / "backtest.run.toml").read_text("utf-8"))
    assert float(record["strategies"][0]["parameters"]["threshold"]) == 0.55
    assert record["provenance"]["inputs"][0]["source"] == "bars.csv"
    again = run("backtest", "--config", first / "backtest.run.toml", "--out", second, "--json")
    assert again.code == 0
    for name in ("stats.json", "trades-gravity.csv", "equity-gravity.csv", "trades-buy-and-hold.csv"):
        assert (second / name).read_bytes() == (first / name).read_bytes()


def test_options_win_over_the_file(here, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("strategies = [{ name = 'gravity' }]\n[execution]\nleverage = 5.0\n[data]\nsymbol = 'OTHER'\n", encoding="utf-8")
    stats = run("backtest", "--config", path, *here, "--leverage", 3, "--json").json["stats"]
    assert stats["gravity"]["Leverage"] == 3.0


def test_labelled_strategies_keep_their_own_parameters(here, tmp_path):
    path, out = tmp_path / "run.toml", tmp_path / "out"
    one = "[[strategies]]\nname = 'gravity'\nlabel = '{}'\nparameters = {{ threshold = {} }}\n"
    path.write_text(one.format("meek", 0.6) + one.format("bold", 0.9), encoding="utf-8")
    assert run("backtest", "--config", path, *here, "--out", out).code == 0
    described = json.loads((out / "stats.json").read_text("utf-8"))["provenance"]
    assert [described[f"strategy {label}"]["parameters"]["threshold"] for label in ("meek", "bold")] == [0.6, 0.9]


def test_report(here, tmp_path):
    out = tmp_path / "report.html"
    done = run("report", "sweep_reversal", *here, "--start", "2026-01-02", "--end", "2026-01-09", "--out", out)
    assert done.code == 0
    assert f"report: {out}" in done.out
    assert "sweep_reversal" in done.out
    assert "note: " in done.err
    text = out.read_text("utf-8")
    assert "2026-01-02 00:00:00 to 2026-01-09 00:00:00 UTC" in text
    assert "TESTUSDT" in text


def test_a_users_own_strategy(here, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(Path(liqbt.strategy.shipped_strategies()["gravity"]).read_text("utf-8").replace("class Gravity", "class Mine"), "utf-8")
    done = run("backtest", path, *here, "--param", "mine.threshold=0.9", "--json")
    assert done.code == 0


# --- the user's mistakes --------------------------------------------------------------------------------------------


def changed(**columns):
    frame = bars().head(48)
    for name, (row, value) in columns.items():
        frame[name] = frame[name].astype(object)
        frame.loc[row, name] = value
    return frame.to_csv(index=False)


def lines(*order):
    rows = bars().head(48).to_csv(index=False).splitlines()
    return "\n".join([rows[0], *(rows[1 + i] for i in order)]) + "\n"


RUN_OF_NAN = bars().head(48).assign(close=lambda frame: frame["close"].where(frame.index % 48 < 40)).to_csv(index=False)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "there is no such file", id="missing"),
        pytest.param("", "is empty", id="empty"),
        pytest.param("time,open,high,low,close,volume\n", "", id="only a header"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", "bars.csv", id="another format"),
        pytest.param(b"\x1f\x8b\x08\x00damaged", "is a damaged gzip file", id="damaged gzip"),
        pytest.param(bars().head(48).drop(columns="volume").to_csv(index=False), "has no column 'volume'", id="missing column"),
        pytest.param(lines(0, 1, 3, 2, 4), "row 4 (2026-01-01 02:00:00) is earlier than the row above it", id="unsorted"),
        pytest.param(lines(0, 1, 1, 2), "has the same timestamp as the row above it", id="duplicate times"),
        pytest.param(changed(low=(5, -1.0)), "row 6 (2026-01-01 05:00:00): low is -1.0; a price must be finite and above 0", id="negative"),
        pytest.param(changed(high=(7, 50.0)), "row 8 (2026-01-01 07:00:00): high 50.0 is below low", id="high below low"),
        pytest.param(RUN_OF_NAN, "row 41 (2026-01-02 16:00:00): close is empty or NaN for 8 rows in a row", id="run of NaN"),
        pytest.param(changed(volume=(3, "many")), "row 4: volume is 'many', not a number", id="text for a number"),
        pytest.param(changed(open=(3, "inf")), "open is inf", id="infinite"),
        pytest.param(changed(time=(3, "yesterday")), "row 4: time is 'yesterday', not an ISO time", id="text for a time"),
        pytest.param(changed(time=(3, "2026-01-01 03:07:00")), "", id="off the grid"),
    ],
)
def test_files_that_are_refused_leave_the_store_as_it_was(store, tmp_path, content, says):
    path = tmp_path / "bars.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    good = written(tmp_path, bars().tail(24), "good.csv")
    before = fingerprint(store)
    command = importing(path, store)
    if says == "" and content.startswith("time") and content.count("\n") > 1:
        command += ["--interval", "1h"]
    refused(*command[:1], good, *command[1:], says=says or "bars.csv")
    assert fingerprint(store) == before
    refused(*importing(path, tmp_path / "fresh", *command[len(importing(path, store)) :]), says=says or "bars.csv")
    assert not (tmp_path / "fresh").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--reader", "generic"], "reader: 'generic' is not a reader; did you mean 'generic_csv'?"),
        (["--mapping", "ohlc"], "there is no built-in 'ohlc'; did you mean 'ohlcv'?"),
        (["--mapping", "nowhere.toml"], "mapping nowhere.toml: cannot be read"),
        (["--interval", "1 hour"], "interval: '1 hour' is not an interval"),
        (["--interval", "7m"], "no multiple of interval 7m"),
        (["--table", "candles"], "table: 'candles' is not a canonical table"),
        (["--table", "funding"], "contradicts mapping"),
        (["--utc-offset", "30"], "utc_offset_hours: 30.0 is not a clock's offset"),
        (["--symbol", "../up"], "symbol: '../up' is no plain name"),
        (["--venue", ""], "venue: '' is no plain name"),
        (["--interval", "99999w"], "interval: '99999w' is longer than a year"),
    ],
)
def test_import_options_that_cannot_be_used(tmp_path, arguments, says):
    path = written(tmp_path, bars())
    refused(*importing(path, tmp_path / "store"), *arguments, says=says)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["gravty"], "did you mean 'gravity'?"),
        (["nowhere.py"], "there is no file 'nowhere.py'"),
        (["--param", "gravity.treshold=0.7"], "gravity: it has no parameter 'treshold'; did you mean 'threshold'?"),
        (["--param", "gravity.threshold=7"], "gravity: threshold 7.0 must be at least 0.5 and below 1"),
        (["--param", "gravity.threshold=high"], "gravity: threshold: 'high' is not a finite number"),
        (["--param", "gravity.threshold="], "gravity: threshold: '' is not a finite number"),
        (["--param", "gravity.threshold"], "--param: 'gravity.threshold' is not of the form strategy.parameter=value"),
        (["--param", "threshold=0.7"], "is not of the form strategy.parameter=value"),
        (["--param", "=1"], "is not of the form strategy.parameter=value"),
        (["--param", "gravty.threshold=0.7"], "--param: no strategy 'gravty' in this run; did you mean 'gravity'?"),
        (["--param", "gravity.max_hours=inf"], "gravity: max_hours: 'inf' is not a finite number"),
        (["--param", "gravity.max_hours=1e30"], "gravity: max_hours 1e+30"),
        (["--param", "sweep_reversal.within_hours=1e30"], "sweep_reversal: within_hours 1e+30"),
        (["gravity", "gravity"], "strategies: two results would be called 'gravity'"),
        (["--leverage", "125"], "leverage: 125 is above the maximum of 100"),
        (["--leverage", "0.5"], "leverage: 0.5 must be at least 1"),
        (["--leverage", "nan"], "leverage: nan must be at least 1"),
        (["--symbol", "TESTUSD"], "has no symbol 'TESTUSD' of binance; did you mean 'TESTUSDT'?"),
        (["--venue", "bybit"], "has no venue 'bybit'"),
        (["--interval", "5m"], "has no 5m bars of binance TESTUSDT; stored intervals: 1h"),
        (["--interval", "hourly"], "interval: 'hourly' is not an interval"),
        (["--start", "soon"], "start: 'soon' is not a date"),
        (["--start", "2026-01-05", "--end", "2026-01-04"], "start: 2026-01-05 is not before end 2026-01-04"),
        (["--start", "2027-01-01"], "none from 2027-01-01"),
        (["--dataset", "synthetic-7d"], "symbol cannot be chosen with data set 'synthetic-7d'"),
    ],
)
def test_runs_that_cannot_be_made(here, tmp_path, arguments, says):
    out = tmp_path / "out"
    refused("backtest", *here, *arguments, "--out", out, says=says)
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--every", "90m"], "every: '90m' is not a multiple of the bar interval 1h"),
        (["--every", "often"], "every: 'often' is not an interval"),
        (["--every", "9999d"], "every: '9999d' is longer than a year"),
        (["--every", "97d"], "every: '97d' is longer than the span of the market"),
        (["--bin-bps", "7"], "bin_bps: 7 is not a multiple of the book's bin_bps 5"),
        (["--bin-bps", "0"], "bin_bps: 0.0 must be above 0"),
        (["--bin-bps", "100000"], "bin_bps: 100000.0 must be above 0 and at most 1000"),
        (["--bin-bps", "nan"], "bin_bps: nan"),
    ],
)
def test_maps_that_cannot_be_drawn(here, tmp_path, arguments, says):
    refused("heatmap", *here, *arguments, "--out", tmp_path / "map.png", says=says)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "run.toml: there is no such file; check --config"),
        ("data = {", "run.toml: is not TOML"),
        ("[data]\nsymbl = 'X'\n", "run.toml: there is no setting 'data.symbl'; did you mean 'data.symbol'?"),
        ("colour = 'red'\n", "run.toml: there is no setting 'colour'"),
        ("[book]\nchurn_share = 2.0\n", "run.toml: book: churn_share: 2.0 must be a share between 0 and 1"),
        ("data = 3\n", "run.toml: data"),
        ("mix = { '200' = 1.0 }\n", "every leverage is above the venue's maximum"),
        ("execution = 3\n", "run.toml: execution"),
    ],
)
def test_configurations_that_cannot_be_used(here, tmp_path, content, says):
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    refused("backtest", *here, "--leverage", 2, "--config", path, says=says)


@pytest.mark.parametrize("command", ["heatmap", "backtest", "report"])
def test_places_that_cannot_be_written(here, tmp_path, command):
    (tmp_path / "file").write_text("mine")
    refused(command, *here, "--out", tmp_path / "file" / "out.html", says="cannot be written")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_store_that_is_a_file(tmp_path):
    path = written(tmp_path, bars())
    refused("data", "ls", "--store", path, says="is a file; a store is a folder")
    refused(*importing(path, path), says="is a file; a store is a folder")


def test_a_market_must_be_named(tmp_path):
    refused("heatmap", "--store", tmp_path, says="no symbol is given; name one with --symbol")
    refused("heatmap", "--store", tmp_path, "--symbol", "X", says="no interval is given; name one with --interval")
    refused("heatmap", "--store", tmp_path, "--symbol", "X", "--interval", "1h", says="holds no data; import some first")


@pytest.mark.parametrize("arguments", [["heatmp"], ["import"], ["heatmap", "--evry", "1h"], ["backtest", "--leverage", "high"]])
def test_calls_that_are_not_understood(arguments):
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert "Usage" in done.err
    assert "Traceback" not in done.err


# --- ours -----------------------------------------------------------------------------------------------------------


def test_a_defect_is_told_as_one(here, monkeypatch):
    def broken(*_args, **_options):
        raise RuntimeError("boom")

    monkeypatch.setattr("liqbt.run.run", broken)
    monkeypatch.delenv("LIQBT_TRACEBACK", raising=False)
    done = run("backtest", *here)
    message = "liqbt: a defect of liqbt, please report it: RuntimeError: boom (LIQBT_TRACEBACK=1 shows where)\n"
    assert done == Done(1, "", message)
    monkeypatch.setenv("LIQBT_TRACEBACK", "1")
    done = run("backtest", *here)
    assert (done.code, done.out) == (1, "")
    assert "Traceback" in done.err
    assert done.err.endswith(message)


def test_an_interrupted_run_leaves_quietly(here, monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("liqbt.run.run", interrupted)
    assert run("backtest", *here).code == 130


def test_an_exception_in_a_users_strategy_is_the_users(here, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Mine:\n"
        "    def signals(self, market, features):\n        return features['gone']\n",
        encoding="utf-8",
    )
    refused("backtest", path, *here, says="mine.py:6: KeyError: 'gone'")
