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
# Claims A1 to A6, and the three claims that "the sampler converges" hides: P1a (it forgets its start), P1b (its limit tends to the
# target as the step shrinks), P1c (its bias at a fixed step is no worse than Langevin's). The paper's theorem was not at hand; what
# is decided here is stated here, and is about the rule as released.

# %%

from analysis import adaptive
from analysis.adaptive import expansion as adaptive_expansion
from analysis.adaptive import fixed_point as adaptive_fixed_point
from analysis.adaptive import linearisation as adaptive_linearisation
from analysis.adaptive.figures import figures as adaptive_figures
from verdicts.report.notebook_helpers import settings_of, show

settings = settings_of(adaptive)

# %% [markdown]
# ## A1: the mean field
#
# The rule reads two norms, averaged over the batch. As the batch grows the averages become expectations, $\beta_t$ becomes a number,
# the step becomes affine, and a Gaussian start stays Gaussian. All that is needed is $E|g|$ for $g \sim N(\mu, \mathrm{diag}\,v)$: with
# $\varphi(t) = Ee^{-t|g|^2}$, a product over directions,
#
# $$E|g| = \frac{1}{\sqrt\pi}\int_0^\infty t^{-1/2}\left(-\varphi'(t)\right)dt,$$
#
# by the trapezoidal rule after $t = e^{y - e^{-y}}$. Where a closed form exists (equal variances: the noncentral chi law; two directions: an
# elliptic integral) it agrees. Norms do not see rotations, so a full covariance is its eigenvalues: checked against the dense sampler,
# whose affine map is read off by running it once with each coordinate of the start and of every draw alone.

# %%
show(adaptive, settings, "A1.chi", "A1.ellipse", "A1.rotated", "A1.large", "A1.particles")

# %% [markdown]
# ## A2: the stationary damping
#
# On an isotropic target all directions are alike, so the ratio of expected norms is the ratio of standard deviations, and
# those follow from the stationary covariance of constant momentum (claim G3). SymPy, from the sampler's step:

# %%
adaptive_fixed_point.ratio_squared()

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
adaptive_figures.draw_fixed_point()

# %% [markdown]
# ## A3: a smaller step is worse
#
# Put $\rho = (1-q)/(1+q)$, so that $b = q^2$: the fixed point is one polynomial equation between $u$ and $q$. Expanded in $\sqrt u$ from
# $q = 1$ it gives

# %%
adaptive_expansion.damping_series()

# %% [markdown]
# and with it the variance, from the step's own stationary law, with $w = \sqrt u$:

# %%
adaptive_expansion.variance_series(1)

# %% [markdown]
# The limit is $1/4$, the variance of $\pi^4$, approached at order $\sqrt a$ with the large constant $33\sqrt2/4 \approx 11.7$; that is why the
# cooling is mild at steps in use and why it grows as they are refined. The equation $\lambda\,\mathrm{Var}\,x = 1$ is linear in $u$ (G6); its
# root put into the fixed point's equation leaves a polynomial of degree 17 in $q$, with one root in $(-1, 1)$ by Sturm's theorem:
# $u = 0.1691$ is the only unbiased step.

# %%
show(adaptive, settings, "A3.damping", "A3.variance", "A3.order", "A3.worse", "A3.unbiased")

# %%
adaptive_figures.draw_small_steps()

# %% [markdown]
# ## A4: any spectrum
#
# For small steps $s_t - s_{t-1} \approx -\sqrt{2a}\,\Lambda z$, so $|s_t - s_{t-1}|^2 \approx 2a\sum\lambda^2$, while
# $|m|^2 \approx \sum\lambda/c$ (G3, direction by direction). In many directions norms hardly fluctuate, and
#
# $$\rho \approx (1+b)\sqrt{2a\,\lambda_\mathrm{eff}},\qquad \lambda_\mathrm{eff} = \frac{\sum\lambda^2}{\sum\lambda}.$$
#
# What looks like a curvature, $\langle\Delta s\rangle/\langle d\rangle$, is the size of the noise. Critical damping of a mode of
# precision $\lambda$ would need $\rho \approx a\lambda c$, which is smaller by the order of $\sqrt{a\lambda}$: so the chain is overdamped in
# every direction (the last row: below 1, all eigenvalues are real).

# %%
show(adaptive, settings, "A4.ratio", "A4.noise", "A4.overdamped")

