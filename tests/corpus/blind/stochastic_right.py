"""Stochastic and flow-matching samplers that do what they state: 20 right samplers of the blind trial.

Written without knowledge of the kit, and frozen before the kit saw it; see survey/blind.toml.
"""

import math
from types import SimpleNamespace

import torch

from samplercheck import Sampler, noise_level

# ---------------------------------------------------------------- ancestral sampling


@torch.no_grad()
def r21_ddpm_betas(model, x, betas, generator=None):
    """Ho et al. 2020, algorithm 2, with the posterior variance beta tilde. model(x, t) predicts the noise."""
    betas = torch.as_tensor(betas, dtype=torch.float64)
    alphas = 1 - betas
    acp = torch.cumprod(alphas, 0)
    acp_prev = torch.cat([torch.ones(1, dtype=acp.dtype), acp[:-1]])
    var = betas * (1 - acp_prev) / (1 - acp)
    for t in reversed(range(len(betas))):
        eps = model(x, torch.full((x.shape[0],), t, dtype=torch.long, device=x.device))
        mean = (x - betas[t] / (1 - acp[t]).sqrt() * eps) / alphas[t].sqrt()
        if t > 0:
            x = mean + var[t].sqrt() * torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        else:
            x = mean
    return x


def _ancestral_step(sigma_from, sigma_to, eta=1.0):
    if not eta:
        return sigma_to, 0.0
    sigma_up = min(sigma_to, eta * (sigma_to**2 * (sigma_from**2 - sigma_to**2) / sigma_from**2) ** 0.5)
    return (sigma_to**2 - sigma_up**2) ** 0.5, sigma_up


@torch.no_grad()
def r22_euler_ancestral(
    model, x, sigmas, extra_args=None, callback=None, disable=None, eta=1.0, s_noise=1.0, noise_sampler=None
):
    extra_args = {} if extra_args is None else extra_args
    noise_sampler = (lambda sigma, sigma_next: torch.randn_like(x)) if noise_sampler is None else noise_sampler
    s_in = x.new_ones([x.shape[0]])
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * s_in, **extra_args)
        sigma_down, sigma_up = _ancestral_step(sigmas[i], sigmas[i + 1], eta=eta)
        if callback is not None:
            callback({"x": x, "i": i, "sigma": sigmas[i], "denoised": denoised})
        d = (x - denoised) / sigmas[i]
        x = x + d * (sigma_down - sigmas[i])
        if sigmas[i + 1] > 0:
            x = x + noise_sampler(sigmas[i], sigmas[i + 1]) * s_noise * sigma_up
    return x


# ---------------------------------------------------------------- Euler-Maruyama


def r23_ve_euler_maruyama(score_model, shape, num_steps=500, sigma_min=0.01, sigma_max=50.0, device="cpu"):
    """Variance-exploding SDE, sigma(t) = sigma_min (sigma_max / sigma_min)^t, from t = 1 to 0, own start."""
    log_ratio = math.log(sigma_max / sigma_min)
    x = torch.randn(shape, device=device) * sigma_max
    dt = 1.0 / num_steps
    with torch.no_grad():
        for i in range(num_steps):
            t = 1.0 - i * dt
            sigma = sigma_min * math.exp(log_ratio * t)
            g = sigma * math.sqrt(2 * log_ratio)
            mean_x = x + g**2 * score_model(x, torch.ones(shape[0], device=device, dtype=x.dtype) * sigma) * dt
            x = mean_x + g * math.sqrt(dt) * torch.randn_like(x)
    return mean_x  # without the noise of the last step


class _VPSDE:
    def __init__(self, beta_min=0.1, beta_max=20.0):
        self.b0, self.b1 = beta_min, beta_max

    def beta(self, t):
        return self.b0 + t * (self.b1 - self.b0)

    def integral(self, t):
        return self.b0 * t + 0.5 * t**2 * (self.b1 - self.b0)

    def marginal(self, t):
        b = self.integral(t)
        return math.exp(-0.5 * b), math.sqrt(-math.expm1(-b))


@torch.no_grad()
def r24_vp_euler_maruyama(eps_model, x, n_steps=1000, t_end=1e-3):
    """Reverse VP SDE, Euler-Maruyama on even times; the network predicts the noise at time t in (0, 1]."""
    sde = _VPSDE()
    dt = -(1.0 - t_end) / n_steps
    for i in range(n_steps):
        t = 1.0 + i * dt
        _, std = sde.marginal(t)
        score = -eps_model(x, x.new_full((x.shape[0],), t)) / std
        beta = sde.beta(t)
        drift = -0.5 * beta * x - beta * score
        x_mean = x + drift * dt
        x = x_mean + math.sqrt(beta * -dt) * torch.empty_like(x).normal_()
    return x_mean


