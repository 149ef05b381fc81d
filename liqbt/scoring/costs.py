"""What trading costs: fees, slippage, and whether funding is charged."""

from __future__ import annotations

import math
from dataclasses import dataclass

from liqbt.errors import ConfigError

__all__ = ["Costs"]

MAX_FEE_RATE = 0.05  # no venue charges 5 %; a greater number is a percentage written as a fraction
MAX_SLIPPAGE_BPS = 1_000.0


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Costs of trading one perpetual.

    taker_fee_rate: fraction of notional, paid by market orders and triggered stops; at least 0.
    maker_fee_rate: fraction of notional, paid by limit orders that rested: targets and limit entries; negative is a rebate.
    slippage_bps: basis points by which every market order and triggered stop fills worse than its reference price.
    funding: whether recorded funding is paid and received.
    depth_slippage: whether market orders and triggered stops also walk the recorded order book, and pay that where it is more than
        `slippage_bps`; the market must have depth.

    Raises ConfigError for values out of range.
    """

    taker_fee_rate: float
    maker_fee_rate: float
    slippage_bps: float
    funding: bool = True  # recorded funding is a fact of the market; leaving it out is the exception
    depth_slippage: bool = False  # few recordings have depth

    def __post_init__(self) -> None:
        if not 0 <= self.taker_fee_rate < MAX_FEE_RATE:
            raise ConfigError(f"taker_fee_rate: {self.taker_fee_rate!r} must be a fraction from 0 to {MAX_FEE_RATE}; 0.0005 is 0.05 %")
        if not -MAX_FEE_RATE < self.maker_fee_rate < MAX_FEE_RATE:
            raise ConfigError(
                f"maker_fee_rate: {self.maker_fee_rate!r} must be a fraction between -{MAX_FEE_RATE} and {MAX_FEE_RATE}; 0.0002 is 0.02 %"
            )
        if not (math.isfinite(self.slippage_bps) and 0 <= self.slippage_bps <= MAX_SLIPPAGE_BPS):
            raise ConfigError(f"slippage_bps: {self.slippage_bps!r} must be from 0 to {MAX_SLIPPAGE_BPS:g} basis points")

    @classmethod
    def binance_usdm(cls) -> Costs:
        """Return the costs of an account without discounts on Binance USDⓈ-M futures.

        Fees: Binance's USDⓈ-M fee schedule, VIP 0, taker 0.05 %, maker 0.02 %, no BNB discount.
        Slippage: 1 basis point, an assumption for small orders in liquid symbols; raise it for thin ones.
        """
        return cls(taker_fee_rate=0.0005, maker_fee_rate=0.0002, slippage_bps=1.0)

    @classmethod
    def free(cls) -> Costs:
        """Return no costs at all, funding included: for tests and for separating a signal from its costs."""
        return cls(taker_fee_rate=0.0, maker_fee_rate=0.0, slippage_bps=0.0, funding=False)

    @property
    def slippage(self) -> float:
        """Slippage as a fraction of the price."""
        return self.slippage_bps * 1e-4
