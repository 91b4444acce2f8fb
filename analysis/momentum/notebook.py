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
# # Constant momentum on a Gaussian
#
# Claims G1 to G7. The step, with base step $a$ and momentum $b$, is the sampler's own; here it is applied to the symbols
# $x$ (position), $m$ (momentum) and $z$ (noise) on the target $N(\mu, 1/\lambda)$.

# %%
import sympy as sp

from ams.laws.symbolic import a, lam
from analysis import momentum
from analysis.momentum import corrected_noise as momentum_corrected_noise
from analysis.momentum import figures as momentum_figures
from analysis.momentum import stationary as momentum_stationary
from analysis.momentum import transition as momentum_transition
from verdicts.report.notebook_helpers import settings_of, show

settings = settings_of(momentum)
matrix, spread, covariance = momentum_transition.symbols()
matrix

# %%
spread

# %% [markdown]
# ## G1: transition and stability
#
# Write $u = a\lambda$, $c = (1+b)^2$, $k = uc(1-b)$. Determinant and trace are

# %%
sp.Matrix([sp.factor(matrix.det()), sp.factor(matrix.trace())])

# %% [markdown]
# Both eigenvalues lie inside the unit circle exactly if (Jury) $|\det| < 1$, $1 - \mathrm{tr} + \det > 0$ and
# $1 + \mathrm{tr} + \det > 0$. The first is $b < 1$; the second is $k > 0$; the third is $k < 2(1+b)$, that is
#
# $$u < \frac{2}{1-b^2}.$$

# %%
show(momentum, settings, "G1.transition", "G1.invariants", "G1.jury", "G1.law", "G1.boundary")

# %%
momentum_figures.draw_stability()

# %% [markdown]
# Below the white line every start is forgotten at the rate that the colour shows (claim P1a, for constant momentum).
#
# ## G2: how fast
#
# The characteristic polynomial is heavy ball's, $F(r) = r^2 - (1+b-k)r + b$, with discriminant, at $b = q^2$,
#
# $$(1+b-k)^2 - 4b = \left(k - (1-q)^2\right)\left(k - (1+q)^2\right).$$
#
# So the roots are complex, of modulus $\sqrt b$, for $(1-q)^2 < k < (1+q)^2$, and real outside. For $u < 1$, start at $b = 0$ (where
# $k = u < 1$ lies below the lower edge) and let $b$ grow.
#
# *Past the edge* the radius is $\sqrt b$ and grows. *Before it* the larger root $r$ falls: $dr/db = -F_b/F_r$ with $F_r > 0$ and
# $F_b = 1 - (1+w)\,r$, $w = u(1+b)(3b-1)$, so it falls exactly while $r < r_0 = 1/(1+w)$. For $b \le 1/3$ that is plain. Else
#
# $$(1+w)^2\,F(r_0) = 2u(1+b)(1-b)^2 + kw + bw^2 > 0,$$
#
# so $r_0$ lies above both roots or below both; and $uc(1+q) < 1-q$ gives $w < \frac{3b-1}{1+b}\cdot\frac{1-q}{1+q} \le \frac{1-q}{1+q}$,
# $r_0 > (1+q)/2 > q$, the roots' geometric mean: above both. Hence the best momentum is where the edge is met, and nowhere else:
#
# $$u\,c\,(1+\sqrt b) = 1-\sqrt b, \qquad\text{so}\qquad 1 - r = 1-\sqrt b = u\cdot\underbrace{(1+b)^2}_{\text{larger drift}}
# \cdot\underbrace{(1+\sqrt b)}_{\text{damping}}.$$
#
# Langevin loses $u$. The gain is the product, exactly; as $u \to 0$, $b \to 1$ and it tends to $4 \times 2 = 8$.

# %%
show(momentum, settings, "G2.regimes", "G2.law", "G2.best", "G2.beaten", "G2.gain", "G2.langevin")

# %%
momentum_figures.draw_rates()

# %% [markdown]
# Of this 8, the factor 4 is not momentum's at all: a drift four times as large, with the noise left as it was, is Langevin on a
# target four times as narrow in variance (G5). What averaging adds is the factor $1 + \sqrt b \le 2$.
#
# ## G2c: the condition number
#
# Heavy ball is famous for a square root of the condition number, and this *is* heavy ball's polynomial. On precisions in $[m, L]$ a
# radius $r$ needs every $k$ between those of the roots $r$ and $-r$,
#
# $$(1-r)(1-b/r) \le k \le (1+r)(1+b/r), \qquad\text{so}\qquad \kappa \le \frac{(1+r)(1+b/r)}{(1-r)(1-b/r)} \le
# \left(\frac{1+r}{1-r}\right)^2$$
#
# (the ratio grows with $b \le r^2$): Polyak's $r = (\sqrt\kappa-1)/(\sqrt\kappa+1)$ is the best, and is reached, at steps far beyond
# Langevin's, $u \approx \sqrt\kappa/4$ in the stiffest direction. But a sampler must also leave the right law, and there the stiffest
# variance is $\kappa^2/16$ times the target's. Ask for at most twice the target's variance, and $u$ in that direction is bounded
# (by 1, whatever $b$, as without momentum); as $1 - r \le 2cu$ in every direction, the slowest loses $O(1/\kappa)$ like Langevin's:
# $\kappa(1-r)$ tends to the largest $cu$ over $b$, a root of a polynomial.