def _subvp(network, x, steps, draws):
    sde = _VPSDE()
    ts = torch.linspace(1.0, 1e-3, steps + 1, dtype=torch.float64).tolist()
    for t, s in zip(ts, ts[1:]):
        b = sde.integral(t)
        level = noise_level(math.exp(-0.5 * b), -math.expm1(-b))
        score = network("score", x, level)
        g2 = sde.beta(t) * -math.expm1(-2 * b)
        x = x + (0.5 * sde.beta(t) * x + g2 * score) * (t - s) + math.sqrt(g2 * (t - s)) * torch.randn_like(x)
    return x


r25_subvp = Sampler("sub-VP Euler-Maruyama", "1.0", _subvp, prior=lambda steps: 1.0, order=1, noise=1)


# ---------------------------------------------------------------- DDIM with noise


class r26_AncestralDDIMScheduler:
    """DDIM with eta = 1 on 1000 linear betas, of diffusers' form; the network predicts the noise."""

    order = 1
    init_noise_sigma = 1.0

    def __init__(self, num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, eta=1.0, prediction_type="epsilon"):
        self.config = SimpleNamespace(
            num_train_timesteps=num_train_timesteps,
            beta_start=beta_start,
            beta_end=beta_end,
            beta_schedule="linear",
            eta=eta,
            prediction_type=prediction_type,
        )
        self.eta = eta
        self.betas = torch.linspace(beta_start, beta_end, num_train_timesteps, dtype=torch.float64)
        self.alphas_cumprod = torch.cumprod(1 - self.betas, 0)
        self.timesteps = torch.arange(num_train_timesteps - 1, -1, -1)

    def scale_model_input(self, sample, timestep=None):
        return sample

    def set_timesteps(self, num_inference_steps, device=None):
        self.num_inference_steps = num_inference_steps
        last = self.config.num_train_timesteps - 1
        self.timesteps = (
            torch.linspace(last, 0, num_inference_steps, dtype=torch.float64).round().long().to(device or "cpu")
        )

    def add_noise(self, original, noise, timesteps):
        a = self.alphas_cumprod[timesteps].to(original.dtype).reshape(-1, *[1] * (original.ndim - 1))
        return a.sqrt() * original + (1 - a).sqrt() * noise

    def step(self, model_output, timestep, sample, generator=None, return_dict=True):
        i = int((self.timesteps == int(timestep)).nonzero()[0])
        a_t = float(self.alphas_cumprod[int(timestep)])
        last = i + 1 == len(self.timesteps)
        a_s = 1.0 if last else float(self.alphas_cumprod[int(self.timesteps[i + 1])])
        x0 = (sample - math.sqrt(1 - a_t) * model_output) / math.sqrt(a_t)
        std = self.eta * math.sqrt((1 - a_s) / (1 - a_t) * (1 - a_t / a_s))
        prev = math.sqrt(a_s) * x0 + math.sqrt(max(1 - a_s - std**2, 0.0)) * model_output
        if std > 0:
            prev = prev + std * torch.randn(sample.shape, generator=generator, dtype=sample.dtype, device=sample.device)
        return SimpleNamespace(prev_sample=prev, pred_original_sample=x0) if return_dict else (prev,)


def _logsnr_levels(steps, low=-4.6, high=9.2):
    """alpha, sigma of a variance-preserving process at even log-SNR, then the data."""
    lam = torch.linspace(low, high, steps, dtype=torch.float64)
    a, s = lam.sigmoid().sqrt(), (-lam).sigmoid().sqrt()
    return list(zip(a.tolist(), s.tolist())) + [(1.0, 0.0)]


def _ddim_half(network, x, steps, draws):
    generators = [torch.Generator().manual_seed(1234 + j) for j in range(len(x))]
    levels = _logsnr_levels(steps)
    eta = 0.5
    for (a, s), (a_next, s_next) in zip(levels, levels[1:]):
        eps = network("eps", x, noise_level(a, s))
        x0 = (x - s * eps) / a
        std = eta * s_next / s * math.sqrt(1 - (a / a_next) ** 2)
        x = a_next * x0 + math.sqrt(s_next**2 - std**2) * eps
        if std > 0:
            x = x + std * torch.stack([torch.randn(x.shape[1:], generator=g, dtype=x.dtype) for g in generators])
    return x


