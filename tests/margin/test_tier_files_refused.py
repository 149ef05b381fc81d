"""What no bracket table can hold is refused in one line that says where it is and what to do."""

import json
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from venue_answers import BYBIT, COINM, FREQTRADE, META, OKX, USDM

from liqbt.errors import DataError, LiqbtError
from liqbt.margin import read_tiers


@pytest.mark.parametrize(
    ("rows", "change", "message"),
    [
        ("brackets", {"maintMarginRatio": 0.65}, r"1000BONKUSDT tier 2: maintMarginRatio 0.65 is not below .* it looks like percent"),
        ("brackets", {"notionalFloor": 6000}, r"1000BONKUSDT tier 2: notionalFloor is 6000 but tier 1 ends at 5000"),
        ("brackets", {"notionalFloor": 4000}, r"1000BONKUSDT tier 2: notionalFloor is 4000 but tier 1 ends at 5000"),
        ("brackets", {"notionalCap": None}, r"1000BONKUSDT tier 3: notionalFloor is 50000 but tier 2 ends at inf"),
        ("brackets", {"initialLeverage": 75}, r"1000BONKUSDT tier 2: maintMarginRatio 0.02 is not below the initial margin 1/75"),
        ("brackets", {"initialLeverage": 19}, r"1000BONKUSDT tier 3: initialLeverage 20 is above the 19 of tier 2"),
        ("brackets", {"cum": 20}, r"1000BONKUSDT tier 2: cum 20 contradicts the bounds and rates, which give 25"),
        ("list", {"riskLimitValue": "500000"}, r"ADAUSDT tier 3: riskLimitValue 500000 is that of tier 2 too"),
        ("list", {"riskLimitValue": "700000"}, r"ADAUSDT tier 3: maxLeverage 50 is above the 33.33 of tier 2"),
        ("list", {"riskLimitValue": "-5"}, r"ADAUSDT tier 3: riskLimitValue -5 is not above its lower bound 0"),
        ("list", {"mmDeduction": "0"}, r"ADAUSDT tier 3: mmDeduction 0 contradicts the bounds and rates, which give 500"),
        ("list", {"maxLeverage": "fifty"}, r"ADAUSDT tier 3: maxLeverage is 'fifty', not a number"),
        ("marginTiers", {"lowerBound": "0.0"}, r"BTC tier 2: lowerBound 0 is that of tier 1 too"),
        ("marginTiers", {"lowerBound": "-5"}, r"BTC tier 2: lowerBound is -5 but the first starts at 0"),
        ("marginTiers", {"maxLeverage": 50}, r"BTC tier 2: maxLeverage 50 is above the 40 of tier 1"),
        ("marginTiers", {"maxLeverage": None}, r"BTC tier 2: lacks maxLeverage"),
    ],
)
def test_a_wrong_row_is_named(read, rows, change, message):
    whole, at = {
        "brackets": (deepcopy(USDM[:1]), lambda one: one[0]["brackets"][1]),
        "list": (deepcopy(BYBIT), lambda one: one["result"]["list"][2]),
        "marginTiers": (deepcopy(META), lambda one: one["marginTables"][1][1]["marginTiers"][1]),
    }[rows]
    at(whole).update(change)
    with pytest.raises(DataError, match=message) as caught:
        read(whole)
    assert "tiers.json: " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("", r"is empty; fetch it again"),
        ("{", r"is no JSON \(.* in line 1, column 2\)"),
        ("[" * 100_000, r"is no JSON"),
        ("[]", r"no leverage tiers in a shape that liqbt knows; it knows ccxt's"),
        ("{}", r"no leverage tiers in a shape"),
        ("7", r"no leverage tiers in a shape"),
        ('{"data": []}', r"no leverage tiers in a shape"),
        ('{"BTC/USDT:USDT": []}', r"BTC/USDT:USDT: holds no list of tiers"),
        ('{"symbol": "BTCUSDT", "brackets": 3}', r"BTCUSDT: holds no list of tiers"),
        ('{"code": -2015, "msg": "Invalid API-key"}', r"is an error message of the venue \(-2015: Invalid API-key\)"),
        ('{"retCode": 10001, "retMsg": "params error", "result": {}}', r"error message of the venue \(10001: params error\)"),
        ('{"code": "51000", "msg": "Parameter instType error", "data": []}', r"error message of the venue \(51000: Parameter"),
        (json.dumps([*USDM[:1], *USDM[:1]]), r"1000BONKUSDT is there twice; delete one of the two"),
        ('{"format": "liqbt leverage tiers 9"}', r"format 'liqbt leverage tiers 9' is not 'liqbt leverage tiers 1'"),
        ('{"format": "liqbt leverage tiers 1", "venues": {"x": {"y": {}}}}', r"is damaged \('tiers'\)"),
    ],
)
def test_what_is_no_table(read, payload, message):
    with pytest.raises(DataError, match=message) as caught:
        read(payload, venue=None if "code" in payload or "format" in payload else "binance")
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match=r"there is no such file; check the path"):
        read_tiers(tmp_path / "none.json")
    with pytest.raises(DataError, match=r"is a folder; give a JSON file in it"):
        read_tiers(tmp_path)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.data())
def test_whatever_is_changed_in_a_file_is_read_or_refused_in_one_line(read, data):
    payload = deepcopy(data.draw(st.sampled_from([USDM, COINM, FREQTRADE, BYBIT, OKX, META])))
    here = payload
    for _ in range(data.draw(st.integers(0, 5))):
        keys = list(here) if isinstance(here, dict) else list(range(len(here))) if isinstance(here, list) else []
        if not keys:
            break
        parent, key = here, data.draw(st.sampled_from(keys))
        here = here[key]
    else:
        parent, key = None, None
    if parent is None:
        parent, key = (payload, next(iter(payload))) if isinstance(payload, dict) else (payload, 0)
    if isinstance(parent, (dict, list)):
        parent[key] = data.draw(junk)
    try:
        tables = read(payload, venue=data.draw(st.sampled_from([None, "mine"])), symbol=data.draw(st.sampled_from([None, "BTCUSDT"])))
    except LiqbtError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - whichever error of ours it is
        assert str(error).isprintable()  # noqa: PT017
        return
    for table in tables.values():
        assert table.tiers[0].min_notional == 0
        assert all(tier.maintenance_margin_rate * tier.max_leverage < 1 for tier in table.tiers)
