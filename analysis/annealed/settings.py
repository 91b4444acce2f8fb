"""Sizes of the comparison: budgets, the grid of hyperparameters that tuning may choose from, particles."""

from itertools import product

from pydantic import PositiveInt

from ams.samplers.presets import ADAPTIVE, DEFAULT, LANGEVIN, RK45, Hyperparameters, SamplerSpec
from analysis.settings import Seeded
from verdicts.claims.sizes import Numbers, Sizes

BASELINE, PAPER = LANGEVIN.name, ADAPTIVE.name
LARGER_DRIFT = ("Langevin, drift x1.5", "Langevin, drift x2")
ABLATIONS = ("adaptive, drift only", "adaptive, average only", "adaptive, noise corrected")
CAUSES = (BASELINE, PAPER, *ABLATIONS, *LARGER_DRIFT)
EXACT_RIVALS = ("consistent annealed sampling", "Heun ODE", "EDM stochastic")
"""Those that B4 compares adaptive momentum with."""
RIVALS = (BASELINE, PAPER, "Langevin, drift x1.5", *EXACT_RIVALS, "PC, adaptive")
_SOLVERS = ("DPM-Solver++", "SDE-DPM-Solver++")
OTHERS = (PAPER, "Langevin, drift x1.5", "constant momentum", "ancestral", *_SOLVERS, "annealed BAOAB, e = 1/2")
TABULATED = (
    *(BASELINE, *LARGER_DRIFT, "Leimkuhler-Matthews", PAPER, *ABLATIONS, "constant momentum"),
    *("consistent annealed sampling", "reverse diffusion", "ancestral", "PC, Langevin", "PC, adaptive", "PC, constant"),
    *(
        "Euler ODE",
        "Heun ODE",
        "EDM stochastic",
        *_SOLVERS,
        "annealed BAOAB, e = 0",
        "annealed BAOAB, e = 1/2",
        RK45.name,
    ),
)


class Settings(Seeded):
    """Sizes of the group. Budgets are score evaluations (NFE), multiples of every T in `repeats`.

    Gaussian: every sampler at `budgets`, those in `lasting` at `long` too, tuned at `tuned`. The mixture likewise
    (`line_*`); annealed Langevin and the samplers of B5 there at `line_long` too. Tables have the samplers in
    `tabulated`, figures are those in `drawn`: all where these are empty. Tuning tries `factors` (of NCSNv2's step)
    times `repeats` (T); a corrector's `snrs`; exponents `rhos` of the noise levels (0: geometric); EDM's `churns`;
    constant `betas`; `drift_scales` of consistent annealed sampling. RK45 has no budget but `tolerances`. Thresholds:
    `kl`, `line_kl` (nats), `w2`. Particles: `batches` independent batches of `batch`. Sensitivity: at `probes`
    evaluations, over `sweep_*`.
    """

    tabulated: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    lasting: tuple[str, ...] = (*CAUSES, "constant momentum")
    budgets: Sizes = (20, 30, 40, 60, 80, 100, 150, 200, 300)
    long: Sizes = (500, 1000, 2000)
    tuned: Sizes = (20, 40, 60, 80, 100, 150, 200, 300, 500)
    line_budgets: Sizes = (20, 30, 40, 60, 100, 150, 200, 300)
    line_long: PositiveInt = 2000
    line_tuned: Sizes = (20, 40, 60, 100)
    factors: Numbers = (0.25, 0.5, 1.0, 2.0, 4.0)
    repeats: Sizes = (1, 2, 5, 10)
    line_factors: Numbers = (1.0, 2.0, 4.0)
    line_repeats: Sizes = (1, 2, 5)
    snrs: Numbers = (0.05, 0.1, 0.16, 0.25)
    rhos: Numbers = (0.0, 3.0, 7.0)
    churns: Numbers = (5.0, 20.0, 40.0)
    betas: Numbers = (0.5, 0.8, 0.9)
    drift_scales: Numbers = (1.25, 1.5, 2.0, 3.0)
    tolerances: Numbers = (1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5)
    kl: Numbers = (0.3, 0.1, 0.03, 0.01, 0.001)
    line_kl: Numbers = (1.0, 0.3, 0.1, 0.03, 0.01)
    w2: Numbers = (0.5, 0.3, 0.2, 0.1, 0.05)
    batch: PositiveInt = 625
    batches: PositiveInt = 32
    nodes: PositiveInt = 20_000
    probes: Sizes = (60, 240)
    sweep_snr: Numbers = (0.01, 0.02, 0.04, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4)
    sweep_repeats: Sizes = (1, 2, 3, 5, 6, 10, 15, 30)
    sweep_delta: Numbers = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3, 0.5, 0.7)
    sweep_batch: Sizes = (1, 5, 25, 125, 625)
    sweep_steps: Numbers = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7)

    def on_the_line(self) -> "Settings":
        """Return the settings with the mixture's own grid of steps."""
        return self.model_copy(update={"factors": self.line_factors, "repeats": self.line_repeats})

    def grid(self, spec: SamplerSpec) -> tuple[Hyperparameters, ...]:
        """Return what tuning tries for a sampler, the defaults first; a field here has its hyperparameter's plural."""
        tried = product(*(getattr(self, name.removesuffix("s") + "s") for name in spec.tuned))
        settings = (DEFAULT._replace(**dict(zip(spec.tuned, choice, strict=True))) for choice in tried)
        return tuple(dict.fromkeys([DEFAULT, *settings]))
