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
# # RunOptions of convergence, by exact laws on grids
#
# Claims B6, K5, K5f: at which order in the step $a$ does a sampler's stationary law tend to its limit, and to which? L1: what
# these laws are worth. B5a, B5b: the minority mode at one level.
#
# On a Gaussian the laws are known in closed form. On a mixture they are not, and Monte Carlo sees no fourth order: at $a = 1.6
# \times 10^{-4}$ the KL to be measured is $3 \times 10^{-15}$. So the laws are computed.

# %%

from analysis import orders
from analysis.orders import figures as orders_figures
from verdicts.report.notebook_helpers import settings_of, show

settings = settings_of(orders)

# %% [markdown]
# ## The law of a step, to rounding
#
# **Position alone.** A step $x' = g(x) + c z$ moves a density by $p'(y) = \int p(x)\, N(y; g(x), c^2)\, dx$. Its Fourier transform is
# $\hat p'(k) = e^{-k^2c^2/2} \int p(x) e^{-ikg(x)} dx$, and the trapezoidal rule with spacing $h$ errs by the integrand's transform at
# multiples of $2\pi/h$. With $p$ as smooth as the last kernel left it this is $e^{-\pi^2c^2/h^2}$, or less: rounding, at two nodes or
# so per $c$.
#
# $g$ and $c$ are not typed here: the sampler's own step is run once on all nodes, its noise kept symbolic.
#
# **Position and memory.** Momentum, or the last draw, is a second variable $v$. Constant momentum's law is *not* smooth in it: $m$ is
# a weighted sum of past scores and concentrates on curves as $a \to 0$, so a grid in $m$ would never do. But the future is smooth in $v$:
# the kernel $N(y; X(x, v), c^2)$ is entire in $v$, varying on the scale $c / |\partial_v X|$, which for constant momentum is wider
# than the law by about $1/a$. It suffices to carry, at each $x$, the integrals of the polynomials in $v$ up to a degree $n$: masses at
# Gauss's nodes. The error falls exponentially in $n$, and faster for smaller steps.
#
# The stationary law is the null vector of a sparse matrix, found by one factorisation, whatever the spectral gap.

# %%
show(orders, settings, "L1.gaussian", "L1.annealed", "L1.position", "L1.phase", "L1.estimate", "L1.mean_field")

# %% [markdown]
# The estimate of the error comes from half the nodes in $x$ and three quarters in $v$; what refinement then finds is far below it.
#
# ## The orders
#
# *Langevin.* Its generator expands as $\mathcal L + a \mathcal L_1 + O(a^2)$; the stationary density is $\pi (1 + a f + O(a^2))$. Hence $W_2
# = O(a)$, and KL, quadratic in the relative deviation, $O(a^2)$.
#
# *Leimkuhler-Matthews.* Averaging two successive draws makes $f$ vanish: $\pi(1 + a^2 f_2 + \dots)$, so 2 and 4.
#
# *Constant momentum.* $m_t = s(x_t) + O(\sqrt a)$, with drift $a c m$ against noise $2a$: the limit is $\pi^c$ (claim G5), and the
# corrections come in powers of $a$, with G4's large coefficient $2b(1+b)/(1-b)$. At $b = 0.95$ it is 74, and the order shows only where
# $74\,a\lambda \ll 1$: at $a = 0.0025$ the law is still $0.27$ away from $\pi^c$, and the local order is 0.86 (claim B6a, in the longer profiles). The steps
# here have equal excess, not equal length.
#
# *Adaptive momentum.* The damping depends on the step, $1 - b \approx 8\sqrt{2u}$ (A3), so the same coefficient times $u$ is $O(\sqrt u)$:
# order 1/2, to $\pi^{c(a)}$.

# %%
show(
    orders,
    settings,
    "B6.langevin_w2",
    "B6.langevin_kl",
    "B6.constant_w2",
    "B6.constant_kl",
    "B6.adaptive_mixture",
    "B6.adaptive_gaussian",
    "B6.adaptive_limit",
    "B6.coefficient",
    "K5.averaged_w2",
    "K5.averaged_kl",
)

# %%
orders_figures.draw_orders(settings)

# %% [markdown]
# An interval holds the regression's own error and what the local order may still drift to below the smallest step
# (`ams.statistics.asymptotic_order`).
#
# **Friction decides.** BAOAB with $e = 0$ is Leimkuhler-Matthews. With the friction $\gamma$ fixed, $e = \exp(-\gamma\sqrt{2a}) \to 1$, and the
# bias is of first order in $a$, second in the time step: the gained order belongs to the limit of large friction (claim K5f, in the
# longer profiles).
#
# ## But to what?
#
# Distance to the target itself:

# %%
show(orders, settings, "B6.leave")

# %%
orders_figures.draw_departure(settings)

# %% [markdown]
# ## The minority mode at one level
#
# Adaptive momentum in its mean field: the damping must be the one that the rule finds in the law of constant momentum at that
# damping. The expected norms are integrals over (position, momentum, draw), the fixed point is found by the secant rule.

# %%
show(orders, settings, "B5a.mass", "B5a.refined")

# %%
orders_figures.draw_densities()

# %% [markdown]
# With a damping of its own for each particle (norms not averaged over a batch) the mode keeps still less, about 0.11: claim B5b.
