"""Options of the command line, and the configuration that they make together with a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liqbt.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from liqbt.run import RunConfig

__all__ = [
    "Config", "Dataset", "End", "Interval", "Json", "Leverage", "Param", "Start", "Store", "Strategies", "Symbol", "Venue", "make_config",
]  # fmt: skip


def _option(*names: str, text: str) -> Any:
    return typer.Option(*names, help=text, show_default=False)


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines, and no progress.")]
Store = Annotated[str | None, _option("--store", text="Folder of the store.  [default: store]")]
Venue = Annotated[str | None, _option("--venue", text="Venue, as given at import.  [default: binance]")]
Symbol = Annotated[str | None, _option("--symbol", text="Symbol as the venue writes it, such as SOLUSDT.")]
Interval = Annotated[str | None, _option("--interval", text="Bar interval, such as 5m or 1h.")]
Start = Annotated[str | None, _option("--start", text="First instant, ISO, UTC.")]
End = Annotated[str | None, _option("--end", text="Instant to stop before, ISO, UTC.")]
Dataset = Annotated[str | None, _option("--dataset", text="A named data set instead of the store, such as synthetic-90d.")]
Config = Annotated[Path | None, _option("--config", text="TOML file with settings; options given here win over it.")]
Param = Annotated[list[str] | None, _option("--param", text="A strategy's parameter, such as gravity.threshold=0.7; may be repeated.")]
Leverage = Annotated[float | None, _option("--leverage", text="Leverage of each position.  [default: 1]")]
Strategies = Annotated[
    list[str] | None, typer.Argument(help="Shipped names or paths of .py files.  [default: gravity sweep_reversal]", show_default=False)
]


def make_config(
    path: Path | None,
    *,
    strategies: list[str] | None = None,
    param: list[str] | None = None,
    leverage: float | None = None,
    evaluation: Mapping[str, Any] | None = None,
    **data: str | None,
) -> RunConfig:
    """Return the configuration of a file, if any, with what the options say in its place.

    Raises ConfigError where file or options cannot be used.
    """
    from liqbt.run import RunConfig, read_config

    values = {} if path is None else read_config(path)
    given = {key: value for key, value in data.items() if value is not None}
    section = values.get("data", {})
    if isinstance(section, dict):  # else the configuration's own check tells what is wrong with it
        if ("symbol" in given or "store" in given) and "dataset" not in given:
            section = {key: value for key, value in section.items() if key != "dataset"}
        values["data"] = {**section, **given}
    if strategies is not None:
        values["strategies"] = [{"name": name} for name in strategies]
    if leverage is not None and isinstance(values.get("execution", {}), dict):
        values["execution"] = {**values.get("execution", {}), "leverage": leverage}
    asked = {key: value for key, value in (evaluation or {}).items() if value is not None}
    if asked and isinstance(values.get("evaluation", {}), dict):
        values["evaluation"] = {**values.get("evaluation", {}), **asked}
    return _with_parameters(RunConfig.of(values, str(path) if path else "options"), param or [])


def _with_parameters(config: RunConfig, assignments: list[str]) -> RunConfig:
    strategies = list(config.strategies)
    for text in assignments:
        target, found, value = text.partition("=")
        name, dot, key = target.partition(".")
        if not (found and dot):
            raise ConfigError(f"--param: {text!r} is not of the form strategy.parameter=value")
        if name not in {one.result_name for one in strategies}:
            raise ConfigError(f"--param: no strategy {name!r} in this run{did_you_mean(name, [one.result_name for one in strategies])}")
        for i, one in enumerate(strategies):
            if one.result_name == name:
                strategies[i] = one.model_copy(update={"parameters": {**one.parameters, key: value}})
    return config.model_copy(update={"strategies": tuple(strategies)})
