"""Sizes of the comparison: budgets, the grid of hyperparameters that tuning may choose from,
particles.
"""

from itertools import product

from pydantic import NonNegativeInt, PositiveInt

from ams.samplers.presets import (
    ADAPTIVE,
    DEFAULT,
    LANGEVIN,
    RK45,
    SPECS,
    Hyperparameters,
    SamplerSpec,
)
from analysis.settings import Seeded
from verdicts.claims.sizes import Numbers, Sizes

BASELINE, PAPER = LANGEVIN.name, ADAPTIVE.name
LARGER_DRIFT = ("Langevin, drift x1.5", "Langevin, drift x2")
ABLATIONS = ("adaptive, drift only", "adaptive, average only", "adaptive, noise corrected")
CAUSES = (BASELINE, PAPER, *ABLATIONS, *LARGER_DRIFT)
EXACT_RIVALS = ("consistent annealed sampling", "Heun ODE", "EDM stochastic")
"""Those that B4 compares adaptive momentum with."""
CORRECTORS = ("PC, Langevin", "PC, adaptive")
RIVALS = (BASELINE, PAPER, "Langevin, drift x1.5", *EXACT_RIVALS, "PC, adaptive")
_SOLVERS = ("DPM-Solver++", "SDE-DPM-Solver++")
OTHERS = (
    PAPER,
    "Langevin, drift x1.5",
    "constant momentum",
    "ancestral",
    *_SOLVERS,
    "annealed BAOAB, e = 1/2",
)
TABULATED = (
    *(BASELINE, *LARGER_DRIFT, "Leimkuhler-Matthews", PAPER, *ABLATIONS, "constant momentum"),
    *("consistent annealed sampling", "reverse diffusion", "ancestral"),
    *("PC, Langevin", "PC, adaptive", "PC, constant"),
    *("Euler ODE", "Heun ODE", "EDM stochastic", *_SOLVERS),
    *("annealed BAOAB, e = 0", "annealed BAOAB, e = 1/2", RK45.name),
)

PARTS = ("adaptive, drift only", "adaptive, average only", "Langevin, drift x1.5")
"""Those whose evaluations to a threshold B3 compares with adaptive momentum's and annealed
Langevin's.
"""
NATURAL = frozenset(
    [("repeats", 1), ("rho", 0.0), ("churn", 0.0), ("beta", 0.0), ("drift_scale", 1.001)]
)
"""Bounds of tuning that a method itself has: one step per noise level, geometric noise levels, no
noise (EDM's, and consistent annealed sampling's up to rounding), no momentum.
"""
LARGEST_STEP = 5.0
"""Tuning leaves out larger steps `u = a / sigma^2`: Langevin's steps are unstable from 2 on."""


