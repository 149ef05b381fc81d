"""How faithful is the map? Measures of agreement, and a study of them on synthetic markets, where the truth is known.

    study = fidelity_study(seeds=(1, 2), days=7, workers=2)
    study.summary()                     # one row a case: what was wrong with the assumptions, and what that cost
    study.figure()

`compare_maps` and `reliability` know nothing of books or of markets; `fidelity_cases` says what is compared, and `docs/fidelity.md`
what came of it.
"""

from __future__ import annotations

from .cases import MATCHED_CHURN_SHARE, FidelityCase, fidelity_cases, matched_market
from .chance import CaseChance, ChanceSettings
from .example import TrueAndReconstructed, true_and_reconstructed
from .measures import Reliability, compare_maps, reliability
from .study import MEASURES, FidelityStudy, fidelity_study

__all__ = [
    "MATCHED_CHURN_SHARE",
    "MEASURES",
    "CaseChance",
    "ChanceSettings",
    "FidelityCase",
    "FidelityStudy",
    "Reliability",
    "TrueAndReconstructed",
    "compare_maps",
    "fidelity_cases",
    "fidelity_study",
    "matched_market",
    "reliability",
    "true_and_reconstructed",
]
