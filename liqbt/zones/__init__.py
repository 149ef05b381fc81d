"""Hot zones of a map, and what becomes of them."""

from liqbt.zones._kernels import hot_runs
from liqbt.zones.params import ZoneParams, smoothing_bins
from liqbt.zones.tracks import FATES, ZoneTracks, track_zones
from liqbt.zones.zones import Zones, find_zones

__all__ = ["FATES", "ZoneParams", "ZoneTracks", "Zones", "find_zones", "hot_runs", "smoothing_bins", "track_zones"]
