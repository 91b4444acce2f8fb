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
# # Real digits with their exact score
#
# Claims D0 to D7. The 1797 digits that scikit-learn ships define a law that is known exactly: the uniform law on the images,
# blurred at noise level $\sigma$, whose score is
#
# $$s_\sigma(x) = \frac{D(x) - x}{\sigma^2},\qquad D(x) = \sum_j w_j p_j,\quad w_j \propto e^{-|x - p_j|^2/2\sigma^2}.$$
#
# No network is trained, so whatever error is left belongs to the sampler. Each sampler gets the same budget of score evaluations
# (NFE) and ends at the same noise level $\sigma_L$; fresh draws of the law itself are judged by the same numbers.

# %%
from experiments.images import comparison
from experiments.images.digits import checks as digits
from verdicts.report.notebook_helpers import settings_of, show

settings = settings_of(digits, profile="quick")
settings

# %% [markdown]
# ## What is measured
#
# The *energy distance* $2E|X-Y| - E|X-X'| - E|Y-Y'|$ vanishes only for the law itself. Its expectations over the law are exact here, so
# the reference adds no noise. It sees where the samples lie and hardly their last digit; on this target most samplers reach
# its floor within 60 evaluations. This page runs at the quick profile's sizes; the report's figures have the profile's own.
#
# The *temperature* $T = E|x - p_\mathrm{near}|^2/(d\,\sigma_L^2)$ sees the rest: near each image the law is $N(p_j, \sigma_L^2 I)$, a sampler's
# output about $N(p_j, T\sigma_L^2 I)$, and $(T - 1 - \ln T)/2$ nats a pixel are lost. Above 1 the sampler has not arrived; below 1 it cools.

# %%
show(digits, settings, "D0.energy", "D0.temperature")

# %%
comparison.draw_errors(digits.results(settings), settings)

# %% [markdown]
# ## What holds, and against whom
#
# Against annealed Langevin, at its defaults and small budgets, adaptive momentum is ahead: the paper's claim, on real images.

# %%
show(digits, settings, "D1.gain", "D1.speed_up")

# %% [markdown]
# But its temperature falls through 1 and goes on falling: with more evaluations it moves away from the target. The control
# that has only the larger drift, and no momentum, does the same, and more so.

# %%
show(digits, settings, "D2.adaptive", "D2.langevin", "D2.factor")

# %% [markdown]
# And the baseline was weak: reverse diffusion needs about as few evaluations, the probability flow by Heun fewer.

# %%
show(digits, settings, "D3.reverse", "D3.flow")

# %% [markdown]
# The same at the smallest budget: samplers of equal cost, at their defaults, are more faithful by far.

# %%
show(digits, settings, "D7.ancestral", "D7.edm")

# %% [markdown]
# Tuned, step and repeats for each budget on other batches, adaptive momentum stays ahead of annealed Langevin at 60 evaluations; a
# constant drift factor of 1.5, without any momentum, is ahead of both at 20.

# %%
show(digits, settings, "D6.tuned", "D6.constant")

# %% [markdown]
# ## What is rare becomes rarer
#
# All zeros and a tenth as many ones. Cooling to $p^{T}$ with $T > 1$ takes from a mode of small weight more than its share.

# %%
show(digits, settings, "D4.factor", "D4.langevin")

# %%
comparison.draw_grids(settings, digits.images())
