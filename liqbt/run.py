"""A run: one configuration in, results out. What the command line does, for scripts as well."""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from liqbt._typing import Progress
from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.reconstruct import Reconstruction, reconstruct
from liqbt.errors import ConfigError, did_you_mean
from liqbt.features import FeatureParams, build_features
from liqbt.loading import load_market
from liqbt.market import MarketFrame
from liqbt.report.provenance import provenance
from liqbt.scoring import Costs, Score, backtest, buy_and_hold
from liqbt.strategy import ask_signals, load_strategy, source_sha256

__all__ = [
    "DataConfig",
    "ExecutionConfig",
    "RunConfig",
    "RunResult",
    "StrategyConfig",
    "open_market",
    "read_config",
    "reconstruct_market",
    "run",
]

BENCHMARK = "buy and hold"
_STRICT = ConfigDict(extra="forbid", frozen=True)


class DataConfig(BaseModel):
    """Which market: a symbol of a store, or a named data set."""

    model_config = _STRICT
    dataset: str | None = None
    store: str = "store"
    venue: str = "binance"
    symbol: str | None = None
    interval: str | None = None
    start: str | None = None
    end: str | None = None


class StrategyConfig(BaseModel):
    """One strategy by shipped name or path, with the parameters that differ from its defaults."""

    model_config = _STRICT
    name: str
    label: Annotated[str | None, Field(description="what results are called; the name of the file where left out")] = None
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("label")
    @classmethod
    def _plain(cls, label: str | None) -> str | None:
        if label is not None and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.+-]{0,59}", label) is None:
            raise ConfigError(f"label {label!r} must be up to 60 letters, digits, spaces and _.+-, and begin with a letter or digit")
        return label

    @field_validator("parameters")
    @classmethod
    def _finite(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        for key, value in parameters.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ConfigError(f"parameter {key} is {value!r}; it must be a finite number")
        return parameters

    @property
    def result_name(self) -> str:
        """What results of this strategy are called: the label, or the name of the file."""
        return self.label or Path(self.name).stem


class ExecutionConfig(BaseModel):
    """How signals are traded; see `liqbt.backtest`."""

    model_config = _STRICT
    leverage: float = 1.0
    equity_share: float = 1.0
    initial_cash: float = 10_000.0


class RunConfig(BaseModel):
    """Everything that a run depends on; what is left out has the default that the record of the run shows."""

    model_config = _STRICT
    data: DataConfig = Field(default_factory=DataConfig)
    mix: Annotated[dict[float, float] | None, Field(description="weight by leverage")] = None
    book: BookParams = Field(default_factory=BookParams)
    features: FeatureParams = Field(default_factory=FeatureParams)
    strategies: tuple[StrategyConfig, ...] = (StrategyConfig(name="gravity"), StrategyConfig(name="sweep_reversal"))
    costs: Costs = Field(default_factory=Costs.binance_usdm)
    execution: ExecutionConfig = Field(default_factory=ExecutionConfig)
    provenance: dict[str, Any] = Field(default_factory=dict, description="written by a run for the record; ignored when read")

    @classmethod
    def of(cls, values: Mapping[str, Any], source: str) -> RunConfig:
        """Return the configuration in `values`; raises ConfigError naming source and key where it cannot be used."""
        settings = dict(values)
        if isinstance(settings.get("costs"), Mapping):  # one fee may be given without the others
            settings["costs"] = {**dataclasses.asdict(Costs.binance_usdm()), **settings["costs"]}
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
                raise ConfigError(f"{source}: there is no setting {key!r}{did_you_mean(key, _settings(cls))}") from None
            problem = str(first["ctx"]["error"]) if "error" in first.get("ctx", {}) else f"{first['msg']}, got {first['input']!r}"
            raise ConfigError(f"{source}: {key}: {problem}") from None

    def to_toml(self, provenance: Mapping[str, Any]) -> str:
        """Return the configuration as TOML that `--config` takes, with the provenance of a run."""
        values = self.model_dump(exclude_none=True, exclude={"provenance"}, mode="json")
        return tomli_w.dumps({**values, "provenance": dict(provenance)})


@dataclass(frozen=True, kw_only=True, eq=False)
class RunResult:
    """What a run gives: the market, its book and features, and a score for each strategy and for buy and hold.

    sources: SHA-256 of each strategy's file, by the name of its score.
    """

    config: RunConfig
    market: MarketFrame
    book: Reconstruction
    features: pd.DataFrame
    scores: tuple[Score, ...]
    benchmark: Score
    sources: Mapping[str, str]

    def provenance(self) -> dict[str, Any]:
        """Return data, settings, versions and hashes behind the result."""
        return provenance(self.market, self.book, self.config.features, self.scores, self.sources)


def read_config(path: str | Path) -> dict[str, Any]:
    """Return the settings of a TOML file; raises ConfigError where it cannot be read."""
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; check --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None


def open_market(data: DataConfig, progress: Progress | None = None) -> MarketFrame:
    """Return the market that the configuration names.

    Raises ConfigError where neither a data set nor symbol and interval are named, and what `load_market` raises.
    """
    if data.dataset is not None:
        given = [name for name in ("symbol", "interval", "start", "end") if getattr(data, name) is not None]
        if given:
            raise ConfigError(f"data: {given[0]} cannot be chosen with data set {data.dataset!r}, which is taken whole; leave it out")
        from liqbt.datasets import load_dataset

        market: MarketFrame = load_dataset(data.dataset, progress=progress)
        return market
    if data.symbol is None or data.interval is None:
        missing = "symbol" if data.symbol is None else "interval"
        raise ConfigError(f"data: no {missing} is given; name one with --{missing} (see `liqbt data ls`), or a data set with --dataset")
    return load_market(data.store, venue=data.venue, symbol=data.symbol, interval=data.interval, start=data.start, end=data.end)


def reconstruct_market(config: RunConfig, *, progress: Progress | None = None) -> Reconstruction:
    """Open the market of the configuration and reconstruct its book; raises as `run` does."""
    market = open_market(config.data, progress)
    mix = None if config.mix is None else LeverageMix.of(config.mix)
    return reconstruct(market, mix, config.book, progress=progress)


def run(config: RunConfig, *, progress: Progress | None = None) -> RunResult:
    """Reconstruct the market's book, build features, and score every strategy of the configuration.

    Raises ConfigError, DataError or StoreError where data or settings cannot be used.
    """
    labels = _labels(config.strategies)
    strategies = [load_strategy(one.name, **one.parameters) for one in config.strategies]  # before the work, to fail early
    book = reconstruct_market(config, progress=progress)
    market = book.market
    features = build_features(book, config.features, progress=progress)
    execution = config.execution
    scores = []
    for done, (label, strategy) in enumerate(zip(labels, strategies, strict=True), start=1):
        signals = dataclasses.replace(ask_signals(strategy, market, features), name=label)
        scores.append(
            backtest(
                signals,
                market,
                costs=config.costs,
                leverage=execution.leverage,
                equity_share=execution.equity_share,
                initial_cash=execution.initial_cash,
            )
        )
        if progress is not None:
            progress(done / len(strategies), f"scored {label}")
    sources = {label: source_sha256(strategy) for label, strategy in zip(labels, strategies, strict=True)}
    benchmark = buy_and_hold(market, costs=config.costs, initial_cash=execution.initial_cash)
    return RunResult(config=config, market=market, book=book, features=features, scores=tuple(scores), benchmark=benchmark, sources=sources)


def _labels(strategies: tuple[StrategyConfig, ...]) -> list[str]:
    """Return a name for each strategy's results; raises ConfigError where two would share one."""
    labels = [one.result_name for one in strategies]
    twice = next((label for label in labels if labels.count(label) > 1 or label == BENCHMARK), None)
    if twice is not None:
        raise ConfigError(f"strategies: two results would be called {twice!r}; give one file another name, or a label in the configuration")
    return labels


def _settings(model: type[BaseModel]) -> list[str]:
    """Return the dotted names of all settings, for suggestions."""
    names: list[str] = []
    for key, field in model.model_fields.items():
        names.append(key)
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names += [f"{key}.{name}" for name in _settings(inner)]
        elif dataclasses.is_dataclass(inner):
            names += [f"{key}.{one.name}" for one in dataclasses.fields(inner)]
    return names
