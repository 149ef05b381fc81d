"""The mapping file that tells `generic_csv` what a text file's columns mean."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import pydantic

from liqbt._time import parse_interval
from liqbt.data.schema import TABLES, table
from liqbt.errors import ConfigError, did_you_mean

__all__ = ["Mapping", "TimeColumn", "built_in_mappings", "load_mapping"]

_STRICT = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


class TimeColumn(pydantic.BaseModel):
    """A column of times: its name (or number from 1, without a header), unit, and hours by which its clock is ahead of UTC."""

    model_config = _STRICT

    column: str | int
    unit: Literal["iso", "s", "ms", "us", "ns"]
    utc_offset_hours: float = 0.0


class Mapping(pydantic.BaseModel):
    """What the columns of a text file are in a canonical table.

    table: name of the canonical table. time: when a row happened. available_at: when it was known, where the file says so.
    columns: canonical column to the file's column, by name or, without a header, by number from 1.
    values: canonical column to {text in the file: canonical text}. interval: such as `5m`, None to take the smallest step.
    """

    model_config = _STRICT

    table: str
    time: TimeColumn
    available_at: TimeColumn | None = None
    columns: dict[str, str | int]
    values: dict[str, dict[str, str]] = {}
    delimiter: str = pydantic.Field(default=",", min_length=1, max_length=1)
    interval: str | None = None
    header: bool = True


def built_in_mappings() -> tuple[str, ...]:
    """Names of the mappings that come with liqbt, sorted."""
    folder = resources.files("liqbt.data") / "mappings"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_mapping(mapping: str | Path) -> Mapping:
    """Return a built-in mapping by name, or the one in a TOML file; a text that ends in .toml is a path.

    Raises ConfigError naming the mapping, the key, its value and the remedy.
    """
    text, label = _text(mapping)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{label}: is not TOML: {error}") from None
    try:
        found = Mapping.model_validate(raw)
    except pydantic.ValidationError as error:
        raise ConfigError(f"{label}: {_first_error(error)}") from None
    _check(found, label)
    return found


def _text(mapping: str | Path) -> tuple[str, str]:
    if isinstance(mapping, str) and not mapping.endswith(".toml"):
        known = built_in_mappings()
        if mapping not in known:
            raise ConfigError(
                f"mapping: there is no built-in {mapping!r}{did_you_mean(mapping, known)}; the path of your own ends in .toml"
            )
        return (resources.files("liqbt.data") / "mappings" / f"{mapping}.toml").read_text(encoding="utf-8"), f"mapping {mapping}"
    path = Path(mapping)
    try:
        return path.read_text(encoding="utf-8"), f"mapping {mapping}"
    except UnicodeDecodeError:
        raise ConfigError(f"mapping {mapping}: is not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"mapping {mapping}: cannot be read ({error.strerror or error}); check the path") from None


def _first_error(error: pydantic.ValidationError) -> str:
    problem = error.errors()[0]
    where = [str(part) for part in problem["loc"]]
    key = ".".join(part for part in where if part not in ("str", "int"))
    if problem["type"] == "extra_forbidden":
        model = TimeColumn if where[0] in ("time", "available_at") and len(where) > 1 else Mapping
        return f"unknown key {key!r}{did_you_mean(where[-1], model.model_fields)}"
    if problem["type"] == "missing":
        return f"key {key!r} is missing"
    return f"{key} is {problem['input']!r}: {problem['msg']}"


def _check(mapping: Mapping, label: str) -> None:
    if mapping.table not in TABLES:
        raise ConfigError(f"{label}: table is {mapping.table!r}, no canonical table{did_you_mean(mapping.table, TABLES)}")
    spec = table(mapping.table)
    known = {column.name: column for column in spec.columns}
    for name in mapping.columns:
        if name not in known:
            raise ConfigError(f"{label}: columns.{name}: table {spec.name!r} has no such column{did_you_mean(name, known)}")
    missing = [name for name in spec.required[1:] if name not in mapping.columns]
    if missing:
        raise ConfigError(f"{label}: columns: table {spec.name!r} needs {missing[0]!r}; say which column of the file holds it")
    for name, texts in mapping.values.items():
        if name not in mapping.columns:
            raise ConfigError(f"{label}: values.{name}: is no mapped column{did_you_mean(name, mapping.columns)}")
        if known[name].kind != "side":
            raise ConfigError(f"{label}: values.{name}: only a side takes values, {name!r} is a number")
        for ours in texts.values():
            if ours not in known[name].choices:
                raise ConfigError(f"{label}: values.{name}: {ours!r} is not one of {', '.join(known[name].choices)}")
    if mapping.interval is not None:
        parse_interval(mapping.interval, parameter=f"{label}: interval")
    used: dict[str, Any] = {"time.column": mapping.time.column, **{f"columns.{name}": at for name, at in mapping.columns.items()}}
    if mapping.available_at is not None:
        used["available_at.column"] = mapping.available_at.column
    for key, at in used.items():
        if mapping.header and isinstance(at, int):
            raise ConfigError(f"{label}: {key} is {at}; write the column's name, or header = false for a file without names")
        if not mapping.header and (isinstance(at, str) or at < 1):
            raise ConfigError(f"{label}: {key} is {at!r}; without a header write the column's number, 1 for the first")