class Settings(Seeded):
    """Sizes of the group. Budgets are score evaluations (NFE), multiples of every T in `repeats`.

    Gaussian: every sampler at `budgets`, those in `lasting` at `long` too, tuned at `tuned`. At the
    defaults adaptive momentum and annealed Langevin run at all budgets in `every`, which are all
    that T = 5 allows in their range, the latter at `every_long` too, and those in `PARTS` at
    `every_part`. Tuned, the two are compared at `compared`, and with settings chosen on other
    Gaussians at `elsewhere`; annealed Langevin is tuned at `compared_long` too (all are multiples
    of enough T: else its best one would be left out). The mixture has `line_*`; only these two are
    tuned there, and those of B5 run at `line_long` too. Tables have the samplers in `tabulated`,
    figures are those in `drawn`: all where these are empty.

    Tuning tries `factors` (of NCSNv2's step) times `repeats` (T), `low_factors` too where drift or
    momentum is constant; a corrector's `snrs`; exponents `rhos` of the noise levels, geometric ones
    (0, the limit of a large exponent) last; EDM's `churns`; constant `betas`; `drift_scales` of
    consistent annealed sampling. RK45 has no budget but `tolerances`. Thresholds: `kl`, `line_kl`
    (nats), `w2`. Particles: `batches` independent batches of `batch`, `judged` batches in the runs
    that judge P2a and P2b. Sensitivity: at `probes` evaluations, over `sweep_*`. `enclosed` is the
    largest budget at which adaptive momentum runs in ball arithmetic at the defaults, 0 for none.
    """

    enclosed: NonNegativeInt = 520
    tabulated: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    lasting: tuple[str, ...] = (*CAUSES, "constant momentum")
    budgets: Sizes = (20, 30, 40, 60, 80, 100, 150, 200, 300)
    every: Sizes = tuple(range(20, 521, 5))
    every_long: tuple[PositiveInt, ...] = (*range(525, 1501, 5), *range(1525, 3001, 25))
    every_part: Sizes = tuple(range(20, 201, 5))
    long: Sizes = (500, 1000, 2000)
    tuned: Sizes = (20, 40, 60, 80, 100, 150, 200, 300, 500)
    compared: tuple[PositiveInt, ...] = (
        20,
        30,
        40,
        50,
        60,
        80,
        100,
        120,
        150,
        200,
        300,
        400,
        500,
        700,
    )
    compared_long: tuple[PositiveInt, ...] = (
        *(
            70,
            90,
            110,
            140,
            160,
            180,
            220,
            240,
            250,
            260,
            350,
            450,
            600,
            800,
            900,
            1000,
            1100,
            1200,
            1300,
            1400,
        ),
        *(1500, 1600, 1800, 2000, 2200, 2400, 2600, 2800, 3000),
    )
    elsewhere: tuple[PositiveInt, ...] = (20, 40, 60, 80, 100, 120, 150, 200)
    line_budgets: Sizes = (20, 30, 40, 60, 100, 150, 200, 300)
    line_long: PositiveInt = 2000
    line_tuned: tuple[PositiveInt, ...] = (20, 40, 60, 100)
    line_tuned_long: tuple[PositiveInt, ...] = (200,)
    low_factors: Numbers = (0.0625, 0.125, 0.25)
    factors: Numbers = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)
    repeats: Sizes = (1, 2, 5, 10, 20, 50, 100, 200)
    line_factors: Numbers = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
    line_repeats: Sizes = (1, 2, 5)
    snrs: Numbers = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.25, 0.5, 1.0, 2.0, 4.0)
    rhos: Numbers = (3.0, 7.0, 15.0, 0.0)
    churns: Numbers = (0.0, 2.0, 5.0, 10.0, 20.0, 40.0)
    betas: Numbers = (0.0, 0.3, 0.5, 0.8, 0.9, 0.97)
    drift_scales: Numbers = (1.001, 1.1, 1.2, 1.3, 1.5, 2.0)
    tolerances: Numbers = (1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5)
    kl: Numbers = (0.3, 0.1, 0.03, 0.01, 0.001)
    line_kl: Numbers = (1.0, 0.3, 0.1, 0.03, 0.01)
    w2: Numbers = (0.5, 0.3, 0.2, 0.1, 0.05)
    batch: PositiveInt = 625
    batches: PositiveInt = 32
    judged: PositiveInt = 128
    nodes: PositiveInt = 20_000
    probes: Sizes = (60, 240)
    sweep_snr: Numbers = (0.01, 0.02, 0.04, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4)
    sweep_repeats: Sizes = (1, 2, 3, 5, 6, 10, 15, 30)
    sweep_delta: Numbers = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3, 0.5, 0.7)
    sweep_batch: Sizes = (1, 5, 25, 125, 625)
    sweep_steps: Numbers = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7)

    @property
    def in_tables(self) -> tuple[str, ...]:
        """Return the samplers that tables show."""
        return self.tabulated or TABULATED

    @property
    def samplers(self) -> list[str]:
        """Return the samplers that run on the Gaussian, but for RK45, which has no budget."""
        drawn = () if self.drawn else (*RIVALS, *OTHERS)
        every = dict.fromkeys([*self.in_tables, *CAUSES, *EXACT_RIVALS, *CORRECTORS, *drawn])
        return [name for name in every if name != RK45.name]

    def budgets_of(self, sampler: str) -> tuple[int, ...]:
        """Return a sampler's budgets on the Gaussian at the defaults."""
        every = {BASELINE: (*self.every, *self.every_long), PAPER: self.every}
        own = every.get(sampler, self.every_part if sampler in PARTS else ())
        lasting = self.long if sampler in self.lasting else ()
        return tuple(sorted({*self.budgets, *own, *lasting}))

    def tuned_of(self, sampler: str) -> tuple[int, ...]:
        """Return the budgets at which a sampler is tuned on the Gaussian."""
        compared = self.compared if sampler in (BASELINE, PAPER) else ()
        long = self.compared_long if sampler == BASELINE else ()
        return tuple(sorted({*self.tuned, *compared, *long}))

    def elsewhere_of(self, sampler: str) -> tuple[int, ...]:
        """Return those at which it is tuned on other Gaussians: annealed Langevin's go on to 4
        times the last.
        """
        if sampler != BASELINE:
            return self.elsewhere
        most = 4 * max(self.elsewhere, default=0)
        far = (budget for budget in (*self.compared, *self.compared_long) if budget <= most)
        return tuple(sorted({*self.elsewhere, *far}))

    def line_grid(self, sampler: str) -> tuple[Hyperparameters, ...]:
        """Return what tuning tries for a sampler on the mixture, which has a grid of steps of
        its own.
        """
        steps = {"factors": self.line_factors, "repeats": self.line_repeats, "low_factors": ()}
        return self.model_copy(update=steps).grid(SPECS[sampler])

    def grid(self, spec: SamplerSpec) -> tuple[Hyperparameters, ...]:
        """Return what tuning tries for a sampler, the defaults included; fields here are
        hyperparameters' plurals.
        """
        values = {name: getattr(self, name.removesuffix("s") + "s") for name in spec.tuned}
        if "factor" in values and (spec.drift > 1.0 or "beta" in values):
            values["factor"] = (*self.low_factors, *self.factors)
        tried = (
            DEFAULT._replace(**dict(zip(values, choice, strict=True)))
            for choice in product(*values.values())
        )
        return tuple(dict.fromkeys([*tried, DEFAULT]))
