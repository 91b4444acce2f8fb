"""Second implementation of the mean-field values: python verify.py prints {check id: value}.

A state is the means (3, runs, coordinates) and the covariances (3, 3, runs, coordinates) of
position, momentum and last score. The runs of a budget N are its settings (T, f). Samplers are
0, Langevin, and 1, adaptive momentum; errors are 0, KL, and 1, W2.
"""

import functools
import itertools
import json
from math import inf

import numpy as np


def numbers(text):
    """Read a list of numbers."""
    return [float(word) for word in text.split()]


STEPS = numbers("1 2 5 10 20 50 100 200")
FACTORS = numbers("0.5 1 1.5 2 3 4 6 8 12 16 24 32 48 64")
SNRS = numbers("0.0025 0.005 0.01 0.02 0.04 0.08 0.16 0.25 0.5 1 2 4")
BUDGETS_E = numbers("20 40 60 80 100 120 150 200")
BUDGETS_S = numbers("20 30 40 50 60 80 100 120 150 200 300 400 500 700")
BUDGETS_F = numbers(
    "70 90 110 140 160 180 220 240 250 260 350 450 600 800 900 1000 1100 1200"
    " 1300 1400 1500 1600 1800 2000 2200 2400 2600 2800 3000"
)
BUDGETS_B = numbers("20 40 60 80 100 150 200 300 500")
BOTH = sorted(BUDGETS_S + BUDGETS_F)
BUDGETS = {
    "P2": ([*range(20, 1500, 5), *range(1500, 3001, 25)], [*range(20, 521, 5), 1000, 2000]),
    "P2c": (BOTH, BUDGETS_S),
    "P2d": ([n for n in BOTH if n <= 800], BUDGETS_E),
}
SPEEDUPS = """
    P2.kl_first P2.kl_last P2.kl_most P2.kl_50 P2.kl_least_200 P2.kl_overtaken
    P2.w2_first P2.w2_last P2.w2_never_first P2.w2_never_last P2.w2_overtaken
    P2c.kl_first P2c.kl_last P2c.kl_most P2c.kl_least P2c.kl_50 P2c.kl_least_200 P2c.kl_most_200
    P2c.w2_least P2c.w2_most P2d.kl_most P2d.kl_least P2d.kl_60
    P2d.w2_most P2d.w2_least P2d.w2_small
"""

NODES = 0.14 * np.arange(101)
SQUARES = np.sinh(NODES) ** 2
WEIGHTS = 0.28 / np.sqrt(np.pi) * np.cosh(NODES)
WEIGHTS[0] /= 2
GRID = np.geomspace(1e-6, 1 - 1e-6, 200001)


def expected_norm(mean, variance):
    """Give E|g| of normal g, of shape (runs, 1), for arrays of shape (runs, coordinates)."""
    scale = np.sum(mean**2 + variance, axis=1, keepdims=True)
    q = (variance / scale)[..., None]
    inverse = 1 / (1 + 2 * q * SQUARES)
    shift = (mean**2 / scale)[..., None] * inverse
    phi = np.sqrt(inverse.prod(axis=1)) * np.exp(-shift.sum(axis=1) * SQUARES)
    slope = phi * (inverse * (q + shift)).sum(axis=1)
    return np.sqrt(scale) * (slope @ WEIGHTS)[:, None]


def advance(mean, cov, k, b, a):
    """Give the moments after one momentum step."""

    def step(state):
        x, m, _ = state
        s = k * x
        m = b * m + (1 - b) * s
        return np.stack([x + a * (1 + b) ** 2 * m, m, s])

    cov = step(step(cov).swapaxes(0, 1))
    cov[0, 0] += 2 * a
    return step(mean), cov


def momentum(mean, cov, k, delta):
    """Give each run's adaptive b and its <m>."""
    change = k**2 * cov[0, 0] - 2 * k * cov[0, 2] + cov[2, 2]
    size = expected_norm(mean[1], cov[1, 1])
    rho = expected_norm(k * mean[0] - mean[2], np.maximum(change, 0)) / size
    return np.fmin(((1 - rho) / (1 + rho)) ** 2, 1 - delta), size  # the bound for a NaN


def correct(mean, cov, k, b, snr):
    """Take a corrector step, adaptive if b is None; give b as well."""
    if b is None:
        b, size = momentum(mean, cov, k, 1e-4)
    else:
        new_mean, new_cov = advance(mean, cov, k, b, 0)
        size = expected_norm(new_mean[1], new_cov[1, 1])
    unit = expected_norm(np.zeros(k.shape), np.ones(k.shape))
    return *advance(mean, cov, k, b, 2 * (snr * unit / size) ** 2), b


