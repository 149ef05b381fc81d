"""The Strategy protocol, and finding a strategy by the name of a shipped one or by the path of a user's own file."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import inspect
import itertools
import math
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import pandas as pd

from liqbt.errors import ConfigError, LiqbtError, did_you_mean
from liqbt.market import MarketFrame
from liqbt.signals import Signals

__all__ = ["Strategy", "ask_signals", "load_strategy", "shipped_strategies", "source_sha256", "strategy_variants"]


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
    path = path.resolve()  # as frames name the file, so that errors can be placed in it
    cls = _strategy_class(_module(path), path)
    known = {f.name: f for f in dataclasses.fields(cls)}
    for key in parameters:
        if key not in known:
            raise ConfigError(f"{path.stem}: it has no parameter {key!r}{did_you_mean(key, known)}")
    with _blamed_on(path):
        hints = typing.get_type_hints(cls)
    values = {key: _converted(value, hints[key], f"{path.stem}: {key}") for key, value in parameters.items()}
    with _blamed_on(path):
        strategy: Strategy = cls(**values)
    return strategy


def strategy_variants(name: str | Path, /, **parameters: Sequence[Any]) -> Iterator[Strategy]:
    """Yield the strategy with each combination of these values, the last parameter changing fastest.

    parameters: a list of values for each parameter to vary. Raises ConfigError as `load_strategy` does.
    """
    for values in itertools.product(*parameters.values()):
        yield load_strategy(name, **dict(zip(parameters, values, strict=True)))


def ask_signals(strategy: Strategy, market: MarketFrame, features: pd.DataFrame) -> Signals:
    """Return the strategy's signals; raises ConfigError with file and line where its code fails or gives something else."""
    path = Path(inspect.getfile(type(strategy)))
    with _blamed_on(path):
        signals = strategy.signals(market, features)
    if not isinstance(signals, Signals):
        raise ConfigError(f"{path}: signals() gave {type(signals).__name__}, not Signals; end it with return Signals.of(market, entry=...)")
    return signals


def source_sha256(strategy: Strategy) -> str:
    """Return the SHA-256 of the file that the strategy was loaded from."""
    return hashlib.sha256(Path(inspect.getfile(type(strategy))).read_bytes()).hexdigest()


@contextmanager
def _blamed_on(path: Path) -> Iterator[None]:
    """Turn what a user's file raises into an error that names the file and the line in it."""
    try:
        yield
    except LiqbtError:
        raise
    except SyntaxError as error:
        raise ConfigError(f"{path}:{error.lineno or 1}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{path}:{_line_in(path, error)}: {type(error).__name__}: {error}") from error


def _module(path: Path) -> types.ModuleType:
    # a name of its own for each file, or of two called alike the second would pass for the source of the first
    name = f"liqbt_strategy_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"strategy: {path} cannot be read as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up while they are made
    with _blamed_on(path):
        spec.loader.exec_module(module)
    return module


def _line_in(path: Path, error: BaseException) -> int:
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
    if isinstance(wanted, types.UnionType) or typing.get_origin(wanted) is typing.Union:  # x | None
        others = [kind for kind in typing.get_args(wanted) if kind is not types.NoneType]
        if value is None or len(others) != 1:
            return value
        wanted = others[0]
    kinds: Mapping[Any, Callable[[Any], Any]] = {float: _number, int: _whole, str: str, bool: _switch}
    if wanted not in kinds:
        return value
    try:
        return kinds[wanted](value)
    except (TypeError, ValueError, KeyError, OverflowError):
        raise ConfigError(f"{label}: {value!r} is not {_WORDS[wanted]}") from None


_WORDS: Final = {float: "a finite number", int: "a whole number", str: "text", bool: "true or false"}


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _whole(value: Any) -> int:
    number = _number(value)
    if not number.is_integer():
        raise ValueError
    return int(number)


def _switch(value: Any) -> bool:
    return {"true": True, "false": False}[str(value).lower()]
