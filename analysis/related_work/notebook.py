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
# # Neighbouring papers
#
# Claims N1 to N3. Three papers that are named with adaptive momentum prove or advise something about samplers that can be decided
# on Gaussians by exact laws: what Langevin with a wrong score reaches (N1), what the levels of a variance-ve_level sampler should
# be (N2), and whether a filter on the score helps (N3). N4 (magnetic resonance imaging) is not run.

# %%
import sympy as sp

from ams.samplers import wiener_gain
from analysis.related_work import filter as wiener
from verdicts.report.notebook_helpers import settings_of, show

settings = settings_of(neighbours)

# %% [markdown]
# ## N1: Langevin with a wrong score
#
# **Statement.** Let $p$ satisfy a logarithmic Sobolev inequality with constant $C$,
# $\mathrm{KL}(q\|p) \le \frac C2 I(q|p)$, $I(q|p) = E_q|\nabla\log\frac qp|^2$, and let $q_t$ be the law of
# $dX = (\nabla\log p + e)(X)\,dt + \sqrt2\,dW$. Then for every $L > C/2$, with $r = \frac1C - \frac1{2L}$,
#
# $$\mathrm{KL}(q_t\|p) \le e^{-rt}\,\mathrm{KL}(q_0\|p) + (1-e^{-rt})\,\frac{\log E_p\,e^{L|e|^2}}{2L/C - 1},$$
#
# and $L = C$ gives the form of the claim: rate $1/2C$, limit $\log E_p\,e^{C|e|^2}$.
#
# **The assumption on $C$.** A Gaussian has $C = $ its largest variance; a density with $-\nabla^2\log p \succeq 1/C$ has $C$ (Bakry and Émery); a bounded
# perturbation $e^{h}$ of one multiplies it by at most $e^{\max h - \min h}$ (Holley and Stroock): so a mixture has one too, exponential in
# the height of its barrier. That is why Langevin is run at a time $T_1 > 0$, where modes overlap, and not on the data.
#
# **Proof.** Write $g = \nabla\log\frac{q_t}p$.
#
# 1. *Entropy dissipates.* With the flux $J = q g - q e$ of the Fokker-Planck equation $\partial_t q = \nabla\cdot J$,
#    $$\frac{d}{dt}\mathrm{KL} = \int \log\tfrac qp\,\nabla\cdot J = -\int g\cdot J = -E_q|g|^2 + E_q\langle e, g\rangle.$$
# 2. *Young.* $\langle e,g\rangle - |g|^2 = -\frac12|g|^2 + \frac12|e|^2 - \frac12|g-e|^2$, so $\frac{d}{dt}\mathrm{KL} \le -\frac12 I + \frac12 E_q|e|^2$.
# 3. *Log-Sobolev.* $\frac12 I \ge \mathrm{KL}/C$.
# 4. *Donsker and Varadhan.* $E_q|e|^2 \le \frac1L\left(\mathrm{KL}(q\|p) + \log E_p e^{L|e|^2}\right)$: the error is measured under $p$ alone.
# 5. *Gronwall* on $\frac{d}{dt}\mathrm{KL} \le -r\,\mathrm{KL} + \frac1{2L}\log E_p e^{L|e|^2}$; and $\frac1{2L r} = \frac1{2L/C-1}$. ∎
#
# The identities 1 and 2 are checked by SymPy for arbitrary densities on the line. The bound itself meets thousands of Gaussian diffusions, whose laws
# are known at all times, so there is no sampling error to hide in: random errors $e(x) = Ax + b$ (gradients, rotations that leave $p$ invariant,
# and neither) up to the edge at which the moment ceases to be finite, and then ascents that change error and start to come as close as they can.

# %%
show(neighbours, settings, "N1.dissipation", "N1.bound", "N1.power", "N1.adversarial")

