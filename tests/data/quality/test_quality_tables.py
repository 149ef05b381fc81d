"""All checks of what was loaded for one market."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from quality_frames import DAY, HOUR, MINUTE, START, codes, make_bars, make_events, make_open_interest, moved, set_at, table

from liqbt.data.quality import check_tables
from liqbt.data.quality.tables import hourly_liquidations
from liqbt.errors import ConfigError

BARS = make_bars(20 * 288)
LAST = BARS["timestamp"].to_physical()[-1]


def totals_of(bars):
    sums = hourly_liquidations(make_events(bars, rate=4.0))
    return table("liquidation_totals", sums["timestamp"].to_physical().to_numpy(), "1h", long=sums["long"] / 100, short=sums["short"] / 100)


def healthy():
    rng = np.random.default_rng(1)
    stamps = START + 8 * HOUR * np.arange(61)
    return {
        "bars": BARS,
        "open_interest": make_open_interest(BARS, value=True),
        "funding": table("funding", stamps, funding_rate=1e-4 * rng.choice([1.0, 0.5, -0.3], 61)),
        "mark": BARS.select("timestamp", "available_at", "open", "high", "low", "close"),
        "liquidations": make_events(BARS, rate=4.0),
    }


def test_a_good_recording_has_no_findings():
    assert check_tables(healthy(), "5m") == ()


@pytest.mark.parametrize("alone", ["bars", "open_interest", "funding", "mark", "liquidations"])
def test_tables_alone(alone):
    assert check_tables({alone: healthy()[alone]}, "5m") == ()
    assert check_tables({alone: healthy()[alone].clear(), "bars": BARS}, "5m") == ()


def steps(count):
    return np.where(np.arange(count) < count // 2, 1.0, 1000.0)


def outage(rows):
    at = rows["timestamp"].to_physical()
    return rows.filter((at < START + 50 * HOUR) | (at > START + 60 * HOUR))


SPOILED = {
    "crossed_clocks": ("open_interest", lambda rows: rows.with_columns(available_at=pl.col("timestamp") - pl.duration(seconds=1))),
    "bad_tick": ("bars", lambda rows: set_at(rows, "low", [4000], 0.7 * rows["low"][4000])),
    "repeated": ("bars", lambda rows: pl.concat([rows[:4000], moved(rows[3999:4000], 5 * MINUTE), rows[4001:]])),
    "inconsistent_prices": ("bars", lambda rows: set_at(rows, "high", [4000], 0.9 * rows["high"][4000])),
    "price_scale": ("mark", lambda rows: rows.with_columns(pl.col("open", "high", "low", "close") * pl.Series(steps(rows.height)))),
    "volume_scale": ("bars", lambda rows: rows.with_columns(pl.col("volume") * pl.Series(steps(rows.height)))),
    "open_interest_spike": ("open_interest", lambda rows: set_at(rows, "open_interest", [4000], 1.5 * rows["open_interest"][4000])),
    "open_interest_zero": ("open_interest", lambda rows: set_at(rows, "open_interest", [4000], 0.0)),
    "open_interest_scale": ("open_interest", lambda rows: rows.with_columns(pl.col("open_interest") * pl.Series(steps(rows.height)))),
    "open_interest_units": ("open_interest", lambda rows: rows.with_columns(pl.col("open_interest_value") * 10)),
    "turnover": ("open_interest", lambda rows: rows.with_columns(pl.col("open_interest", "open_interest_value") * 1e5)),
    "frozen": ("open_interest", lambda rows: set_at(rows, "open_interest", np.arange(4000, 4050), rows["open_interest"][4000])),
    "funding_units": ("funding", lambda rows: rows.with_columns(pl.col("funding_rate") * 100)),
    "mark_differs": ("mark", lambda rows: rows.with_columns(pl.col("open", "high", "low", "close") * 1.03)),
    "throttled": ("liquidations", lambda _: make_events(BARS, rate=4.0, throttle=1_000_000_000)),
    "doubled": ("liquidations", lambda rows: pl.concat([rows, rows]).sort("timestamp", maintain_order=True)),
    "foreign_price": ("liquidations", lambda rows: set_at(rows, "price", [100], 2.5)),
    "liquidations_exceed_volume": ("liquidations", lambda rows: rows.with_columns(pl.col("amount") * 1e4)),
    "gap": ("liquidations", outage),
    "clock_shift": ("liquidations", lambda rows: moved(rows, 6 * HOUR)),
    "impossible_time": ("bars", lambda rows: moved(rows, -40 * 365 * DAY)),
    "off_grid": ("mark", lambda rows: moved(rows, MINUTE * 5)[:100].vstack(moved(rows, MINUTE)[101:])),
}


@pytest.mark.parametrize("code", SPOILED)
def test_each_defect_is_found_by_its_name(code):
    name, spoil = SPOILED[code]
    tables = healthy()
    tables[name] = spoil(tables[name])
    found = [one for one in check_tables(tables, "5m") if one.code == code]
    assert len(found) == 1
    assert found[0].table == (f"{name} 5m" if name in ("bars", "mark") else name)
    assert found[0].severity in ("warning", "error")
    assert "\n" not in found[0].message


def test_what_the_market_frame_tells_by_itself_is_left_out():
    tables = healthy()
    tables["bars"] = tables["bars"].filter(pl.int_range(pl.len()) % 1000 != 7)
    tables["open_interest"] = outage(tables["open_interest"])
    tables["funding"] = tables["funding"].filter(pl.int_range(pl.len()) != 30)
    assert check_tables(tables, "5m") == ()


def test_gaps_of_mark_prices_are_told():
    tables = healthy()
    tables["mark"] = outage(tables["mark"])
    (found,) = check_tables(tables, "5m")
    assert (found.code, found.table, found.count) == ("gap", "mark 5m", 121)


def test_notes_are_left_out():
    tables = healthy()
    late = tables["open_interest"].with_columns(
        (pl.col(name).to_physical() + pl.Series(np.where(np.arange(20 * 288) % 1000 == 3, 2_000_000_000, 0))).cast(BARS.schema["timestamp"])
        for name in ("timestamp", "available_at")
    )
    assert check_tables(tables | {"open_interest": late}, "5m") == ()


def test_totals_with_another_clock_than_the_bars():
    hourly = make_bars(60 * 24, "1h", crash=False)
    totals = totals_of(hourly)
    assert check_tables({"bars": hourly, "liquidation_totals": totals}, "1h") == ()
    (found,) = check_tables({"bars": hourly, "liquidation_totals": moved(totals, 6 * HOUR)}, "1h")
    assert (found.code, found.severity, found.table) == ("clock_shift", "error", "liquidation_totals 1h")
    assert "the clock of the liquidations runs about 6 h ahead of that of the bars" in found.message


def test_open_interest_whose_value_tells_its_clock():
    tables = healthy()
    found = check_tables(tables | {"open_interest": moved(tables["open_interest"], -3 * HOUR)}, "5m")
    assert codes(found) == ["clock_shift"]
    assert "the clock of open interest runs 3 h behind that of the bars" in found[0].message


def test_names_and_intervals_are_checked():
    with pytest.raises(ConfigError, match="'bar' is not a canonical table"):
        check_tables({"bar": BARS}, "5m")
    with pytest.raises(ConfigError, match="interval"):
        check_tables({"bars": BARS}, "five")
