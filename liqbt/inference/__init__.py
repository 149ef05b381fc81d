"""Statistics of signals: pure functions over arrays that know nothing of markets.

Means and differences: `clusters`, `wild`, `bootstrap` over `blocks`, `permutation`. Times to touch: `survival`, `hazards`, and their
null, `first_touch`. Forecasts: `skill`, `ranking`, `forecasts`. Many trials: `sharpe`, `overfitting`, `multiple`, `splits`.
What a sample could have shown: `power`. Unknown values (NaN) are refused everywhere: what to leave out is for the caller to say.
"""

from __future__ import annotations

from liqbt.inference.blocks import automatic_block_length, stationary_indices
from liqbt.inference.bootstrap import MIN_BLOCKS, BootstrapEstimate, bootstrap_difference, bootstrap_mean, bootstrap_ratio
from liqbt.inference.clusters import MIN_CLUSTERS, ClusteredEstimate, clustered_difference, clustered_mean
from liqbt.inference.first_touch import (
    DISCRETE_SHIFT,
    FirstTouch,
    first_touch_probability,
    first_touch_within,
    touch_probability,
    up_first_probability,
)
from liqbt.inference.forecasts import NumberTest, crps_ensemble, crps_normal, number_test
from liqbt.inference.hazards import HazardRatio, LogRank, hazard_ratio, log_rank
from liqbt.inference.multiple import AdjustedPValues, SuperiorAbility, adjust_p_values, step_m, superior_predictive_ability
from liqbt.inference.overfitting import BacktestOverfitting, backtest_overfitting
from liqbt.inference.permutation import PermutationTest, label_permutation_test, permutation_p_value, sign_flip_test, whole_day_shifts
from liqbt.inference.power import (
    TARGET,
    design_effect,
    intraclass_correlation,
    power_of_hazard_ratio,
    power_of_mean,
    power_of_share,
    required_clusters,
    required_events,
    required_touches,
    smallest_hazard_ratio,
    smallest_mean,
    smallest_share_difference,
)
from liqbt.inference.ranking import MolchanDiagram, molchan_diagram, roc_auc
from liqbt.inference.sharpe import (
    SharpeMoments,
    deflated_sharpe_ratio,
    effective_trials,
    expected_maximum_sharpe,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_moments,
)
from liqbt.inference.skill import InformationGain, deviance_explained, information_gain, mean_poisson_deviance, poisson_deviances
from liqbt.inference.splits import Split, Splits, combinatorial_splits, walk_forward_splits
from liqbt.inference.survival import IncidenceCurve, RestrictedMean, SurvivalCurve, cumulative_incidence, kaplan_meier, restricted_mean
from liqbt.inference.wild import MIN_CLUSTERS_WILD, WildEstimate, wild_cluster_difference, wild_cluster_mean

__all__ = [
    "DISCRETE_SHIFT",
    "MIN_BLOCKS",
    "MIN_CLUSTERS",
    "MIN_CLUSTERS_WILD",
    "TARGET",
    "AdjustedPValues",
    "BacktestOverfitting",
    "BootstrapEstimate",
    "ClusteredEstimate",
    "FirstTouch",
    "HazardRatio",
    "IncidenceCurve",
    "InformationGain",
    "LogRank",
    "MolchanDiagram",
    "NumberTest",
    "PermutationTest",
    "RestrictedMean",
    "SharpeMoments",
    "Split",
    "Splits",
    "SuperiorAbility",
    "SurvivalCurve",
    "WildEstimate",
    "adjust_p_values",
    "automatic_block_length",
    "backtest_overfitting",
    "bootstrap_difference",
    "bootstrap_mean",
    "bootstrap_ratio",
    "clustered_difference",
    "clustered_mean",
    "combinatorial_splits",
    "crps_ensemble",
    "crps_normal",
    "cumulative_incidence",
    "deflated_sharpe_ratio",
    "design_effect",
    "deviance_explained",
    "effective_trials",
    "expected_maximum_sharpe",
    "first_touch_probability",
    "first_touch_within",
    "hazard_ratio",
    "information_gain",
    "intraclass_correlation",
    "kaplan_meier",
    "label_permutation_test",
    "log_rank",
    "mean_poisson_deviance",
    "minimum_backtest_length",
    "minimum_track_record_length",
    "molchan_diagram",
    "number_test",
    "permutation_p_value",
    "poisson_deviances",
    "power_of_hazard_ratio",
    "power_of_mean",
    "power_of_share",
    "probabilistic_sharpe_ratio",
    "required_clusters",
    "required_events",
    "required_touches",
    "restricted_mean",
    "roc_auc",
    "sharpe_moments",
    "sign_flip_test",
    "smallest_hazard_ratio",
    "smallest_mean",
    "smallest_share_difference",
    "stationary_indices",
    "step_m",
    "superior_predictive_ability",
    "touch_probability",
    "up_first_probability",
    "walk_forward_splits",
    "whole_day_shifts",
    "wild_cluster_difference",
    "wild_cluster_mean",
]
