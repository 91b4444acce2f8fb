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
# # Graphs: what the sampler changes
#
# Claims V4 to V9. The networks are GDSS's: one for the score of the node features $X$, one for that of the adjacency $A$, each
# given the other's state. Euler-Maruyama takes both from noise to graphs; a *corrector* may move both before each of its steps:
#
# $$x \leftarrow x + A_t m_t + \sqrt{2 a_t}\,\epsilon z_t,\qquad a_t = 2\alpha_t\Big(\mathrm{snr}\,\frac{\langle \epsilon z_t\rangle}{\langle m_t\rangle}\Big)^2,$$
#
# with $m_t = s_t$, $A_t = a_t$ for Langevin, and the averaged score and $A_t = (1 + \beta_t)^2 a_t$ for momentum. A corrector doubles the
# score evaluations of a step. The release loses the adjacency's momentum after each step (claim R3): `PC, adaptive` is that form,
# `PC, adaptive in both` the one that is described.

# %%
from analysis.showing import settings_of, show
from experiments.graphs import comparison
from experiments.graphs.contenders import CONTENDERS
from experiments.graphs.drawing import draw_curves, draw_graphs

settings = settings_of(comparison, profile="quick")
settings

# %% [markdown]
# ## What is measured
#
# The law of community_small is known: the generator of the release draws two fixed graphs and random bridges between them. So the
# reference is fresh graphs of the law, as many as wanted. Graphs are compared by the unbiased squared MMD of degrees,
# clustering coefficients and orbit counts, with the published kernels; the mean of the three is what claims speak of. A published
# row's own estimator is biased upwards, by as much as is published (claim W2).
#
# All contenders start from the same noise and draw the same noise, so differences are paired; both sets are drawn again for their
# intervals, and a batch whose graphs are coupled is one draw.

# %%
curves, heat, floor = comparison.curves(settings), comparison.temperatures(settings), comparison.discrepancy(settings, None)
draw_curves(curves, heat, floor, lambda name: CONTENDERS[name].evaluations)

# %% [markdown]
# ## More faithful at small budgets?
#
# Positive is a gain of adaptive momentum.

# %%
show(comparison, settings, "V4.langevin", "V4.described", "V4.predictor")