r27_ddim_eta_half = Sampler(
    "DDIM, eta 0.5, a generator a sample", "1.0", _ddim_half, prior=lambda steps: 1.0, order=1, noise=0.5
)


# ---------------------------------------------------------------- exponential integrators of the reverse SDE


@torch.no_grad()
def r28_dpmpp_2m_sde(model, x, sigmas, extra_args=None, eta=1.0, s_noise=1.0, solver_type="midpoint"):
    """SDE-DPM-Solver++(2M)."""
    extra_args = extra_args or {}
    s_in = x.new_ones([x.shape[0]])
    old, h_last = None, None
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * s_in, **extra_args)
        if sigmas[i + 1] == 0:
            x = denoised
        else:
            h = sigmas[i].log() - sigmas[i + 1].log()
            eta_h = eta * h
            x = sigmas[i + 1] / sigmas[i] * (-eta_h).exp() * x + (-h - eta_h).expm1().neg() * denoised
            if old is not None:
                r = h_last / h
                if solver_type == "heun":
                    x = x + ((-h - eta_h).expm1().neg() / (-h - eta_h) + 1) * (1 / r) * (denoised - old)
                else:
                    x = x + 0.5 * (-h - eta_h).expm1().neg() * (1 / r) * (denoised - old)
            if eta:
                x = x + torch.randn_like(x) * sigmas[i + 1] * (-2 * eta_h).expm1().neg().sqrt() * s_noise
            h_last = h
        old = denoised
    return x


def _sa_solver(network, x, steps, draws, tau=1.0):
    """SA-Solver: predictor of 2 steps, corrector of 2 points, data prediction, one call a step."""
    levels = _logsnr_levels(steps)
    lam = [math.log(a / s) for a, s in levels[:-1]]
    c = 1 + tau**2
    hist = [network("x0", x, noise_level(*levels[0]))]
    for i in range(1, steps):
        (a_s, s_s), (a_t, s_t) = levels[i - 1], levels[i]
        h = lam[i] - lam[i - 1]
        m0 = -math.expm1(-c * h)
        m1 = h - m0 / c
        noise = s_t * math.sqrt(-math.expm1(-2 * tau**2 * h)) * torch.randn_like(x)
        base = s_t / s_s * math.exp(-(tau**2) * h) * x + a_t * m0 * hist[-1] + noise
        pred = base
        if len(hist) > 1:
            pred = base + a_t * m1 * (hist[-1] - hist[-2]) / (lam[i - 1] - lam[i - 2])
        new = network("x0", pred, noise_level(a_t, s_t))
        x = base + a_t * m1 * (new - hist[-1]) / h
        hist = [hist[-1], new]
    return hist[-1]


r29_sa_solver = Sampler("SA-Solver, P2C2", "1.0", _sa_solver, prior=lambda steps: 1.0, order=2, noise=1)


# ---------------------------------------------------------------- churn


