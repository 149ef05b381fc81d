"""The bracket tables that come with liqbt, each with its source and the day it was taken; venues change theirs without notice."""

from __future__ import annotations

from functools import cache
from importlib import resources

from liqbt.errors import ConfigError, did_you_mean
from liqbt.margin._symbols import find_symbol, venue_key
from liqbt.margin.tier_files import decode_tables
from liqbt.margin.tiers import GENERIC_TIERS, LeverageTier, TierTable

__all__ = ["leverage_tiers", "shipped_tables", "tier_table", "tiers_or_generic"]

_FILE = "leverage_tiers.json"


@cache
def shipped_tables() -> tuple[TierTable, ...]:
    """Return all shipped tables, by venue and symbol."""
    return tuple(decode_tables(resources.files("liqbt").joinpath(_FILE).read_bytes(), _FILE))


def tier_table(venue: str, symbol: str) -> TierTable:
    """Return the shipped table of `symbol`, with its date and source.

    symbol: as the venue writes it (`BTCUSDT`, on Hyperliquid `BTC`), as ccxt does (`BTC/USDT:USDT`), or in another usual
    spelling (`BTC-USDT-SWAP`, `btcusdt`). venue: also by ccxt's and Tardis' names, such as `binanceusdm`.

    Raises ConfigError for a venue or symbol that is not shipped.
    """
    tables = [table for table in shipped_tables() if table.venue == venue_key(venue)]
    if not tables:
        known = {table.venue for table in shipped_tables()}
        raise ConfigError(f"venue: no leverage tiers are shipped for {venue!r}{did_you_mean(venue, known)}")
    symbols = {table.symbol: table for table in tables}
    found = find_symbol(venue, symbol, symbols)
    if found is None:
        raise ConfigError(f"symbol: no leverage tiers are shipped for {symbol!r} on {venue}{did_you_mean(symbol, symbols)}")
    return symbols[found]


def leverage_tiers(venue: str, symbol: str) -> tuple[LeverageTier, ...]:
    """Return the shipped brackets of `symbol` in ascending notional; names and errors as in `tier_table`."""
    return tier_table(venue, symbol).tiers


def tiers_or_generic(venue: str, symbol: str, imported: TierTable | None = None) -> tuple[tuple[LeverageTier, ...], tuple[str, ...]]:
    """Return brackets for a linear market and what its numbers must be read with.

    They are those of `imported` where it is given, else the shipped ones, else `GENERIC_TIERS` with a note that they are assumed.

    Raises ConfigError where `imported` is the table of an inverse contract, whose bounds are in base coin.
    """
    if imported is not None:
        if imported.contract != "linear":
            raise ConfigError(f"leverage tiers: those imported for {symbol} on {venue} are of an inverse contract; this needs a linear one")
        return imported.tiers, imported.notes
    try:
        table = tier_table(venue, symbol)
    except ConfigError:
        tier = GENERIC_TIERS[0]
        assumed = f"{tier.maintenance_margin_rate:.2%} maintenance margin and at most {tier.max_leverage:g}x"
        return GENERIC_TIERS, (f"no leverage tiers are shipped for {symbol} on {venue}: {assumed} are assumed",)
    return table.tiers, table.notes
