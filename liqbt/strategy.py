"""The Strategy protocol, and finding a strategy by the name of a shipped one or by the path of a user's own file."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pandas as pd

from liqbt.errors import ConfigError, did_you_mean
from liqbt.market import MarketFrame
from liqbt.signals import Signals

__all__ = ["Strategy", "load_strategy", "shipped_strategies", "strategy_name"]


@runtime_checkable
class Strategy(Protocol):
    """A frozen dataclass of parameters with this one pure method."""

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return what the strategy wants at each bar's close.

        features: one row a bar as `build_features` gives it, known at that bar's close; row t may use rows up to t only.
        """
        ...


def shipped_strategies() -> dict[str, Path]:
    """Return the strategies that come with liqbt: file by name. Copy one and change it."""
    folder = importlib.util.find_spec("liqbt.strategies")
    roots = list(folder.submodule_search_locations or ()) if folder else []
    files = (path for root in roots for path in Path(root).glob("[!_]*.py"))
    return {path.stem: path for path in sorted(files)}


def load_strategy(name: str | Path, /, **parameters: Any) -> Strategy:
    """Return a strategy with these parameters; the others keep their defaults.

    name: a shipped one, such as `gravity`, or the path of a Python file with one dataclass that has a `signals` method.
    Text is converted to the type of the parameter, as the command line needs.

    Raises ConfigError for an unknown name or parameter, a value of the wrong type, and a file that cannot be loaded,
    with the line at fault.
    """
    shipped = shipped_strategies()
    path = shipped.get(str(name)) or Path(name)
    if path.suffix != ".py":
        raise ConfigError(f"strategy: {str(name)!r} is neither shipped nor the path of a .py file{did_you_mean(str(name), shipped)}")
    if not path.is_file():
        raise ConfigError(f"strategy: there is no file {str(name)!r}; check the path, or use one of {', '.join(shipped)}")
    cls = _strategy_class(_module(path), path)
    known = {f.name: f for f in dataclasses.fields(cls)}
    hints = typing.get_type_hints(cls)
    values = {}
    for key, value in parameters.items():
        if key not in known:
            raise ConfigError(f"{path.stem}: it has no parameter {key!r}{did_you_mean(key, known)}")
        values[key] = _converted(value, hints[key], f"{path.stem}: {key}")
    strategy: Strategy = cls(**values)
    return strategy


def strategy_name(strategy: Strategy) -> str:
    """Return the name that results carry: the class's name in snake_case."""
    name = type(strategy).__name__
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def _module(path: Path) -> types.ModuleType:
    name = f"liqbt_user_strategy_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"strategy: {path} cannot be read as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up while they are made
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise ConfigError(f"{path}:{error.lineno}: {error.msg}") from error
    except Exception as error:
        raise ConfigError(f"{path}:{_line_in(path, error)}: {type(error).__name__}: {error}") from error
    return module


def _line_in(path: Path, error: Exception) -> int:
    line, frame = 0, error.__traceback__
    while frame is not None:
        if Path(frame.tb_frame.f_code.co_filename) == path:
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


def _strategy_class(module: types.ModuleType, path: Path) -> type[Any]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and callable(getattr(value, "signals", None))
    ]
    if len(found) != 1:
        names = ", ".join(cls.__name__ for cls in found) or "none"
        raise ConfigError(f"{path}: it must define exactly one class with a signals(market, features) method, found {names}")
    if not dataclasses.is_dataclass(found[0]):
        raise ConfigError(f"{path}: class {found[0].__name__} must be a dataclass; put @dataclass(frozen=True, kw_only=True) above it")
    return found[0]


def _converted(value: Any, wanted: Any, label: str) -> Any:
    kinds: Mapping[Any, Any] = {float: float, int: _whole, str: str, bool: bool}
    if wanted not in kinds:
        return value
    try:
        if wanted is bool and isinstance(value, str):
            return {"true": True, "false": False}[value.lower()]
        return kinds[wanted](value)
    except (TypeError, ValueError, KeyError, OverflowError):
        raise ConfigError(f"{label}: {value!r} is not of type {wanted.__name__}") from None


def _whole(value: Any) -> int:
    number = float(value)
    if not number.is_integer():
        raise ValueError
    return int(number)