# %%
show(
    momentum,
    settings,
    "G2c.bound",
    "G2c.rate",
    "G2c.price",
    "G2c.loss",
    "G2c.step",
    "G2c.exponent",
    "G2c.constant",
    "G2c.limit",
)

# %%
momentum_figures.draw_condition()

# %% [markdown]
# ## G3: the stationary law
#
# The noise enters the position only; the stationary covariance solves the Lyapunov equation $C = MCM^T + qq^T$, which SymPy
# solves outright:

# %%
sp.Matrix([lam * covariance[0, 0], covariance[1, 1], covariance[0, 1]]).applyfunc(sp.factor)

# %%
show(momentum, settings, "G3.covariance", "G3.solved", "G3.reached", "G3.particles")

# %%
momentum_figures.draw_variance()

# %% [markdown]
# ## G4 and G6: cooling against heating
#
# In $u$, with $w = u(1-b^2)/2$ the step as a share of the stable range,
#
# $$c\,\lambda\,\mathrm{Var}\,x = \frac{1 + \frac{2b(1+b)}{1-b}\,u}{1 - w} = 1 + s\,u + \frac{s\,u\,w}{1-w},\qquad
# s = \frac{2b(1+b)}{1-b} + \frac{1-b^2}{2}.$$
#
# Momentum cools by $1/c$; the step heats, from there, by $su$. The two cancel once, where a linear equation says so:

# %%
sp.factor(
    sp.solve(sp.numer(sp.together(momentum_stationary.symbolic_variance() - 1)), sp.Symbol("u", positive=True))[0]
)

# %%
show(momentum, settings, "G4.series", "G4.remainder", "G6.root", "G6.stable", "G6.law")

# %% [markdown]
# A single step serves a single precision: on a target with two, one of them at least is wrong.
#
# ## G5: the limit is a cooled target
#
# At fixed $b$ let $a \to 0$. The variance does not tend to $1/\lambda$:

# %%
sp.limit(lam * covariance[0, 0], a, 0)

# %% [markdown]
# Why: the momentum relaxes to the score in about $1/(1-b)$ steps, in which the position hardly moves; so the position obeys
# $dx = c\,\nabla\log\pi(x)\,dt + \sqrt2\,dw$. The drift carries the factor $c = (1+b)^2$ and the noise does not. The stationary
# density of that equation is $\pi^c/Z$, for any $\pi$: its Fokker-Planck flux $c(\log\pi)'p - p'$ vanishes at $p = \pi^c$.
# A factor of the drift without one of the noise is a lower *temperature*, $1/c$: between 1 and $1/4$.

# %%
show(momentum, settings, "G5.limit", "G5.flux", "G5.w2", "G5.kl", "G5.dimension", "G5.mixture")

# %% [markdown]
# On a mixture the cooled law is sharper and poorer in its minority mode (the law in phase space: notebook *orders*):

# %%
momentum_figures.draw_mixture()

# %% [markdown]
# ## G7: correct the noise, and what is left?
#
# Scale the noise like the drift, $\sqrt{2ac}$. In $u = ac\lambda$ the step's own stationary variance becomes

# %%
momentum_corrected_noise.corrected_symbols()[1]

# %% [markdown]
# which tends to 1: the limit is the target. But compare at *equal bias*. Slow directions lose $u$ a step (the derivative of the larger
# root at $r = 1$ is $-1$), Langevin's lose $u_L$, and if both laws have the variance $V$,
#
# $$\frac{u_L}{u} = \frac{(1+b)^2}{1-b^2+2bu} \;\to\; \frac{1+b}{1-b},\qquad \text{above 1 exactly while } V < \frac{2}{1-b}.$$
#
# Momentum with the noise outside it, at the right temperature, is slower than no momentum, at any bias that one would accept. (With the
# noise inside the momentum, as in BAOAB, the position's law is exact here: claim K1.)

# %%
show(momentum, settings, "G7.variance", "G7.rate", "G7.loses", "G7.solved", "G7.reached")
