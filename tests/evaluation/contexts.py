"""Contexts by hand: bars and the features that a test needs, everything else empty."""

import numpy as np
import pandas as pd

from liqbt.evaluation.context import Context
from liqbt.features import FEATURES


def context_of(market, *, first_bar=0, sigma=0.02, **features):
    """A context of `market`; features not given are NaN, dominance 0.5 and sigma_day `sigma`."""
    values = dict.fromkeys(FEATURES, np.nan) | {"sigma_day": sigma, "dominance": 0.5, "explained_share": 1.0}
    frame = pd.DataFrame(values | features, index=market.index)
    return Context(market=market, features=frame, first_bar=first_bar)
