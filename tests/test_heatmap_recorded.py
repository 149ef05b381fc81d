"""Maps and tracks of a recorded market."""

import numpy as np
import pytest

from liqbt.book.reconstruct import reconstruct
from liqbt.data.importing import import_files
from liqbt.heatmap import ZoneSize, dirichlet_mixes
from liqbt.loading import load_market
from liqbt.maps import liquidation_map, zone_probability
from liqbt.zones import find_zones, track_zones

pytestmark = pytest.mark.recorded


@pytest.fixture(scope="module")
def book(recorded, tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    files = [recorded / "freqtrade_binance" / "SOL_USDT_USDT-5m-futures.feather", recorded / "open_interest_binance" / "SOL_oi_5m.csv.gz"]
    import_files(files, store=store, quote="USDT")
    return reconstruct(load_market(store, venue="binance", symbol="SOLUSDT", interval="5m", start="2026-03-01", end="2026-04-15"))


def test_the_map_holds_the_live_positions_and_none_on_the_wrong_side_of_price(book):
    levels = liquidation_map(book, reach=0.9)
    np.testing.assert_allclose(levels.total.sum(axis=1), book.live[-1] @ book.weights, rtol=1e-9)
    below, above = levels.price < book.market.low[-1] * 0.9995, levels.price > book.market.high[-1] * 1.0005
    assert levels.total[0, ~below].sum() == 0
    assert levels.total[1, ~above].sum() == 0
    for side in ("long", "short"):
        assert 0.001 < levels.max_pain(side).distance < 0.25


def test_an_ensemble_is_sure_of_little(book):
    """Zones of a twentieth of their side: nowhere in most places, in some mixes in some, in all of them in few."""
    mixes = dirichlet_mixes(book.mix.weights, concentration=20, n_mixes=300, seed=0)
    chance = zone_probability(book, mixes, ZoneSize(measure="share", size=0.05), "4h").probability
    unsure, sure = ((chance > 0) & (chance < 1)).sum(), (chance == 1).sum()
    assert unsure > sure > 0
    assert (chance == 0).mean() > 0.9


def test_price_sweeps_zones_and_others_fade(book):
    tracks = track_zones(find_zones(book.heatmap("1h"), market=book.market), book.market)
    fates = tracks.summary()["fate"].value_counts()
    assert fates["swept"] > 20
    assert fates["faded"] > 20
    swept = tracks.summary().query("fate == 'swept'")
    assert (swept["covered"] > 0).all()
    assert (tracks.summary().query("fate == 'faded'")["covered"] == 0).all()
    assert np.isfinite(tracks.zones.distance_sigma[tracks.zones.timestamp > book.market.timestamp[400]]).all()
