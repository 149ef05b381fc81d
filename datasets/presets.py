"""Synthetic markets by what their liquidations do to price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

__all__ = ["PRESETS", "Preset"]

# A mark that is not the last price: a basis point is what an index of several venues differs by in calm times, an assumption.
_MINUTES: Final = {"days": 30, "interval": "1m", "steps_per_bar": 8, "mark_noise_bps": 1.0}


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A synthetic market. effect: what its price does, half a sentence. values: parameters of `SyntheticParams`, others default."""

    effect: str
    values: Mapping[str, Any]


def _preset(effect: str, **values: float) -> Preset:
    return Preset(effect=effect, values=MappingProxyType(_MINUTES | values))


PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        "null": _preset("price is a martingale that ignores liquidations, so no signal has an edge on it"),
        "gravity": _preset("price drifts to the side with more liquidations within reach", gravity_bps_per_hour=40.0),
        "cascade": _preset("liquidations move price on in their direction, half of it for good", cascade=2.0),
        "reversal": _preset("price turns after a burst of liquidations", reversal_bps=60.0),
    }
)
"""The presets by name. The strengths are chosen so that a month shows them, not measured on any market."""
