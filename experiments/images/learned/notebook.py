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
# # Digits with a learned score
#
# Claims Q0 to Q6. The suite's own network has learned from 1437 digits (`python -m experiments.images train digits-score`) and is
# judged on 360 that it has not seen. With $y = x_0 + \sigma z$ it tells the noise $E[z\mid y]$, so the score is $-E[z\mid y]/\sigma$.
#
# An exact score of the digits seen makes copies; whether samplers differ alike when the score is learned is asked here.

# %%
from pathlib import Path

from experiments import weights
from experiments.images import learned
from experiments.images.learned import figures as drawing
from experiments.images.learned import runs
from verdicts.report.notebook_helpers import settings_of, show

settings = settings_of(learned, profile="quick")
{name: weights.about(Path(f"experiments/images/weights/{name}.safetensors"))["seconds"] for name in ("digits-score",)}

# %% [markdown]
# ## The score: better than a copy
#
# The denoising loss $E|\sigma s(x_0 + \sigma z) + z|^2/d$ on digits held out. The exact score of the digits seen is sure of itself near
# each of them, and so errs between them; the network does not. Beyond $\sigma = 0.5$ all see little but the law.

# %%
show(learned, settings, "Q1.exact", "Q1.gaussian")

# %%
drawing.denoising()

# %% [markdown]
# ## The gauges, on real digits
#
# *Coverage* (arXiv 2002.09797): the share of held-out digits with a sample within their fifth neighbour, in 64 features of a
# classifier. For two sets of one law its mean is known, $1 - \prod_{i=1}^{5} (m-i)/(m+n-i)$, whatever the law. It is much less noisy than
# the Frechet distance of so few samples, and cannot be had by sharp samples of few kinds. The *temperature* is of the samples before
# the last denoising, $E|\sigma s|^2$ over that of digits held out; digits seen have less, since the network knows them: that
# difference is how far the gauge is trusted.

# %%
show(learned, settings, "Q0.kernel", "Q0.coverage", "Q0.temperature")

# %% [markdown]
# ## Quality against evaluations
#
# At 20 evaluations adaptive momentum is ahead of annealed Langevin (Q2), by a sixth of the evaluations and not by half (Q2a); Langevin with
# its drift doubled, and no momentum, is farther ahead still (Q2b): it is the factor. Reverse diffusion, the flow and the
# isothermal sampler are ahead of both (Q4, Q5).

# %%
drawing.quality(runs.results(settings), settings)

# %%
show(
    learned, settings, "Q2.gain", "Q2a.speed_up", "Q2b.factor", "Q4.reverse", "Q4.flow", "Q5.coverage", "Q5.temperature"
)

# %% [markdown]
# ## Cooling, with a learned score as with an exact one

# %%
show(learned, settings, "Q3.adaptive", "Q3.factor", "Q6.temperature")

# %%
drawing.grids(settings)
