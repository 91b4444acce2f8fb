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
# # Adaptive momentum: does it converge, and to what?
#
# Claim A2, and the three claims that "the sampler converges" hides: P1a (it forgets its start), P1b (its limit tends to the
# target as the step shrinks), P1c (its bias at a fixed step is no worse than Langevin's). The paper's theorem was not at hand; what
# is decided here is stated here, and is about the rule as released.
#
# In the mean field (batch $\to\infty$) $\beta_t$ is deterministic and the law exactly Gaussian.

# %%

from analysis import adaptive
from analysis.showing import settings_of, show

settings = settings_of(adaptive)

# %% [markdown]
# ## A2: the stationary damping
#
# On an isotropic target all directions are alike, so the ratio of expected norms is the ratio of standard deviations, and
# those follow from the stationary covariance of constant momentum (claim G3). SymPy, from the sampler's step:

# %%
adaptive.ratio_squared()

# %% [markdown]
# that is $\rho = (1+b)\sqrt{2u(1+ub(1+b))}$, and the damping is a fixed point of $b = ((1-\rho)/(1+\rho))^2$: free of the dimension.
# As $u \to 0$ the injected noise alone decides it, $\rho \approx 2\sqrt{2u}$: no estimate of curvature.

# %%
show(
    adaptive,
    settings,
    "A2.ratio",
    "A2.solved",
    "A2.reached",
    "A2.printed",
    "A2.dimension",
    "A2.particles",
    "A2.unbiased",
)

# %%
adaptive.draw_fixed_point()

# %% [markdown]
# ## P1a: it forgets its start

# %%
show(adaptive, settings, "P1a.constant", "P1a.unique", "P1a.attracting")

# %% [markdown]
# ## P1b and P1c: but the limit is not the target
#
# As $u \to 0$, $b \to 1$ and $c = (1+b)^2 \to 4$: the limit of the stationary law is $\pi^4$, twice as narrow as the target.
# Plain Langevin, run through the same code, does tend to the target: the first row is the control.

# %%
show(adaptive, settings, "P1b.langevin", "P1b.constant", "P1b.adaptive", "P1c.shrinks", "P1c.langevin")

# %%
adaptive.draw_bias()

# %% [markdown]
# **A smaller step makes the error larger**, down to the limit $W_2 = 1/2$. The adaptive rule beats Langevin only around its one
# unbiased step, $u = 0.1691$, where two errors cancel: the cooling and the step's own heating.
