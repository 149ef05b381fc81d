"""Variants that were scored without records, as trials: who tried ten thousand has tried ten thousand."""

from __future__ import annotations

import importlib
import math
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from liqbt.book.params import BookParams, LeverageMix
from liqbt.features import FeatureParams
from liqbt.ledger.entry import LedgerEntry
from liqbt.ledger.identity import data_sha256, plain, sha256_of
from liqbt.market import MarketFrame
from liqbt.scoring import Costs, EquityShare, Sizing, TradingRules
from liqbt.scoring.variants import VARIANT_COLUMNS

__all__ = ["entries_of_variants"]


def entries_of_variants(
    table: pd.DataFrame,
    market: MarketFrame,
    *,
    source_sha256: str,
    costs: Costs | None = None,
    leverage: float = 1.0,
    initial_cash: float = 10_000.0,
    sizing: Sizing | None = None,
    rules: TradingRules | None = None,
    mix: LeverageMix | None = None,
    book: BookParams | None = None,
    features: FeatureParams | None = None,
) -> list[LedgerEntry]:
    """Return an entry for each row of what `score_variants` gave, for `Ledger.record_many`; the other settings are those that it was given.

    A variant that is scored again by `backtest`, with the same file and settings, is the same trial. What scoring by the thousand does not
    tell (fees, funding, slippage, liquidations, skew, kurtosis) is unknown.
    """
    data, created = data_sha256(market), datetime.now(UTC)
    executed: dict[str, Any] = {"leverage": float(leverage), "initial_cash": float(initial_cash)}
    executed |= {"sizing": sizing or EquityShare(), "rules": rules or TradingRules()}
    common = {
        "mix": None if mix is None else plain(dict(zip(mix.leverage, mix.weights, strict=True))),
        "book": None if book is None else plain(vars(book)),
        "features": None if features is None else plain(vars(features)),
        "costs": plain(vars(costs or Costs.binance_usdm())),
        "execution": plain({**executed, "fills": "liqbt"}),
    }
    first, end = int(market.timestamp[0]) // 10**9, (int(market.timestamp[-1]) + market.interval_ns) // 10**9
    entries = []
    for row in table.sort_index().to_dict("records"):
        settings = {"parameters": plain({key: row[key] for key in row if key not in ("name", *VARIANT_COLUMNS)}), **common}
        entries.append(
            LedgerEntry(
                created=created,
                role="strategy",
                strategy=str(row["name"]),
                trial_sha256=sha256_of({"data": data, "source": source_sha256, **settings}),
                data_sha256=data,
                source_sha256=source_sha256,
                venue=market.venue,
                symbol=market.symbol,
                interval=market.interval,
                span_start=datetime.fromtimestamp(first, UTC),
                span_end=datetime.fromtimestamp(end, UTC),
                seed=None if market.seed is None else str(market.seed),
                **settings,
                liqbt_version=importlib.import_module("liqbt").__version__,  # the package's own import stands above this room
                n_bars=market.n_bars,
                n_trades=int(row["n_trades"]),
                total_return=float(row["total_return"]),
                sharpe=float(row["sharpe"]),
                sharpe_year=float(row["sharpe_year"]),
                max_drawdown=float(row["max_drawdown"]),
                ruined=bool(row["ruined"]),
                liquidations=None,
                skew=math.nan,
                kurtosis=math.nan,
                fees=math.nan,
                funding=math.nan,
                slippage=math.nan,
                wall_seconds=math.nan,
            )
        )
    return entries
