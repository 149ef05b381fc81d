"""The report is one honest file: whole, offline, escaped, and saying nothing that its results do not say."""

import dataclasses
import hashlib
import json
import re
import struct
import zlib
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from liqbt.book.reconstruct import reconstruct
from liqbt.data.provenance import Input
from liqbt.errors import ConfigError
from liqbt.features import build_features
from liqbt.report.files import stats_of, write_scores, write_whole
from liqbt.report.html import write_report
from liqbt.report.numbers import compact, display
from liqbt.report.picture import full_colour
from liqbt.report.png import write_heatmap_png
from liqbt.report.provenance import provenance, versions
from liqbt.scoring import Costs, backtest, buy_and_hold
from liqbt.strategy import load_strategy
from liqbt.zones import find_zones

EVIL = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def market(week):
    file = Input(table="bars", source="week.csv", sha256=hashlib.sha256(b"week").hexdigest(), reader="generic_csv", rows=2016)
    return dataclasses.replace(week, inputs=(file,))


@pytest.fixture(scope="module")
def book(market):
    return reconstruct(market)


@pytest.fixture(scope="module")
def score(market, book):
    return backtest(load_strategy("sweep_reversal").signals(market, build_features(book)), market, costs=Costs.binance_usdm())


@pytest.fixture(scope="module")
def held(market):
    return buy_and_hold(market)


@pytest.fixture(scope="module")
def written(tmp_path_factory, market, book, score, held):
    path = tmp_path_factory.mktemp("report") / "new" / "report.html"
    assert write_report(path, market=market, book=book, scores=[score], benchmark=held) == path
    return path


