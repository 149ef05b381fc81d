"""The configuration of a run, and reading it."""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, field_validator

from liqbt.book.params import BookParams
from liqbt.errors import ConfigError, did_you_mean
from liqbt.evaluation.evaluate import DRAWS
from liqbt.features import FeatureParams
from liqbt.scoring import Costs, EquityShare, FixedNotional, TradingRules, VolatilityTarget

__all__ = ["DataConfig", "EvaluationConfig", "ExecutionConfig", "RunConfig", "StrategyConfig", "read_config"]

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


def _kind_of_sizing(value: Any) -> str:
    """Return which sizing is meant, by the settings that are given."""
    if not isinstance(value, Mapping):
        return type(value).__name__
    if "notional" in value:
        return "FixedNotional"
    return "VolatilityTarget" if {"daily", "volatility_days", "max_share"} & set(value) else "EquityShare"


_Sizing = Annotated[
    Annotated[EquityShare, Tag("EquityShare")]
    | Annotated[FixedNotional, Tag("FixedNotional")]
    | Annotated[VolatilityTarget, Tag("VolatilityTarget")],
    Discriminator(_kind_of_sizing),
    Field(description="share, or notional, or daily with volatility_days and max_share"),
]


class ExecutionConfig(BaseModel):
    """How signals are traded; see `liqbt.backtest`."""

    model_config = _STRICT
    leverage: float = 1.0
    initial_cash: float = 10_000.0
    sizing: _Sizing = EquityShare()
    rules: TradingRules = TradingRules()
    fills: Literal["liqbt", "vectorbt"] = "liqbt"


class EvaluationConfig(BaseModel):
    """What is asked of a market; see `liqbt.evaluation.evaluate`."""

    model_config = _STRICT
    hypotheses: Annotated[tuple[str, ...] | None, Field(description="names, or beginnings of names; all where left out")] = None
    tuned_until: str | None = None
    draws: int = DRAWS
    seed: int = 0


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
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    ledger: Annotated[str | None, Field(description="where trials are counted; see `liqbt.ledger.default_ledger`, or none")] = None
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
        """Return the configuration as TOML that `--config` takes, with the provenance of a run.

        Without the ledger's address, on which no number of a score depends, and which may hold a password.
        """
        values = self.model_dump(exclude_none=True, exclude={"provenance", "ledger"}, mode="json")
        return tomli_w.dumps({**values, "provenance": dict(provenance)})


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
