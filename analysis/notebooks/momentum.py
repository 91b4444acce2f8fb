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
# Claims G1, G3 and G5. The step, with base step $a$ and momentum $b$, is the sampler's own; here it is applied to the symbols
# $x$ (position), $m$ (momentum) and $z$ (noise) on the target $N(\mu, 1/\lambda)$.

# %%
import sympy as sp

from ams.laws.symbolic import a, lam
from analysis import momentum
from analysis.showing import settings_of, show

settings = settings_of(momentum)
matrix, spread, covariance = momentum.symbols()
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
momentum.draw_stability()

# %% [markdown]
# Below the white line every start is forgotten at the rate that the colour shows (claim P1a, for constant momentum).
#
# ## G3: the stationary law
#
# The noise enters the position only; the stationary covariance solves the Lyapunov equation $C = MCM^T + qq^T$, which SymPy
# solves outright:

# %%
sp.Matrix([lam * covariance[0, 0], covariance[1, 1], covariance[0, 1]]).applyfunc(sp.factor)

# %%
show(momentum, settings, "G3.covariance", "G3.solved", "G3.reached", "G3.particles")

# %%
momentum.draw_variance()

# %% [markdown]
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
momentum.draw_mixture()