class Page(HTMLParser):
    """Tags, tables by their rows, and text outside of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.text, self.data = [], [], [], {}
        self._inside, self._cell = None, None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = (tag, dict(attrs))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._cell = ""

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._inside = None
        if tag in ("td", "th"):
            self.rows[-1].append(self._cell)
            self._cell = None

    def handle_data(self, data):
        if self._inside is not None:
            tag, attrs = self._inside
            key = attrs.get("id", tag)
            self.data[key] = self.data.get(key, "") + data
            return
        self.text.append(data)
        if self._cell is not None:
            self._cell += data


@pytest.fixture(scope="module")
def page(written):
    return Page(written.read_text("utf-8"))


def test_nothing_is_fetched(page):
    for tag, attrs in page.tags:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base", "audio", "video"), tag
        assert not {"src", "href", "srcset", "action", "data", "background"} & set(attrs), (tag, attrs)
        assert "url(" not in attrs.get("style", "")
    assert not re.search(r"url\(|@import|https?:", page.data["style"])
    assert [attrs.get("id") for tag, attrs in page.tags if tag == "script"] == [None, "heatmap-data", "equity-data", "explained-data", None]


def test_figures_are_data_that_a_browser_can_read(page, score, held):
    figures = {name: json.loads(page.data[f"{name}-data"]) for name in ("heatmap", "equity", "explained")}
    for name in figures:
        assert ("figure", name) in {(tag, attrs.get("id")) for tag, attrs in page.tags}
        assert "http" not in json.dumps(figures[name]["layout"])
    assert [trace["type"] for trace in figures["heatmap"]["data"]][:3] == ["heatmap", "scatter", "candlestick"]
    assert [trace["name"] for trace in figures["equity"]["data"]] == [score.name, held.name]


def test_it_says_that_the_market_is_synthetic_and_that_nothing_was_tested(page):
    text = " ".join(page.text)
    assert "This market is synthetic." in text
    assert "No verdict." in text
    assert "Open interest was not recorded." not in text


def test_a_recording_has_no_synthetic_banner(tmp_path, market, score):
    recorded = dataclasses.replace(market, seed=None, open_interest=None)
    book = reconstruct(recorded)
    path = write_report(tmp_path / "r.html", market=recorded, book=book, scores=[dataclasses.replace(score, market=recorded)])
    text = " ".join(Page(path.read_text("utf-8")).text)
    assert "This market is synthetic." not in text
    assert "Open interest was not recorded." in text


def test_statistics_side_by_side_are_those_of_the_scores(page, score, held):
    at = page.rows.index(["", score.name, held.name])
    shown = {row[0]: row[1:] for row in page.rows[at + 1 : at + 1 + len(score.stats)]}
    assert shown == {key: [display(score.stats[key]), display(held.stats[key])] for key in score.stats.index}
    assert float(shown["Total Return [%]"][0].replace(",", "")) == pytest.approx(score.stats["Total Return [%]"], abs=0.005)


def test_trades_are_those_of_the_score(page, score):
    header = next(row for row in page.rows if row[:2] == ["entry time", "exit time"])
    rows = page.rows[page.rows.index(header) + 1 :][: len(score.trades)]
    assert len(rows) == len(score.trades) > 0
    for shown, (_, trade) in zip(rows, score.trades.iterrows(), strict=True):
        assert shown[:6] == [display(trade["entry_time"]), display(trade["exit_time"]), trade["side"], f"{trade['entry_price']:.6g}",
                             "–" if pd.isna(trade["exit_price"]) else f"{trade['exit_price']:.6g}", trade["reason"]]  # fmt: skip
        assert shown[9] == display(trade["pnl"])


def test_provenance_names_inputs_versions_and_settings(page, market):
    file = market.inputs[0]
    assert ["bars", "week.csv", "generic_csv", "2,016", file.sha256] in page.rows
    for name, version in versions().items():
        assert [name, version] in page.rows
    assert ["churn_share", "0.5"] in page.rows
    assert ["zones.reach", "0.12"] in page.rows


def test_notes_of_the_book_and_of_scores_are_told(page, book, score):
    text = " ".join(page.text)
    assert book.notes
    for note in (*book.notes, *score.notes):
        assert note in text


def test_names_and_notes_cannot_break_out(tmp_path, market, book, score):
    bad_market = dataclasses.replace(market, symbol=EVIL, venue=EVIL)
    bad_book = dataclasses.replace(book, market=bad_market, notes=(EVIL,))
    bad_score = dataclasses.replace(score, name=EVIL, market=bad_market, notes=(EVIL,), parameters={EVIL: EVIL})
    path = write_report(tmp_path / "r.html", market=bad_market, book=bad_book, scores=[bad_score])
    page = Page(path.read_text("utf-8"))
    assert sum(tag == "script" for tag, _ in page.tags) == 5
    assert " ".join(page.text).count(EVIL) >= 5  # as text, where a reader sees it
    assert EVIL in json.loads(page.data["equity-data"])["data"][0]["name"]


def test_the_same_results_give_the_same_bytes(tmp_path, written, market, book, score, held):
    again = write_report(tmp_path / "report.html", market=market, book=book, scores=[score], benchmark=held)
    assert again.read_bytes() == written.read_bytes()


def test_a_score_of_another_market(tmp_path, market, book, score, week):
    with pytest.raises(ConfigError, match=r"score 'sweep_reversal' is of .*, not of the report's market"):
        write_report(tmp_path / "r.html", market=week, book=book, scores=[score])
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path, market, book, score):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match=r"file/report.html: cannot be written: .*; choose another place with --out"):
        write_report(tmp_path / "file" / "report.html", market=market, book=book, scores=[score])
    assert (tmp_path / "file").read_text() == "mine"


def test_an_existing_file_is_kept_where_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("liqbt.report.files.Path.replace", full)
    with pytest.raises(ConfigError, match=r"report.html: cannot be written: No space left on device"):
        write_whole(path, "new")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


def test_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ConfigError, match=r"cannot be written"):
        write_whole(tmp_path / "report.html", "new")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_scores_as_files(tmp_path, market, book, score, held):
    described = provenance(market, book, None, [score])
    paths = write_scores(tmp_path / "new", [score, held], described)
    assert sorted(path.name for path in paths) == [
        "equity-buy-and-hold.csv", "equity-sweep_reversal.csv", "stats.json", "trades-buy-and-hold.csv", "trades-sweep_reversal.csv",
    ]  # fmt: skip
    trades = pd.read_csv(tmp_path / "new" / "trades-sweep_reversal.csv", parse_dates=["entry_time", "exit_time"])
    pd.testing.assert_frame_equal(trades, score.trades, check_dtype=False)
    equity = pd.read_csv(tmp_path / "new" / "equity-sweep_reversal.csv", index_col="timestamp", parse_dates=True)["equity"]
    np.testing.assert_array_equal(equity.to_numpy(), score.equity.to_numpy())
    content = json.loads((tmp_path / "new" / "stats.json").read_text("utf-8"))
    assert content["stats"] == stats_of([score, held])
    assert content["stats"]["sweep_reversal"]["Total Trades"] == len(score.trades)
    assert content["provenance"] == json.loads(json.dumps(described))


def test_a_name_with_a_separator_stays_in_the_folder(tmp_path, score):
    folder = tmp_path / "out"
    assert all(path.parent == folder for path in write_scores(folder, [dataclasses.replace(score, name="mine/../../deeper")], {}))


def pixels(content):
    """Width, height and the raw filtered bytes of a PNG."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    at, size, data = 8, None, b""
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        chunk = content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + chunk)
        if kind == b"IHDR":
            size = struct.unpack(">II", chunk[:8])
        if kind == b"IDAT":
            data += chunk
        at += 12 + length
    return *size, zlib.decompress(data)