# %% [markdown]
# ## A5: finite batches
#
# A batch's $\beta_t$ fluctuates: sampling errors $\xi_t$ of the two mean norms move it, and it moves the law, which moves the norms.
# Linearised about the mean field,
#
# $$\delta\beta_t = \beta'\left(\ell\cdot\delta P_t + \xi_t\right),\qquad \delta P_{t+1} = (T\otimes T)\,\delta P_t + W\,\delta\beta_t,$$
#
# with $P$ the covariance of $(x, m, s)$, $T$ and $W$ from the step and its derivative in $b$, and $\xi$'s autocovariance known: norms of
# correlated Gaussian vectors have $E|g||h| = E|g|\,E|h|\;{}_2F_1(-\frac12,-\frac12;\frac d2;r^2)$. A filtered noise has a computable
# variance: $\mathrm{sd}(\beta)\sqrt B = K(u, d)$. For large $d$, ${}_2F_1 - 1 \to r^2/2d$: only the number $Bd$ of coordinates counts, and a
# single sample in $d$ dimensions is a batch of $d$ in one.

# %%
(
    [(d, adaptive_linearisation.fluctuation(0.05, d)) for d in (1, 2, 16, 256)],
    adaptive_linearisation.fluctuation(0.05, float("inf")),
)

# %% [markdown]
# The law's bias is of second order, far below the noise of one run. Batches of $B$ and $2B$ on the same draws make it visible: to first
# order the large batch's damping is the mean of its halves', and what is left is of the bias's own size.

# %%
show(adaptive, settings, "A5.constant", "A5.single", "A5.bias")

# %%
adaptive_figures.draw_batches(settings)

# %% [markdown]
# So the batch size is a parameter of the sampler: not through its tuning constants (P3), but because the samples of a batch share a
# damping that depends on how many they are.
#
# ## A6: what a signal-to-noise ratio fixes
#
# A corrector takes $a = 2(\mathrm{snr}\,\langle z\rangle/\langle m\rangle)^2$. Stationary at one level, $\langle z\rangle/\langle m\rangle$ is
# one over $m$'s standard deviation, known from G3; solving for $u = a\lambda$,
#
# $$u = \frac{2\,\mathrm{snr}^2c}{1 + \mathrm{snr}^2c\,(1-b^2)}.$$
#
# The ratio fixes $u$, and with it the bias, at every level, whatever the precision and the dimension. The same ratio is a step 3.6
# times as long with $b = 0.9$ as with none: at $0.16$, the release's value on images, the law is twice as wide in variance.

# %%
show(adaptive, settings, "A6.identity", "A6.solved", "A6.reached", "A6.langevin", "A6.adaptive", "A6.bias")

# %% [markdown]
# ## P1a: it forgets its start
#
# Constant momentum: claim G1. The adaptive rule, mean field, isotropic: for $q \in [0, 1)$, that is $\rho \le 1$, the left side of
# $2u(1+ub(1+b)) = \rho^2/(1+b)^2$ grows with $q$ and the right one falls from 1 to 0, so there is exactly one fixed point for $u < 1/2$; for
# $\rho > 1$ there is none (Sturm). It attracts: the linearised recursion of A5 contracts, and at the rate at which a run is seen to.

# %%
show(
    adaptive,
    settings,
    "P1a.constant",
    "P1a.unique",
    "P1a.sturm",
    "P1a.local",
    "P1a.rate",
    "P1a.attracting",
)

# %% [markdown]
# ## P1b and P1c: but the limit is not the target
#
# As $u \to 0$, $b \to 1$ and $c = (1+b)^2 \to 4$: the limit of the stationary law is $\pi^4$, twice as narrow as the target.
# Plain Langevin, run through the same code, does tend to the target: the first row is the control.

# %%
show(
    adaptive,
    settings,
    "P1b.langevin",
    "P1b.constant",
    "P1b.adaptive",
    "P1c.shrinks",
    "P1c.langevin",
    "P1c.where",
)

# %%
adaptive_figures.draw_bias()

# %% [markdown]
# **A smaller step makes the error larger**, down to the limit $W_2 = 1/2$. The adaptive rule beats Langevin for
# $0.1286 < u < 0.5$ only, around its one unbiased step, $u = 0.1691$, where two errors cancel: the cooling and the step's own heating.
# What would make P1b true is known (G7, and the test that breaks its refutation): noise scaled like the drift.
