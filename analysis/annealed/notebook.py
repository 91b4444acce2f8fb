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
# # Annealed runs: how many evaluations, and why
#
# Claims P2 and B1 to B5. The paper's claim is that adaptive momentum needs 2 to 5 times fewer score evaluations at small
# budgets. It is read here as: *to reach the error that adaptive momentum has after $N$ evaluations, annealed Langevin
# needs $2N$ to $5N$.* Two targets, on which errors are known:
#
# - a Gaussian in 16 dimensions, variances from 1 to $10^{-3}$, a mean of norm 2, noise from 50 to 0.02. Every sampler's law is
#   exact (mean and variance per direction are carried along, norms are exact expectations): no Monte Carlo;
# - the mixture $0.3\,N(-1, 0.1^2) + 0.7\,N(1, 0.1^2)$, noise from 20 to 0.02. Steps of position alone by the grid law;
#   deterministic flows by moving quantiles with the map's derivative; steps with memory by particles, with intervals.
#
# Annealed samplers start from $N(0, \sigma_1^2 I)$ and take $T = 5$ steps at each of $N/T$ geometric levels with NCSNv2's step
# $a = u\sigma^2$; the law at the end is compared with the target *at the last level*, without denoising. "Tuned" means: the best
# of a stated grid, chosen anew for each budget and error. That favours every sampler, and most those whose
# errors can cancel.

# %%

from analysis import annealed
from verdicts.report.notebook_helpers import settings_of, show

settings = settings_of(annealed)

# %% [markdown]
# ## B1: more evaluations make it worse
#
# At a fixed step adaptive momentum tends to a law colder than the target, $\pi^{c}$ with $c = (1+\beta)^2$ up to 4 (claims A3, G5), and
# NCSNv2's step shrinks as the levels multiply. So its error first falls, as the run lags less behind the noise, and then
# rises towards that of $\pi^4$. Annealed Langevin's only falls.

# %%
show(annealed, settings, "B1.minimum", "B1.where", "B1.grows", "B1.langevin")

# %%
annealed.draw_errors(settings, annealed.CAUSES)

# %% [markdown]
# The same against the step, at a fixed number of evaluations. Lines are the stationary laws at the last level, from the closed form
# of claim G3 (Langevin is $b = 0$) and the solved mean field; markers are annealed runs. A run sits above Langevin's line while it lags;
# momentum's runs cross the target on their way from too warm to too cold.

# %%
annealed.draw_steps(settings)

# %% [markdown]
# ## P2 and B2: where "2 to 5" holds
#
# By KL it holds at 60 to 100 evaluations at the defaults, and at 60 to 150 when both samplers are tuned; on the mixture around 40
# evaluations. It is no constant: at 20 evaluations there is no gain, at 150 it is above 5, and at 2000
# adaptive momentum is the slower by far (annealed Langevin had that error after about 70).

# %%
show(annealed, settings, "P2.least", "P2.most", "P2.tuned_least", "P2.tuned_most", "P2.mixture")

# %%
show(annealed, settings, "B2.least", "B2.most", "B2.large")

# %% [markdown]
# ## B3: cooling, not momentum
#
# On a stiff direction annealed Langevin lags: the law is warmer than the level's. Anything that pulls harder than its noise
# allows makes up for that, at one budget. Taken apart:
#
# - *drift only*: $m_t = s_t$, no averaging, the factor $(1+\beta_t)^2$ kept: the same gain;
# - *average only*: the average kept, no factor: none;
# - *noise corrected*: both kept, noise $\sqrt{2 a c}$ to match the drift: what it gains at the defaults is a larger step; once both
#   are tuned, nothing;
# - plain Langevin with a constant drift factor of 1.5, no rule, no state: a larger gain.

# %%
show(
    annealed,
    settings,
    "B3.adaptive",
    "B3.drift",
    "B3.average",
    "B3.average_tuned",
    "B3.noise",
    "B3.control",
)

# %% [markdown]
# ## B4: against samplers that do not lag
#
# Consistent annealed sampling corrects the lag exactly (its noise fills up to the next level's); Heun's method follows the
# probability flow to second order, at two evaluations a step; EDM adds noise to it. All need fewer evaluations.

# %%
show(annealed, settings, "B4.gaussian", "B4.tuned", "B4.mixture")

# %%
annealed.draw_errors(settings, annealed.RIVALS)

# %%
annealed.draw_errors(settings, annealed.OTHERS)

# %% [markdown]
# ## B5: the minority mode
#
# $\pi^c$ holds the minority with weight near $w^c$: a sampler that is too cold while the modes still exchange mass starves the
# smaller one. Too warm a run errs the other way, so at small budgets the two cancel here too. The particles behind the
# samplers with memory are checked against the grid law where both apply.

# %%
show(
    annealed,
    settings,
    "B5.langevin",
    "B5.factor",
    "B5.adaptive",
    "B5.particles",
    "B5.particles_kl",
)

# %%
annealed.draw_line(settings, annealed.CAUSES)

# %%
annealed.draw_line(settings, annealed.RIVALS)

# %% [markdown]
# ## Sensitivity
#
# The corrector's signal-to-noise ratio, the steps a level, the clip, and the batch that the norms average over. A clip of
# 0.3 or less is never reached at these budgets. The batch couples its samples: from about 25 samples on the mean field is
# reached; with a damping of its own for each sample the law in one dimension is worse.

# %%
annealed.draw_snr(settings)

# %%
annealed.draw_repeats(settings)

# %%
annealed.draw_delta(settings)

# %%
annealed.draw_batch(settings)