# %% [markdown]
# **How tight?** On $N(0,1)$ the error $e = \alpha x + b$ has the stationary law $N\left(\frac b{1-\alpha}, \frac1{1-\alpha}\right)$, and as $b\to\infty$
# the ratio of $\mathrm{KL}_\infty$ to its bound ($L = C = 1$) tends to $\frac{1-2\alpha^2}{2(1-\alpha)^2}$, which is largest at $\alpha = \frac12$: there it is

# %%
alpha = sp.Symbol("alpha", real=True)
ratio = (1 - 2 * alpha**2) / (2 * (1 - alpha) ** 2)
sp.solve(sp.diff(ratio, alpha), alpha), ratio.subs(alpha, sp.Rational(1, 2))

# %% [markdown]
# So the bound is sharp: no smaller constant would do. For a constant error $L = C$ loses a factor 2; with $L \to \infty$ that too is attained.

# %%
show(neighbours, settings, "N1.sharp", "N1.constant_error")

# %%
neighbours.draw_bound(settings)

# %% [markdown]
# ## N1b: why the forward process should stop at a fixed time
#
# Forward Ornstein-Uhlenbeck process to $T_1$; start from $N(0, I)$; Langevin at $T_1$; probability flow back to 0. First the diffusion used here is what
# the library's Langevin step tends to (order 1 in $a$). With exact scores the final $W_2$ falls by $e^{-t/C}$ with the Langevin time $t$, at any fixed $T_1$,
# and asymptotically at just that rate.

# %%
show(neighbours, settings, "N1b.diffusion", "N1b.contraction", "N1b.rate")

# %% [markdown]
# With a score wrong by a constant $e$ the flow's map from time $t$ to 0 scales direction $i$ by $\sqrt{v_i}/\mathrm{sd}_i(t)$, so the error that it collects,
# $\int_0^{T_1} |e_i| \sqrt{v_i}/\mathrm{sd}_i\,dt$, grows by $|e_i|\sqrt{v_i}$ a unit of $T_1$. Without Langevin $T_1$ must be about $\log(1/|e|)$ for the start to be
# forgotten, and the error is $|e|\log(1/|e|)$; with it $T_1$ is free and the logarithm goes. The gain is one of error, not of evaluations: Langevin's time costs some too.

# %%
show(neighbours, settings, "N1b.grows", "N1b.fixed", "N1b.logarithmic")

# %%
neighbours.draw_fixed_time()

# %% [markdown]
# On a Gaussian the best fixed $T_1$ is 0. On a mixture it is not: Langevin on the data must climb the barrier between the modes. Its relaxation
# time, one over the gap of its generator (at most $C$), falls by three orders of magnitude before $T_1 = 0.25$:

# %%
show(neighbours, settings, "N1b.mixture")

# %%
neighbours.draw_relaxation()

# %% [markdown]
# ## N2: three parts of an error, exactly
#
# The variance-ve_level sampler steps by $y' = y + (\tau-\tau')\,s(y) + \sqrt{\tau-\tau'}\,z$, $\tau = \sigma^2$. On a Gaussian target with variances $v_i$ the exact reverse
# kernel (Bayes) has the *same mean*, and variance $(\tau-\tau')\frac{v+\tau'}{v+\tau}$ instead of $\tau-\tau'$. With $d = \frac{\tau-\tau'}{v+\tau}$ the
# divergence of one kernel from the other is $\frac12(-d - \log(1-d))$, and a score error $e$ adds $\frac{\tau-\tau'}2 E|e|^2$. By the chain rule
#
# $$\mathrm{KL}(\text{target}\|\text{law}) \le \underbrace{\mathrm{KL}(p_{\tau_0}\|\text{start})}_{\text{initialisation}}
# + \underbrace{\tfrac12\sum_{k,i}\left(\log\tfrac{v_i+\tau_k}{v_i+\tau_{k+1}} - \tfrac{\tau_k-\tau_{k+1}}{v_i+\tau_k}\right)}_{\text{discretisation}}
# + \underbrace{\tfrac12\sum_k(\tau_k-\tau_{k+1})E|e_k|^2}_{\text{score error}}.$$
#
# It is also Girsanov's divergence of the continuous paths: the score is a martingale along the reverse process.

