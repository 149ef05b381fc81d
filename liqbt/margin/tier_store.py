"""Imported bracket tables on disk: one JSON file for each venue, replaced whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from liqbt.data._places import Folder
from liqbt.errors import ConfigError, DataError, StoreError
from liqbt.margin._symbols import find_symbol, symbol_key
from liqbt.margin.tier_files import decode_tables, encode_tables
from liqbt.margin.tiers import TierTable

__all__ = ["SavedTiers", "load_tiers", "save_tiers", "saved_tables"]

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


@dataclass(frozen=True, kw_only=True)
class SavedTiers:
    """What saving changed: symbols that are new, that took the place of another table, and that were there already."""

    path: Path
    added: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]


def save_tiers(folder: str | Path, venue: str, tables: Mapping[str, TierTable]) -> SavedTiers:
    """Merge tables into `folder/VENUE.json` and return what that changed.

    venue: as the store calls it; the tables are saved under that name. tables: as `read_tiers` returns them. A table replaces
    the one of the same market, however that is spelled, whatever the dates of the two. Saving the same again changes nothing.
    The file is written beside its place and put there in one step: whoever reads sees the old tables or the new ones.

    Raises ConfigError for a venue that is no plain name, DataError for tables that make no sense, StoreError where the file is
    damaged or cannot be written.
    """
    path = _path(folder, venue)
    place = Folder(path.parent)
    added: list[str] = []
    replaced: list[str] = []
    unchanged: list[str] = []
    with place.writing() as staging:
        stored = {symbol_key(venue, table.symbol): table for table in _load(path)}
        for table in tables.values():
            new = replace(table, venue=venue)
            key = symbol_key(venue, new.symbol)
            changes = unchanged if stored.get(key) == new else replaced if key in stored else added
            changes.append(new.symbol)
            stored[key] = new
        if added or replaced:
            content = encode_tables(stored.values()).encode()
            decode_tables(content, "tables")  # what is put in place can be read again
            staged = staging / path.name
            staged.write_bytes(content)
            place.put(staged, path.name, None)
    return SavedTiers(path=path, added=tuple(added), replaced=tuple(replaced), unchanged=tuple(unchanged))


def load_tiers(folder: str | Path, venue: str, symbol: str) -> TierTable | None:
    """Return the saved table of `symbol`, in any usual spelling; None where none is saved.

    Raises ConfigError for a venue that is no plain name, StoreError where the file is damaged.
    """
    tables = {table.symbol: table for table in _load(_path(folder, venue))}
    found = find_symbol(venue, symbol, tables)
    return None if found is None else tables[found]


def saved_tables(folder: str | Path) -> tuple[TierTable, ...]:
    """Return all saved tables, by venue and symbol; raises StoreError where a file is damaged."""
    return tuple(table for path in sorted(Path(folder).glob("[!.]*.json")) for table in _load(path))


def _path(folder: str | Path, venue: str) -> Path:
    # It becomes a file's name: no separators, and no leading dot that hides it or climbs.
    if not _NAME.fullmatch(venue):
        raise ConfigError(f"venue: {venue!r} is no plain name; use letters, digits, '.', '_' and '-', not '.' first")
    return Path(folder) / f"{venue}.json"


def _load(path: Path) -> list[TierTable]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from error
    try:
        return decode_tables(content, str(path))
    except DataError as error:
        raise StoreError(f"{error}; delete the file and import its tables again") from error
