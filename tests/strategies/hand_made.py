"""Features that were made by hand."""

import numpy as np
import pandas as pd

from liqbt.features import FEATURES

CALM = {
    "sigma_day": 0.04, "dominance": 0.5, "below_near": 98.0, "below_far": 97.0, "below_share": 0.5, "below_swept": 0.0,
    "above_near": 102.0, "above_far": 103.0, "above_share": 0.5, "above_swept": 0.0,
}  # fmt: skip


def features_of(market, **columns):
    """Zones from 97 to 98 and from 102 to 103 that nothing sweeps, but for the columns given."""
    frame = pd.DataFrame(np.nan, index=market.index, columns=list(FEATURES))
    return frame.assign(**(CALM | columns))


def unknown(market, **columns):
    """Features of a map that says nothing, but for the columns given."""
    return features_of(market, **(dict.fromkeys(FEATURES, np.nan) | columns))