# %%
show(neighbours, settings, "N2.martingale", "N2.chain", "N2.bound")

# %% [markdown]
# The bound speaks of KL(target‖law) alone: the other direction exceeds it in many of these runs. And it is loose: each step contributes $d^2/4$, so the sum is
# $O(1/N)$, while the law's variance is off by $O(1/N)$ and its divergence $O(1/N^2)$. The paths differ more than their ends.

# %%
show(neighbours, settings, "N2.order_bound", "N2.order_true")

# %% [markdown]
# ## N2b: exponential or EDM?
#
# The advice (Wang, He and Tao): exponential levels for a good score, EDM's ($\rho = 7$) for a bad one. Exact laws agree, with three remarks.
#
# * *How much.* With exact scores the exponential levels have 0.44 to 0.81 of EDM's divergence on three targets that are narrow beside the first noise;
#   on a wide target EDM wins by a tenth.
# * *Why EDM wins with a bad score.* With a constant error $\epsilon$ of the predicted noise the score part is
#   $\frac{\epsilon^2}2\sum_k(1-\tau_{k+1}/\tau_k)$; the product of the ratios is fixed, so their sum is least where all are equal: of all schedules the exponential
#   one collects the *most*. But all tend to $\frac{\epsilon^2}2\log\frac{\tau_0}{\tau_N}$, so the difference is small: a few percent.
# * *The bound's own optimum is not the law's.* Levels that minimise the discretisation part (L-BFGS) have up to 2.7 times the exponential schedule's
#   divergence: a bound that is loose by an order of $N$ is no guide to a schedule.

# %%
show(neighbours, settings, "N2b.good", "N2b.wide", "N2b.bad", "N2b.cause", "N2b.optimal")

# %%
neighbours.draw_schedules(settings)

# %% [markdown]
# ## N3: a filter on the score
#
# SGDF (Yao et al.) replaces a stochastic gradient $g_t$ by $m_t + K(g_t - m_t)$, $m$ its running average with memory $b$, $K$ a Wiener gain. Of white noise of
# variance $R$ the average keeps $P = qR$, $q = \frac{1-b}{1+b}$, so the stationary gain is $\frac{P}{P+R} = \frac q{1+q}$, that is

# %%
b = sp.Symbol("b", positive=True)
sp.simplify(wiener_gain(b))

# %% [markdown]
# (0.05 at $b = 0.9$. SGDF's own rule takes the ratio entry by entry, with one draw's square in place of $R$; in white noise its mean gain is
# $E\frac q{q+\xi^2} = \sqrt{\pi q/2}\,e^{q/2}\,\mathrm{erfc}\sqrt{q/2}$, about five times as much:)

# %%
wiener.mean_entrywise_gain(0.9)

# %% [markdown]
# As a rule of the sampler, $x' = x + a(m + K(s-m)) + \sqrt{2a}\,z$. With an exact score what varies is the signal, and averaging it delays it. From the sampler's
# own step, $u = a\lambda$:

# %%
wiener.symbols()[1]

# %% [markdown]
# Its excess over Langevin's $1/(1-u/2)$ factors into terms that are positive for $K < 1$, $u \le 1$: **the best gain is 1**. At equal bias a gain below 1 is also
# slower, but for a few percent where the filter's own mode meets the position's; SGDF's own gain always is, by a factor of 15 at $b = 0.9$ and a bias of 10 %.
# Nor would white noise in the score change that: what it adds to the variance is $aR/2\lambda$ as $a \to 0$, whatever gain and memory. The sampler is itself the low-pass
# filter, and sees the noise at frequency 0, which the average passes whole.

# %%
show(neighbours, settings, "N3.gain", "N3.bias", "N3.law", "N3.speed", "N3.wiener", "N3.noise")

# %%
neighbours.draw_filter(settings)
