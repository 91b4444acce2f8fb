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
# # Momentum that does not cool
#
# Claims K1 to K9. The released sampler puts its noise outside the momentum, and its law is a cooled one (G5, A3). Kinetic
# Langevin puts the noise inside. What is gained, for sampling with a score? First at one noise level, then along a run.
#
# ## K1: the position's law is exact
#
# One step of BAOAB with a single kick: $p \leftarrow p + dt\,s$; $x \leftarrow x + \frac{dt}{2}p$;
# $p \leftarrow e\,p + \sqrt{1-e^2}\,z$; $x \leftarrow x + \frac{dt}{2}p$. Applied to symbols on $N(\mu, 1/\lambda)$:

# %%
import sympy as sp

from ams.samplers import bao, baoab, obabo, sghmc
from verdicts.report.notebook_helpers import settings_of, show

settings = settings_of(uncooled)
matrix, spread, covariance = uncooled.symbols(baoab)
matrix

# %% [markdown]
# Determinant and trace, with $u = a\lambda = dt^2\lambda/2$, are $e$ and $(1+e)(1-u)$: stable for $0 < u < 2$, whatever $e < 1$.
# The stationary covariance of $(x, p)$, from Lyapunov's equation:

# %%
covariance

# %% [markdown]
# There is no $e$ and no $u$ in the variance of $x$. Half a kick on, the velocity is independent of the position:
# $\mathrm{Cov}(x, p + \frac{dt}{2}s) = \frac{dt}{2} - \frac{dt}{2}\lambda\frac{1}{\lambda} = 0$, with variance $1 - u/2$. Eliminating
# the velocity gives the position form, $x_{n+1} - x_n = e(x_n - x_{n-1}) + (1+e)\,a\,s(x_n) + \sqrt{2a(1-e^2)}\,\frac{z_n + z_{n-1}}{2}$:
# one evaluation a step, and at $e = 0$ Leimkuhler and Matthews's method.

# %%
show(uncooled, settings, "K1.identity", "K1.rounding", "K1.transition", "K1.marginal", "K1.midkick", "K1.law")

# %% [markdown]
# ## K2: the paper's formula, at another ratio
#
# The roots coincide where the trace squared is $4e$: $(1+e)^2(1-u)^2 = 4e$. With $\rho^2 = u/(2-u)$ the solution is
# $e = ((1-\rho)/(1+\rho))^2$, the released formula. The released ratio is another: up to four times as large (K2a).
#
# Over a spectrum $[m, L]$, both roots within the radius $r$ means $e \le r^2$ and $|(1+e)(1-a\lambda)| \le r + e/r$. So
# $\frac{k-1}{k+1} \le \max|1-a\lambda| \le \frac{r+e/r}{1+e} \le \frac{2r}{1+r^2}$, the last since the middle rises with $e$ up to
# $r^2$; hence $r \ge \frac{\sqrt k-1}{\sqrt k+1}$, attained at $a = \frac{2}{L+m}$. This is Chebyshev's rate, at no bias at all.

# %%
show(uncooled, settings, "K2.critical", "K2.attained", "K2.bound", "K2.law", "K2.searched", "K2.gain")

# %%
uncooled.draw_rates(settings)

# %%
show(uncooled, settings, "K2a.released", "K2a.printed")

# %% [markdown]
# ## K3, K4: its relatives, and a by-product
#
# The same flows in other orders miss the variance. The last one even cools:

# %%
sp.Matrix([sp.factor(uncooled.symbols(method)[2][0, 0]) for method in (obabo, sghmc, bao)])

# %%
show(uncooled, settings, "K3.variance", "K3.law", "K3.cools", "K3.exponential", "K3.obabo", "K4.move", "K4.curvature")

# %% [markdown]
# ## K6: what the cooling was
#
# Along a run the noise level falls, and Langevin lags behind: on a stiff direction $v = \mathrm{Var}/\sigma^2$ obeys
# $v' = -2u\,v + 2u + \frac{2\ln(1/\gamma)}{T}v$ a step, at rest at $\frac{r}{r-1}$, $r = \frac{uT}{\ln(1/\gamma)}$. A drift factor
# $1 + 1/r$ makes it 1: the added $\frac1r u s$ is the probability flow. So a factor of the drift does something useful; but the
# factor that is needed depends on the schedule alone, and the released $(1+\beta)^2$ depends on other things. They agree by
# chance, near the budget at which adaptive momentum looks best (B1):

# %%
show(uncooled, settings, "K6.lag", "K6.factor", "K6.exact", "K6.consistent", "K6.law", "K6a.few", "K6a.many")

# %%
uncooled.draw_factors(settings)

# %% [markdown]
# ## K7: the isothermal sampler
#
# On a point target two moves leave $N(D, \sigma^2 I)$ invariant: a step of BAOAB in the level's own unit, by K1, and the
# probability flow, which only changes the unit. The sampler combines them: one score a level, a kick halved by the passage. The
# covariance of $(x, p)$ that its step makes of the last level's, by SymPy:

# %%
uncooled.covariance_after()

# %%
show(uncooled, settings, "K7.invariant", "K7.start", "K7.point")

# %% [markdown]
# Off a point it errs, at second order in the distance of the levels: KL $\sim N^{-4}$.

# %%
show(uncooled, settings, "K7a.order", "K7a.memory", "K7a.plain", "K7a.tapered")

# %%
uncooled.draw_orders(settings)

# %% [markdown]
# ## K8: with exact scores
#
# Authors of a sampler find it good. So the targets below, and the damages of their scores, are drawn at random from a stated
# family whose seed nobody ran before the settings, the threshold and the bounds of every claim were committed; settings were
# chosen on a development family of another seed. Exact laws; evaluations to KL/$d = 10^{-4}$; ratios with Student's interval
# over targets. They are Gaussians throughout, and damages act on their eigen-directions: what holds here is necessary, not
# sufficient, for images.

# %%
show(uncooled, settings, "K8.sde", "K8.edm", "K8.ancestral", "K8.heun", "K8a.dpm")

# %% [markdown]
# The isothermal sampler is the best of those that stir, and the deterministic multistep solver needs fewer still. With exact
# scores nothing is to be repaired: stirring is a cost, and memory a larger one. Adapting it to the curvature does not help:

# %%
show(uncooled, settings, "K8b.half", "K8b.tapered", "K8b.best", "K8c.exact", "K8c.start")

# %% [markdown]
# ## K9: where memory pays
#
# A score that is wrong at high noise, or a start that is, leaves slow directions wrong when the noise has fallen below their
# size. The flow then freezes them in. Langevin repairs them, by about $u\,\sigma^2/v$ of the error a step, and memory multiplies
# that by $\frac{1+e}{1-e}$. The *TAPERED* pace takes both as the step's length $h$ in log noise allows: $q = e^{-4h}$, $u = 1.8\,q$,
# $e = \min(0.8, q)$.

# %%
uncooled.draw_contest(settings)

# %%
show(uncooled, settings, "K9.start", "K9.steady", "K9.published", "K9e.high", "K9e.shift", "K9a.bound", "K9a.share")

# %%
uncooled.draw_memory(settings)

# %% [markdown]
# Where it does not pay: scores that are wrong at low noise are sampled as they are, the more faithfully the more is stirred; and
# a mixture's weights are settled at a noise at which modes still touch.

# %%
show(uncooled, settings, "K9b.steady", "K9b.ode", "K9c.tapered", "K9c.stirred")