def r30_edm_stochastic(
    net,
    latents,
    class_labels=None,
    randn_like=torch.randn_like,
    num_steps=18,
    sigma_min=0.002,
    sigma_max=80,
    rho=7,
    S_churn=8,
    S_min=0,
    S_max=float("inf"),
    S_noise=1,
):
    """Karras et al. 2022, algorithm 2, gamma without a cap."""
    i = torch.arange(num_steps, dtype=torch.float64, device=latents.device)
    t_steps = (sigma_max ** (1 / rho) + i / (num_steps - 1) * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho
    t_steps = torch.cat([t_steps, torch.zeros_like(t_steps[:1])])
    x_next = latents * t_steps[0]
    for i, (t_cur, t_next) in enumerate(zip(t_steps[:-1], t_steps[1:])):
        x_cur = x_next
        gamma = S_churn / num_steps if S_min <= t_cur <= S_max else 0
        t_hat = t_cur + gamma * t_cur
        x_hat = x_cur + (t_hat**2 - t_cur**2).sqrt() * S_noise * randn_like(x_cur)
        d_cur = (x_hat - net(x_hat, t_hat)) / t_hat
        x_next = x_hat + (t_next - t_hat) * d_cur
        if i < num_steps - 1:
            d_prime = (x_next - net(x_next, t_next)) / t_next
            x_next = x_hat + (t_next - t_hat) * (0.5 * d_cur + 0.5 * d_prime)
    return x_next


@torch.no_grad()
def r31_er_sde_2(model, x, sigmas, s_noise=1.0, points=200):
    """Extended reverse-time SDE solver (Cui et al. 2023), VE, order 2, phi = sigma (exp(sigma^0.3) + 10)."""

    def phi(s):
        return s * (torch.exp(s**0.3) + 10)

    s_in = x.new_ones([x.shape[0]])
    old = None
    for i in range(len(sigmas) - 1):
        s, t = sigmas[i].double(), sigmas[i + 1].double()
        denoised = model(x, sigmas[i] * s_in)
        if t == 0:
            return denoised
        r = phi(t) / phi(s)
        x_new = r * x + (1 - r) * denoised
        if old is not None:
            d = (denoised - old) / (s - sigmas[i - 1].double())
            mid = t + (s - t) * (torch.arange(points, dtype=torch.float64) + 0.5) / points
            integral = ((s - t) / points / phi(mid)).sum()
            x_new = x_new + (t - s + phi(t) * integral) * d
        x = x_new + torch.randn_like(x) * s_noise * (t**2 - s**2 * r**2).clamp(min=0).sqrt()
        old = denoised
    return x


@torch.no_grad()
def r32_seeds_2(model, x, sigmas, eta=1.0, s_noise=1.0, r=0.5):
    """SEEDS-2 (Gonzalez et al. 2023) on sigmas: two stages, the noise of the first is part of that of the step."""
    sig = [float(s) for s in sigmas]
    for s, t in zip(sig, sig[1:]):
        den = model(x, x.new_full((x.shape[0],), s))
        if t == 0:
            x = den
            continue
        h = math.log(s / t)
        c = (1 + eta) * h
        mid = s * math.exp(-r * h)
        z1, z2 = torch.randn_like(x), torch.randn_like(x)
        n1 = math.sqrt(-math.expm1(-2 * eta * r * h))
        y = mid / s * math.exp(-eta * r * h) * x - math.expm1(-r * c) * den + s_noise * mid * n1 * z1
        den2 = model(y, x.new_full((x.shape[0],), mid))
        w = 1 / (2 * r)
        first = math.exp(-eta * (1 - r) * h) * n1
        second = math.sqrt(-math.expm1(-2 * eta * (1 - r) * h))
        x = t / s * math.exp(-eta * h) * x - math.expm1(-c) * ((1 - w) * den + w * den2)
        x = x + s_noise * t * (first * z1 + second * z2)
    return x


@torch.no_grad()
def r33_pc_langevin(model, x, sigmas):
    """Predictor: a step of the flow. Corrector: a Langevin step of size sigma^2 log(ratio of the levels)."""
    for i in range(len(sigmas) - 1):
        cur, nxt = float(sigmas[i]), float(sigmas[i + 1])
        ones = torch.ones(x.shape[0], dtype=x.dtype, device=x.device)
        x = x + (nxt - cur) * (x - model(x, cur * ones)) / cur
        if nxt > 0:
            step = nxt**2 * math.log(cur / nxt)
            grad = (model(x, nxt * ones) - x) / nxt**2
            x = x + step * grad + math.sqrt(2 * step) * torch.randn_like(x)
    return x


@torch.no_grad()
def r34_restart(
    net, latents, num_steps=18, sigma_min=0.002, sigma_max=80.0, rho=7, restart_min=0.3, restart_max=2.0, K=2
):
    """Restart (Xu et al. 2023): Heun's method; between two of its levels noise is added and removed K times."""
    ramp = torch.linspace(0, 1, num_steps, dtype=torch.float64)
    levels = (sigma_max ** (1 / rho) + ramp * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho
    low = int((levels - restart_min).abs().argmin())
    high = int((levels - restart_max).abs().argmin())
    levels = levels.tolist() + [0.0]

    def heun(x, a, b):
        d = (x - net(x, torch.tensor(a, dtype=x.dtype))) / a
        y = x + (b - a) * d
        if b == 0:
            return y
        return x + (b - a) * 0.5 * (d + (y - net(y, torch.tensor(b, dtype=x.dtype))) / b)

    x = latents * levels[0]
    for i in range(num_steps):
        x = heun(x, levels[i], levels[i + 1])
        if i + 1 == low and high < low:
            for _ in range(K):
                x = x + math.sqrt(levels[high] ** 2 - levels[low] ** 2) * torch.randn_like(x)
                for j in range(high, low):
                    x = heun(x, levels[j], levels[j + 1])
    return x


def _dpmpp_sde(network, x, steps, draws, r=0.5):
    """DPM-Solver++ (SDE), two stages, noise from one Brownian path in sigma."""
    sigmas = torch.cat(
        [torch.logspace(1, -2, steps, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)]
    ).tolist()
    for a, b in zip(sigmas, sigmas[1:]):
        den = network("x0", x, noise_level(1.0, a))
        if b == 0:
            return den
        mid = a ** (1 - r) * b**r
        down, up = _ancestral_step(a, mid)
        y = down / a * x + (1 - down / a) * den + up * draws.increment(a, mid, x.shape)
        den2 = network("x0", y, noise_level(1.0, mid))
        w = 1 / (2 * r)
        down, up = _ancestral_step(a, b)
        x = down / a * x + (1 - down / a) * ((1 - w) * den + w * den2) + up * draws.increment(a, b, x.shape)
    return x


r35_dpmpp_sde = Sampler("DPM-Solver++ SDE", "1.0", _dpmpp_sde, prior=lambda steps: 10.0, order=2, noise=1)


# ---------------------------------------------------------------- flow matching


def _flow_sde(network, x, steps, draws, a=0.7):
    """Flow-GRPO's SDE: noise a sqrt(t / (1 - t)), all of it drawn before the first step."""
    ts = torch.linspace(0.99, 0, steps + 1, dtype=torch.float64).tolist()
    noise = torch.randn(steps, *x.shape, dtype=x.dtype)
    for i, (t, s) in enumerate(zip(ts, ts[1:])):
        v = network("flow", x, noise_level(1 - t, t))
        std = a * math.sqrt(t / (1 - t))
        dt = s - t
        x = (
            x * (1 + std**2 / (2 * t) * dt)
            + v * (1 + std**2 * (1 - t) / (2 * t)) * dt
            + std * math.sqrt(-dt) * noise[i]
        )
    return x


r36_flow_grpo_sde = Sampler(
    "SDE of rectified flow", "1.0", _flow_sde, prior=lambda steps: 1.0, order=1, noise=0.7 / math.sqrt(2)
)


@torch.no_grad()
def r37_sit_sde_heun(model, x, num_steps=250):
    """SiT's SDE with diffusion sigma_t = 1 - t on a linear path that rises to the data; noise before Heun's drift."""
    dt = 1.0 / num_steps

    def drift(x, t):
        v = model(x, torch.full((x.shape[0],), t, dtype=x.dtype))
        score = (t * v - x) / (1 - t)
        return v + 0.5 * (1 - t) * score

    for i in range(num_steps - 1):
        t = i * dt
        x_hat = x + math.sqrt((1 - t) * dt) * torch.randn(x.size(), dtype=x.dtype)
        k1 = drift(x_hat, t)
        k2 = drift(x_hat + dt * k1, t + dt)
        x = x_hat + 0.5 * dt * (k1 + k2)
    return x + dt * drift(x, 1 - dt)


@torch.no_grad()
def r38_flow_heun_shifted(transformer, latents, num_inference_steps=28, shift=3.0):
    """Heun's method on rectified flow with shifted times; the network is told 1000 t."""
    s = torch.linspace(1, 0, num_inference_steps + 1, dtype=torch.float64)
    s = shift * s / (1 + (shift - 1) * s)
    for a, b in zip(s[:-1].tolist(), s[1:].tolist()):
        v = transformer(latents, torch.full((latents.shape[0],), 1000 * a, dtype=latents.dtype))
        y = latents + (b - a) * v
        v2 = transformer(y, torch.full((latents.shape[0],), 1000 * b, dtype=latents.dtype))
        latents = latents + (b - a) * (v + v2) / 2
    return latents


@torch.no_grad()
def r39_flow_ab2_rising(velocity, x, num_steps=50):
    """Adams-Bashforth of order 2 from noise at t = 0 to data at t = 1."""
    h = 1 / num_steps
    prev = None
    for k in range(num_steps):
        v = velocity(x, torch.full((len(x),), k * h, dtype=x.dtype))
        x = x + h * (v if prev is None else 1.5 * v - 0.5 * prev)
        prev = v
    return x


@torch.no_grad()
def r40_trig_rk4(model, x, steps=20):
    """Runge-Kutta 4 on the trigonometric path, dx/dt = pi/2 v, from t = 1 to 0."""

    def f(x, t):
        return 0.5 * math.pi * model(x, x.new_full((x.shape[0],), t))

    h = -1.0 / steps
    for i in range(steps):
        t = 1.0 + i * h
        k1 = f(x, t)
        k2 = f(x + 0.5 * h * k1, t + 0.5 * h)
        k3 = f(x + 0.5 * h * k2, t + 0.5 * h)
        k4 = f(x + h * k3, max(t + h, 0.0))
        x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x
