"""Slow, obvious statistics to hold the quick ones to."""

from itertools import combinations

import numpy as np

WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])


def jackknife_error(estimator, cluster):
    """Leave out one cluster after the other; `estimator` takes a mask of the events that stay."""
    labels = np.unique(cluster)
    left = np.array([estimator(cluster != label) for label in labels])
    count = len(labels)
    return np.sqrt((count - 1) / count * ((left - left.mean()) ** 2).sum())


def clustered_fit(values, regressors, cluster):
    """Last coefficient of least squares and its CV1 standard error without the factor for regressors."""
    bread = np.linalg.inv(regressors.T @ regressors)
    coefficients = bread @ regressors.T @ values
    residuals = values - regressors @ coefficients
    middle = np.zeros_like(bread)
    labels = np.unique(cluster)
    for label in labels:
        score = regressors[cluster == label].T @ residuals[cluster == label]
        middle += np.outer(score, score)
    variance = (bread @ middle @ bread)[-1, -1] * len(labels) / (len(labels) - 1)
    return coefficients[-1], np.sqrt(variance)


def wild_p_value(values, regressors, cluster, null, draws, seed):
    """Cameron, Gelbach & Miller: fit under the null, turn residuals by clusters, fit again, every time."""
    codes = np.unique(cluster, return_inverse=True)[1]
    points = WEBB if codes.max() + 1 < 12 else np.array([-1.0, 1.0])
    weights = points[np.random.default_rng(seed).integers(0, points.size, (draws, codes.max() + 1))]
    estimate, error = clustered_fit(values, regressors, codes)
    under = values - null * regressors[:, -1]
    fitted = under.mean() if regressors.shape[1] == 2 else 0.0
    extreme = 0
    for weight in weights:
        drawn = null * regressors[:, -1] + fitted + (under - fitted) * weight[codes]
        one, its_error = clustered_fit(drawn, regressors, codes)
        extreme += abs(one - null) / its_error >= abs(estimate - null) / error * (1 - 1e-9)
    return (1 + extreme) / (1 + draws)


def block_bootstrap(statistic, influence, day, index):
    """Statistic and studentising error of each draw of days, one event and one block at a time.

    `statistic` takes positions of events; `influence` takes positions of the whole draw and of a block.
    """
    days = np.arange(day.min(), day.max() + 1)
    statistics, errors = [], []
    for draw in index:
        blocks, current = [], []
        for place, one in enumerate(draw):
            if place and (one - draw[place - 1]) % len(days) != 1:
                blocks.append(current)
                current = []
            current = [*current, *np.flatnonzero(day == days[one])]
        blocks.append(current)
        everything = np.array([event for block in blocks for event in block], dtype=int)
        statistics.append(statistic(everything))
        errors.append(np.sqrt(sum(influence(everything, np.array(block, dtype=int)) ** 2 for block in blocks)))
    return np.array(statistics), np.array(errors)


def overfitting(returns, n_blocks, measure):
    """CSCV as the paper says it: (in sample, out of sample, rank) of the chosen strategy, and all measures out of sample."""
    length = returns.shape[0] // n_blocks
    returns = returns[returns.shape[0] - length * n_blocks :]
    blocks = [returns[k * length : (k + 1) * length] for k in range(n_blocks)]

    def measured(chosen):
        sample = np.concatenate([blocks[k] for k in chosen])
        if measure == "mean":
            return sample.mean(axis=0)
        return sample.mean(axis=0) / sample.std(axis=0, ddof=1)

    rows, everything = [], []
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        inside = measured(chosen)
        outside = measured([k for k in range(n_blocks) if k not in chosen])
        best = int(np.argmax(inside))
        rank = sorted(outside).index(outside[best]) + 1
        rows.append((best, inside[best], outside[best], rank))
        everything.append(outside)
    return np.array(rows), np.array(everything)


def random_walk_exits(up_steps, down_steps, n_steps, rise):
    """Chances of a walk of unit steps to leave above, below, or not at all within `n_steps`; `rise` is the chance of a step up."""
    size = up_steps + down_steps - 1
    state = np.zeros(size)
    state[down_steps - 1] = 1.0
    above = below = 0.0
    for _ in range(n_steps):
        above += state[-1] * rise
        below += state[0] * (1 - rise)
        moved = np.zeros(size)
        moved[1:] += state[:-1] * rise
        moved[:-1] += state[1:] * (1 - rise)
        state = moved
    return above, below, state.sum()
