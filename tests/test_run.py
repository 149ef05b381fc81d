"""Configurations: what they refuse, what they fill in, and that they survive being written and read again."""

import dataclasses
import hashlib
import math
import tomllib

import pytest

from liqbt.errors import ConfigError, StoreError
from liqbt.run import DataConfig, RunConfig, open_market, read_config, run
from liqbt.scoring import Costs
from liqbt.strategy import shipped_strategies


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dat": {}}, r"^run.toml: there is no setting 'dat'; did you mean 'data'\?"),
        ({"data": {"symbl": "X"}}, r"^run.toml: there is no setting 'data.symbl'; did you mean 'data.symbol'\?"),
        ({"book": {"churnshare": 0.5}}, r"there is no setting 'book.churnshare'; did you mean 'book.churn_share'\?"),
        ({"costs": {"taker_fee": 0.1}}, r"there is no setting 'costs.taker_fee'; did you mean 'costs.taker_fee_rate'\?"),
        ({"execution": {"levrage": 2}}, r"there is no setting 'execution.levrage'; did you mean 'execution.leverage'\?"),
        ({"features": {"zones": {"treshold": 0.5}}}, r"there is no setting 'features.zones.treshold'"),
        ({"book": {"churn_share": 2.0}}, r"^run.toml: book: churn_share: 2.0 must be a share between 0 and 1"),
        ({"book": {"churn_share": "much"}}, r"^run.toml: book.churn_share: .*, got 'much'"),
        ({"costs": {"taker_fee_rate": 5}}, r"^run.toml: costs: taker_fee_rate: 5.* must be a fraction"),
        ({"execution": {"leverage": "high"}}, r"^run.toml: execution.leverage: .*, got 'high'"),
        ({"execution": 3}, r"^run.toml: execution: .*, got 3"),
        ({"data": 3}, r"^run.toml: data: .*, got 3"),
        ({"costs": "free"}, r"^run.toml: costs: .*, got 'free'"),
        ({"strategies": [{"parameters": {}}]}, r"^run.toml: strategies.0.name: Field required"),
        ({"strategies": "gravity"}, r"^run.toml: strategies: .*, got 'gravity'"),
        ({"mix": {"ten": 1.0}}, r"^run.toml: mix.ten"),
    ],
)
def test_settings_that_cannot_be_used(values, message):
    with pytest.raises(ConfigError, match=message) as caught:
        RunConfig.of(values, "run.toml")
    assert "\n" not in str(caught.value)


def test_one_cost_may_be_given_without_the_others():
    costs = RunConfig.of({"costs": {"slippage_bps": 5.0}}, "options").costs
    assert costs == dataclasses.replace(Costs.binance_usdm(), slippage_bps=5.0)


def test_defaults():
    config = RunConfig.of({}, "options")
    assert [one.name for one in config.strategies] == ["gravity", "sweep_reversal"]
    assert config.costs == Costs.binance_usdm()
    assert (config.data.store, config.data.venue, config.execution.leverage) == ("store", "binance", 1.0)


FULL = {
    "data": {"store": "elsewhere", "venue": "bybit", "symbol": "SOLUSDT", "interval": "5m", "start": "2026-01-01"},
    "mix": {"10": 0.25, "50": 0.75},
    "book": {"churn_share": 0.3, "maintenance_margin_rate": 0.01},
    "features": {"discount_days": 2.0, "zones": {"threshold": 0.7}},
    "strategies": [{"name": "gravity", "parameters": {"threshold": 0.7, "max_distance": 9.5}}, {"name": "path/mine.py"}],
    "costs": {"maker_fee_rate": -0.0001, "funding": False},
    "execution": {"leverage": 3.0, "sizing": {"share": 0.5}, "rules": {"cooldown_bars": 3, "on_opposite": "close"}},
    "evaluation": {"hypotheses": ["gravity"], "tuned_until": "2026-02-01", "seed": 7},
}


@pytest.mark.parametrize("values", [{}, FULL], ids=["defaults", "everything"])
def test_a_configuration_survives_toml(values):
    config = RunConfig.of(values, "options")
    text = config.to_toml({"versions": {"liqbt": "0"}, "inputs": []})
    again = RunConfig.of(tomllib.loads(text), "run.toml")
    assert again.model_copy(update={"provenance": {}}) == config
    assert again.provenance == {"versions": {"liqbt": "0"}, "inputs": []}
    assert again.to_toml({}) == config.to_toml({})


def test_an_infinite_parameter_is_refused():
    with pytest.raises(ConfigError, match=r"options: strategies.0.parameters: parameter furthest is inf"):
        RunConfig.of({"strategies": [{"name": "path/mine.py", "parameters": {"furthest": math.inf}}]}, "options")


