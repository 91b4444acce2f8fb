# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Reading the rule
#
# Claims R1 to R5 and P3. The released sampler damps its momentum by
#
# $$\rho_t = A_{t-1}\frac{\langle s_t - s_{t-1}\rangle}{\langle d_{t-1}\rangle},\qquad
# \beta_t = \mathrm{clip}\left(\left(\frac{1-\rho_t}{1+\rho_t}\right)^2, 0, 1-\delta\right),$$
#
# where $d_{t-1}$ is the drift part of the last move and $\langle\cdot\rangle$ the batch mean of norms. Nothing below
# types that formula again: the sampler's own step is applied to symbols, with a norm of which only
# $\langle c v\rangle = |c|\langle v\rangle$ is known.

# %%
import sympy as sp

from ams.laws.symbolic import m, s, symbolic_step, x, z
from ams.samplers import (
    State,
    adaptive,
    constant,
    critical_momentum,
    langevin,
    memoryless,
    momentum,
    momentum_rule,
    snr_of_momentum,
    snr_of_score,
)
from verdicts.report.notebook_helpers import settings_of, show

settings = settings_of(rule)

# %% [markdown]
# ## R1: the step size cancels
#
# With the last move $A\,m$ the ratio is free of $A$; with the annealed form's longer first move $(A + \epsilon)\,s_0$ it is not.

# %%
A, epsilon = sp.symbols("A epsilon", positive=True)
rule.symbolic_ratio(effective_drift=A)

# %%
rule.symbolic_ratio(effective_drift=A + epsilon)

# %%
show(rule, settings, "R1.cancels", "R1.first_move")

# %% [markdown]
# So a change of the base step changes the move, not the reading of the landscape: the rule sees how much the score changed
# relative to the momentum, and that is all it sees.
#
# ## R2: a ratio and its reciprocal are the same to it
#
# $\beta(\rho) - \beta(1/\rho)$ simplifies to zero, so a score that suddenly blows up looks like one that hardly changes.

# %%
rho = sp.Symbol("rho", positive=True)
sp.simplify(critical_momentum(rho) - critical_momentum(1 / rho))

# %%
show(rule, settings, "R2.symmetry", "R2.blow_up", "R2.lower_clip", "R2.nothing_over_nothing")

# %% [markdown]
# ## R3: the graph corrector that forgets
#
# The released graph corrector never stores the adjacency's move. Every call is then a first call ($m_0 = s_0$, $A_0 = a_0$),
# whatever the damping rule. On symbols, with $\nu$ the signal-to-noise ratio:

# %%
nu = sp.Symbol("nu", positive=True)
released = memoryless(momentum(momentum_rule(adaptive(), snr_of_momentum(nu))))
sp.simplify(symbolic_step(released, State(x, m, s)).x - symbolic_step(langevin(snr_of_score(nu)), State(x)).x)

# %% [markdown]
# And in the release's "cld" no noise enters the momentum, as critically damped Langevin would have it:

# %%
sp.diff(symbolic_step(momentum(momentum_rule(constant(sp.Rational(9, 10)))), State(x, m, s)).m, z)

# %%
show(rule, settings, "R3.adjacency", "R3.bitwise", "R3.noise_outside")

# %% [markdown]
# ## R4: what the ratio holds in a corrector
#
# On its own, a sampler's $s_t - s_{t-1}$ is the score's response to the last move. The released image corrector keeps $m$, $s$ and the move
# from one noise level to the next, and between its calls the predictor moves the samples and the level changes. On a Gaussian each part
# is a vector of the exact law:
#
# $$s_t - s_{t-1} = -P\,(\underbrace{A m}_{\text{own drift}} + \underbrace{\sqrt{2a}\,z}_{\text{own noise}} +
# \underbrace{g s + \sqrt g\,z'}_{\text{predictor}}) + \underbrace{s_t - s(x_t;\ \text{last level})}_{\text{change of level}}.$$
#
# Only the first is about curvature along the move, and it is never above 14 % of the whole; at 30 levels predictor and level decide.

# %%
show(rule, settings, "R4.sum", "R4.drift", "R4.foreign")

# %%
rule.draw_parts()

# %% [markdown]
# ## R5: a larger signal-to-noise ratio in disguise
#
# The corrector's step is $a_t = 2(\mathrm{snr}\,\langle z_t\rangle/\langle m_{t-1}\rangle)^2$, with the momentum *before* its update, which
# belongs to the level before. By homogeneity this is Song's rule at $\mathrm{snr}\,\langle s_t\rangle/\langle m_{t-1}\rangle$, and the
# score's norm grows along the run. Langevin with the same lag, and no momentum at all, is the control; in the released
# corrector's own run the lag does as much.

# %%
show(rule, settings, "R5.disguise", "R5.grows", "R5.size", "R5.size_adaptive", "R5.control")

# %%
rule.draw_lag()

# %% [markdown]
# At few levels the lag alone has a third to two thirds of what the release gains over Langevin; at 100 levels momentum only loses.
#
# ## P3: is a hyperparameter added?
#
# The clip $\delta$ is a constant of the rule. It acts only where $\rho$ is below about $\delta/4$: never in the stationary law
# ($\rho \ge \sqrt{2u}$), never in the annealed runs at the defaults, and after a far start, where ten times the released $\delta$ is felt.

# %%
show(rule, settings, "P3.stationary", "P3.annealed", "P3.far_start", "P3.larger")

# %%
rule.draw_rule(settings)
