"""The ranges of parameters, written as mathematicians write intervals, and errors that say what would do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from liqbt.errors import ConfigError, did_you_mean

__all__ = ["check_parameters"]

_INTERVAL: Final = re.compile(r"([\[(])\s*(\S+?)\s*,\s*(\S+?)\s*([\])])")


def check_parameters(owner: str, parameters: Any, **allowed: str | Sequence[str]) -> None:
    """Raise ConfigError, naming owner, parameter, value and what would do, for the first attribute that is not allowed.

    parameters: an object with an attribute for each name in `allowed`, such as a dataclass in its `__post_init__`.
    allowed: by name an interval of numbers, `"[0.5, 1)"` for at least 0.5 and below 1, or the words that may be chosen from.
    NaN lies in no interval.
    """
    for name, range_ in allowed.items():
        value = getattr(parameters, name)
        if not isinstance(range_, str):
            if value not in range_:
                raise ConfigError(f"{owner}: {name} {value!r} is none of {', '.join(range_)}{_meant(value, range_)}")
            continue
        found = _INTERVAL.fullmatch(range_)
        if found is None:
            raise ConfigError(f"{owner}: the range {range_!r} of {name} is no interval; write it as in '[0, 1)'")
        opens, low, high, closes = found.groups()
        number = isinstance(value, int | float) and not isinstance(value, bool)
        above = number and (value >= float(low) if opens == "[" else value > float(low))
        below = number and (value <= float(high) if closes == "]" else value < float(high))
        if not (above and below):
            least = f"at least {low}" if opens == "[" else f"above {low}"
            most = f"at most {high}" if closes == "]" else f"below {high}"
            raise ConfigError(f"{owner}: {name} {value!r} must be {least} and {most}")


def _meant(value: Any, words: Sequence[str]) -> str:
    hint = did_you_mean(str(value), words)
    return hint if hint.startswith("; did you mean") else ""