@pytest.mark.parametrize("label", ["../up", "", "a/b", ".hidden", "x" * 61])
def test_a_label_is_a_plain_name(label):
    with pytest.raises(ConfigError, match=r"label"):
        RunConfig.of({"strategies": [{"name": "gravity", "label": label}]}, "options")


def test_the_record_spells_out_every_default():
    values = tomllib.loads(RunConfig.of({}, "options").to_toml({}))
    assert values["book"]["churn_share"] == 0.5
    assert values["features"]["zones"]["reach"] == 0.12
    assert values["costs"]["taker_fee_rate"] == 0.0005


def test_read_config(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[data]\nsymbol = 'X'\n", encoding="utf-8")
    assert read_config(path) == {"data": {"symbol": "X"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"run.toml: there is no such file; check --config"),
        (b"data = {", r"run.toml: is not TOML: "),
        (b"name = '\xff'", r"run.toml: cannot be read: "),
    ],
)
def test_files_that_are_no_configuration(tmp_path, content, message):
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_config(path)


def test_a_folder_is_no_configuration(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be read"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ({}, ConfigError, r"no symbol is given; name one with --symbol \(see `liqbt data ls`\), or a data set with --dataset"),
        ({"symbol": "X"}, ConfigError, r"no interval is given; name one with --interval"),
        ({"dataset": "synthetic-7"}, ConfigError, r"'synthetic-7' is not in the catalogue; did you mean 'synthetic-7d'\?"),
        ({"symbol": "X", "interval": "1h"}, StoreError, r"holds no data; import some first"),
        ({"symbol": "X", "interval": "hourly"}, ConfigError, r"'hourly' is not an interval"),
        ({"symbol": "../X", "interval": "1h"}, ConfigError, r"symbol: '../X' is no plain name"),
    ],
)
def test_markets_that_cannot_be_opened(tmp_path, data, error, message):
    with pytest.raises(error, match=message):
        open_market(DataConfig(store=str(tmp_path / "store"), **data))


@pytest.mark.parametrize("name", ["symbol", "interval", "start", "end"])
def test_a_data_set_is_taken_whole(name):
    with pytest.raises(ConfigError, match=rf"data: {name} cannot be chosen with data set 'synthetic-7d'"):
        open_market(DataConfig(dataset="synthetic-7d", **{name: "1h"}))


@pytest.mark.parametrize("names", [("gravity", "gravity"), ("gravity", "here/gravity.py"), ("here/buy and hold.py",)])
def test_results_need_names_of_their_own(tmp_path, names):
    values = {"data": {"symbol": "X", "interval": "1h", "store": str(tmp_path)}, "strategies": [{"name": name} for name in names]}
    with pytest.raises(ConfigError, match=r"strategies: two results would be called '(gravity|buy and hold)'"):
        run(RunConfig.of(values, "options"))


def test_a_label_tells_two_runs_of_one_strategy_apart():
    strategies = [{"name": "gravity"}, {"name": "gravity", "label": "bold", "parameters": {"threshold": 0.9}}]
    result = run(RunConfig.of({"data": {"dataset": "synthetic-7d"}, "strategies": strategies}, "options"))
    assert [(score.name, score.parameters["threshold"]) for score in result.scores] == [("gravity", 0.6), ("bold", 0.9)]


def test_a_run_fails_before_the_work_where_a_strategy_is_unknown(tmp_path):
    config = RunConfig.of(
        {"data": {"symbol": "X", "interval": "1h", "store": str(tmp_path)}, "strategies": [{"name": "gravty"}]}, "options"
    )
    with pytest.raises(ConfigError, match=r"did you mean 'gravity'"):
        run(config)


def test_a_run_scores_every_strategy_and_the_benchmark():
    said = []
    values = {"data": {"dataset": "synthetic-7d"}, "mix": {"10": 1.0}, "execution": {"leverage": 2.0, "initial_cash": 500.0}}
    result = run(RunConfig.of(values, "options"), progress=lambda share, what: said.append((share, what)))
    assert [score.name for score in result.scores] == ["gravity", "sweep_reversal"]
    assert all((score.leverage, score.initial_cash) == (2.0, 500.0) for score in result.scores)
    assert (result.benchmark.leverage, result.benchmark.initial_cash) == (1.0, 500.0)
    assert result.book.mix.leverage == (10.0,)
    assert len(result.features) == result.market.n_bars
    assert all(0 <= share <= 1 for share, _ in said)
    described = result.provenance()
    assert described["market"]["synthetic"] is True
    assert described["mix"] == {"10": 1.0}
    assert described["strategy gravity"]["execution"]["leverage"] == 2.0
    assert described["strategy gravity"]["file_sha256"] == hashlib.sha256(shipped_strategies()["gravity"].read_bytes()).hexdigest()
    assert described["seeds"]["market"] == result.market.seed