def test_the_picture(tmp_path, market, book):
    heat = book.heatmap("1h")
    plain = write_heatmap_png(tmp_path / "plain.png", heat, market, dpi=50).read_bytes()
    zones = write_heatmap_png(tmp_path / "new" / "zones.png", heat, market, zones=find_zones(heat), dpi=50).read_bytes()
    again = write_heatmap_png(tmp_path / "again.png", heat, market, dpi=50).read_bytes()
    assert plain == again != zones
    width, height, raw = pixels(plain)
    assert width > 600 < 2 * height
    assert np.frombuffer(raw, dtype=np.uint8).var() > 100


def test_a_picture_of_one_snapshot(tmp_path, market, book):
    heat = book.heatmap("7d")
    assert heat.timestamp.size == 1
    assert write_heatmap_png(tmp_path / "one.png", heat, market, dpi=50).is_file()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (12.345, "12.3"), (999, "999"), (1234, "1.23k"), (-1_234_567, "-1.23M"), (5e9, "5B"), (2e12, "2T"), (0.00123, "0.00123"),
        (999_999, "1M"),
        (999.9, "1k"),
    ],
)  # fmt: skip
def test_compact(value, text):
    assert compact(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (float("nan"), "–"), (np.float64("nan"), "–"), (pd.NaT, "–"),
        (True, "yes"), (np.bool_(False), "no"),
        (1234567, "1,234,567"), (np.int64(-3), "-3"), (1234.567, "1,234.57"), (np.float32(0.5), "0.50"),
        (float("inf"), "∞"), (-np.inf, "-∞"), ("text", "text"),
        (pd.Timestamp("2026-01-02T03:04:59", tz="UTC"), "2026-01-02 03:04"),
        (pd.Timedelta("5h 30min 0.4s"), "05:30:00"), (pd.Timedelta("2 days 01:02:03"), "2 days 01:02:03"),
    ],
)  # fmt: skip
def test_display(value, text):
    assert display(value) == text


def test_the_colour_is_full_at_a_high_quantile_of_what_is_there():
    assert full_colour(np.zeros((3, 3))) == 1.0
    assert full_colour(np.array([0.0, 0.0, 5.0])) == 5.0
    assert full_colour(np.arange(1001.0)) == pytest.approx(998, abs=1)