@functools.cache
def base_step(levels, steps):
    """Give NCSNv2's v(L, T), a grid point."""
    ratio = 2500 ** (1 / (levels - 1))
    h = 1 / (1 - GRID / 2)
    return GRID[np.argmin((1 - GRID) ** (2 * steps) * (ratio**2 - h) + h - 1)]


@functools.cache
def settings(case, budget):
    """List the settings to choose from."""
    if case == "P2":
        return ((5, 1),)
    steps = [t for t in STEPS if budget % t == 0 and budget >= 2 * t]
    return tuple((t, f) for t in steps for f in FACTORS if f * base_step(budget / t, t) < 5)


@functools.cache
def simulate(budget, runs, sampler, condition, corrector):
    """Give KL and W2 of annealed runs, or of predictor-corrector runs (1, snr) of L levels."""
    steps, factor = np.array(runs).T[..., None]
    speed = factor * [[base_step(budget / t, t)] for t, _ in runs]
    ratio = 0.0004 ** (2 / (budget / steps - 1))
    target = condition ** (-np.arange(16) / 15)
    mean = np.zeros((3, len(runs), 16))
    mean[0] = -0.5
    cov = np.zeros((3, *mean.shape))
    cov[0, 0] = 2500
    for i in range(int(budget)):
        sigma2 = 2500 * ratio ** (i // steps)
        k = -1 / (target + sigma2)
        b = None if sampler == 1 and i > 0 else 0
        if corrector:
            mean, cov, _ = correct(mean, cov, k, b, factor)
            drop = sigma2 * (1 - ratio) * (i < budget - 1)
            damping = 1 + drop * k
            mean[0] *= damping
            cov[0] *= damping
            cov[:, 0] *= damping
            cov[0, 0] += drop
        else:
            if b is None:
                b, _ = momentum(mean, cov, k, 1e-3)
            mean, cov = advance(mean, cov, k, b, speed * sigma2)
    target += 0.0004
    excess = cov[0, 0] / target - 1
    kl = np.sum(excess - np.log1p(excess) + mean[0] ** 2 / target, axis=1) / 2
    widths = np.sqrt(cov[0, 0]) - np.sqrt(target)
    w2 = np.sqrt(np.sum(mean[0] ** 2 + widths**2, axis=1))
    return np.where(np.isfinite(kl + w2), [kl, w2], inf)


@functools.cache
def choices(case, sampler, error):
    """Give {budget: best setting} and the curve {budget: its error}, infinite ones left out."""
    chosen, curve = {}, {}
    for n in BUDGETS[case][sampler]:
        runs = settings(case, n)
        score = 1
        for condition in (100, 10000) if case == "P2d" else (1000,):
            score = score * simulate(n, runs, sampler, condition, False)[error]
        best = np.argmin(score)
        chosen[n] = runs[best]
        curve[n] = simulate(n, runs, sampler, 1000, False)[error][best]
    return chosen, {n: e for n, e in curve.items() if e < inf}


def edges(case):
    """Count the lists of which a chosen T or f is an end."""
    count = 0
    for sampler, error, i in itertools.product((0, 1), repeat=3):
        for n, best in choices(case, sampler, error)[0].items():
            line = [s[i] for s in settings(case, n) if s[1 - i] == best[1 - i]]
            inside = best[i] not in (line[0], line[-1])
            count += not (inside or len(line) == 1 or (i, best[i]) == (0, 1))
    return count


def speedups(case, error):
    """Give the summary of a case's speed-ups by name."""
    theirs, ours = (choices(case, sampler, error)[1] for sampler in (0, 1))
    n, reached = np.array([*ours.items()]).T
    budgets = np.array([0, *theirs, inf])
    place = np.argmax([inf, *theirs.values(), -inf] <= reached[:, None], axis=1)
    high = budgets[place] / n
    low = np.minimum(budgets[place - 1] + (5 if case == "P2" else 1), budgets[place]) / n
    value = np.where(high < inf, high, low)
    top = np.argmax(low)
    label = np.cumsum(low < 2)  # the points of one run share it
    early = low[n <= 200]
    run = n[(label == label[top]) & (low >= 2)]
    never = n[high == inf]
    nearest = value[np.argmin(np.abs(np.log(n / 50)))]
    return {
        "most": value[top],
        "least": value[np.argmin(low)],
        "most_200": value[np.argmax(early)],
        "least_200": value[np.argmin(early)],
        "small": value[np.argmin(low[n <= 80])],
        "50": nearest,
        "60": nearest,
        "first": min(run, default=0),
        "last": max(run, default=0),
        "never_first": min(never, default=0),
        "never_last": max(never, default=0),
        "overtaken": min(n[(n > n[top]) & (high < 1)], default=0),
    }


def borrowed(budget, runs, corrector):
    """Give KL at Langevin's setting over the sampler's least, and over Langevin's."""
    theirs, ours = (simulate(budget, runs, i, 1000, corrector)[0] for i in (0, 1))
    lent = ours[np.argmin(theirs)]
    return lent / min(ours), lent / min(theirs)


def annealed_values():
    """Give the values of P2, P2c, P2d, B1 and P3a."""
    found = {}
    for check in SPEEDUPS.split():
        case, name = check.split(".")
        found[check] = speedups(case, int(name[:2] == "w2"))[name[3:]]
    ours = choices("P2", 1, 0)[1]
    theirs = np.array([*choices("P2", 0, 0)[1].values()])
    own, other = np.transpose([borrowed(n, settings("P2c", n), False) for n in BUDGETS_B])
    snrs = tuple((1, snr) for snr in SNRS)
    return found | {
        "P2c.edges": edges("P2c"),
        "P2d.edges": edges("P2d"),
        "B1.minimum": min(ours.values()),
        "B1.where": min(ours, key=ours.get),
        "B1.grows": ours[2000],
        "B1.langevin": max(theirs[1:] / theirs[:-1]),
        "P3a.step": max(own),
        "P3a.budgets_over_twice": int(sum(own > 2)),
        "P3a.snr": max(borrowed((n + 1) // 2, snrs, True)[0] for n in BUDGETS_B),
        "P3a.langevin": max(other[:7]),  # up to 200
        "P3a.langevin_500": other[8],
    }


def stationary(u, b):
    """Give C_xx and C_mm, solved by hand without cancellation, and the b that rho then gives."""
    c_mm = 1 / ((1 + b) ** 2 * (1 - u * (1 - b**2) / 2))
    c_xx = 1 / (1 + b) ** 2 + u * (1 + b) ** 3 / (2 * (1 - b)) * c_mm
    rho = np.sqrt(u**2 * (1 + b) ** 4 + 2 * u / c_mm)
    return c_xx, c_mm, ((1 - rho) / (1 + rho)) ** 2


def bisect(function, low, high):
    """Give the root of a function that is positive before it."""
    for _ in range(60):
        middle = (low + high) / 2
        if function(middle) > 0:
            low = middle
        else:
            high = middle
    return low


def own_momentum(step):
    """Give the b that reproduces itself at u = step(b)."""
    return bisect(lambda b: stationary(step(b), b)[2] - b, 0, 1 - 1e-6)


def distance(u, b=None):
    """Give the stationary W2, adaptive if b is None."""
    if b is None:
        b = own_momentum(lambda _: u)
    return abs(np.sqrt(stationary(u, b)[0]) - 1)


def step_of(snr, b):
    """Give A6's base step u(snr, b)."""
    ratio = snr**2 * (1 + b) ** 2
    return 2 * ratio / (1 + ratio * (1 - b**2))


def reached(constant):
    """Give |C_xx / V - 1| after 500 corrector steps, adaptive if constant is None."""
    mean = np.zeros((3, 1, 1))
    cov = np.diag([0.5, 0, 0])[..., None, None]
    for i in range(500):
        b = constant if i > 0 else 0
        mean, cov, b = correct(mean, cov, -np.ones((1, 1)), b, 0.3)
    return np.max(abs(cov[0, 0] / stationary(step_of(0.3, b), b)[0] - 1))


def stationary_values():
    """Give the values of section 6."""
    b = np.array([0, 0.5, 0.9])
    u = step_of(0.3, b)
    defect = max(abs(u * stationary(u, b)[1] / (2 * 0.3**2) - 1))
    own = own_momentum(lambda b: step_of(0.16, b))
    langevin, adaptive, biased = (stationary(step_of(0.16, b), b)[0] for b in (0, own, 0.9))
    return {
        "P1b.adaptive": distance(1e-7),
        "P1b.constant": distance(1e-7, 0.9),
        "P1c.where": bisect(lambda u: distance(u) - distance(u, 0), 0.1, 0.16),
        "A6.langevin": langevin,
        "A6.adaptive": adaptive,
        "A6.bias": biased,
        "A6.identity": defect,
        "A6.solved": defect,
        "A6.reached": max(reached(None), reached(0.8)),
    }


@np.errstate(all="ignore")  # runs may overflow
def values():
    """Give {check id: value}."""
    return stationary_values() | annealed_values()


if __name__ == "__main__":
    print(json.dumps(values(), indent=1))
