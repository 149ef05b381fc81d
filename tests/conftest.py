from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from liqbt.market import MarketFrame

settings.register_profile("liqbt", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("liqbt")

RECORDED = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(autouse=True, scope="session")
def _ledger_of_tests(tmp_path_factory):
    """Runs of tests are recorded apart from those of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIQBT_LEDGER", str(tmp_path_factory.mktemp("ledger") / "runs.sqlite"))
        yield


@pytest.fixture(scope="session")
def recorded():
    """Folder of recorded market data; skips where it is not beside the project."""
    if not RECORDED.is_dir():
        pytest.skip(f"recorded market data is not at {RECORDED.parent.name}/{RECORDED.name} beside the project")
    return RECORDED


@pytest.fixture(scope="session")
def make_market():
    """Small markets from lists: prices that are left out equal the close."""

    def make(*, close, open=None, high=None, low=None, volume=None, open_interest=None, interval="1h", symbol="TESTUSDT", **tables):
        count = len(close)
        stamps = pd.date_range("2026-01-01", periods=count, freq=pd.Timedelta(interval), tz="UTC")
        prices = {
            "open": open or close,
            "high": high or np.maximum(open or close, close),
            "low": low or np.minimum(open or close, close),
            "close": close,
        }
        bars = pd.DataFrame({name: np.asarray(values, dtype=float) for name, values in prices.items()})
        bars = bars.assign(timestamp=stamps, volume=np.asarray(volume if volume is not None else [1.0] * count, dtype=float))
        if open_interest is not None:
            known = pd.DataFrame({"timestamp": stamps + pd.Timedelta(interval), "open_interest": np.asarray(open_interest, dtype=float)})
            tables["open_interest"] = known
        return MarketFrame.from_frames(bars=bars, venue="nowhere", symbol=symbol, interval=interval, **tables)

    return make


@pytest.fixture(scope="session")
def week():
    """The seven-day synthetic market."""
    from liqbt.datasets import load_dataset

    return load_dataset("synthetic-7d")


@pytest.fixture(scope="session")
def quarter():
    """The ninety-day synthetic market."""
    from liqbt.datasets import load_dataset

    return load_dataset("synthetic-90d")
