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
# # MNIST with a pretrained network
#
# Claims I1 to I9. With an exact score whatever error is left belongs to the sampler. A network errs too, and a sampler that cools,
# lags or stirs meets its errors. The network here is a VE score network for MNIST that others trained:
#
# $$s_\theta(x, t) = \frac{f_\theta(x, t)}{\sigma(t)},\qquad \sigma(t)^2 = \frac{25^{2t} - 1}{2\ln 25}.$$
#
# Where its file cannot be had this page says so, and shows nothing.

# %%
from IPython.display import display

from experiments.images import pretrained
from experiments.images.pretrained import checks, runs
from experiments.images.pretrained.figures import draw_beta, draw_cause, draw_samples
from verdicts.claims.measurement import Unavailable
from verdicts.report.notebook_helpers import settings_of, show

settings = settings_of(pretrained, profile="cpu").model_copy(
    update={
        "budgets": (20, 50),
        "batches": 8,
        "batch": 4,
        "few": 3,
        "images": 50,
        "times": 5,
        "tutorial": 4,
        "trials": 1,
    }
)
try:
    runs.network(settings.weights), runs.test_images()
    there = True
except Unavailable as absence:
    there = False
    print(absence)
settings

# %% [markdown]
# This page runs on fewer images than the profile: the verdicts of record are the ledger's.
#
# ## What the network knows
#
# $E\,|\sigma s(x_0 + \sigma z) + z|^2$ is 784 for a network that knows nothing. The tutorial's own sampler, Langevin's corrector and
# Euler-Maruyama at equal steps in time, leaves much noise after 50 steps and little after 500.

# %%
if there:
    display(show(pretrained, settings, "I1.loss", "I1.noisy"))

# %% [markdown]
# ## Two thermometers
#
# The *energy distance* of denoised samples to held-out images needs no extractor. The *temperature* is read on pixels that are 0 in
# every image: there the law at the last level is exactly $N(0, \sigma_L^2)$, so $T = (\mathrm{median}|x| / 0.6745\,\sigma_L)^2$ is 1.

# %%
if there:
    display(show(pretrained, settings, "I5.floor", "I5.adaptive"))

# %% [markdown]
# The flow's solvers, which are exact to many digits by 50 evaluations, do *not* reach 1 here: what they are left with is the network's
# own error. A sampler that cools hides it, which looks like a better sampler.
#
# ## Nearer than annealed Langevin, not twice as fast, far behind samplers without a corrector

# %%
if there:
    display(show(pretrained, settings, "I2.annealed", "I3.annealed", "I3.corrector", "I4.ancestral", "I4.corrector"))

# %%
if there:
    display(draw_samples(settings, settings.samplers))

# %% [markdown]
# ## What the corrector's gain is due to
#
# The released corrector takes its step from the norm of the *previous* level's momentum. Down the levels scores grow, so the step is
# larger than the snr says: a hidden larger snr. Langevin's corrector with that step and nothing else keeps most of the gain; the drift
# factor alone keeps little. Starts and noise are common to all.

# %%
if there:
    display(show(pretrained, settings, "I6.lag", "I6.drift", "I6.dropped", "I6.noise", "I6.constant"))
    display(draw_cause(settings, checks.CONFIDENCE))

# %% [markdown]
# ## beta along the run
#
# Two laws predict it without sampling: on a Gaussian with the images' covariance, and on a point.

# %%
if there:
    display(draw_beta(settings))

# %% [markdown]
# ## Companions
#
# beta and the corrector's step are means over the batch, so a sample depends on its companions. With per-sample norms it does not.

# %%
if there:
    display(show(pretrained, settings, "I7.annealed", "I7.corrector", "I8.split"))
