"""Stochastic and flow-matching samplers with one defect each: 30 wrong samplers of the blind trial.

Written without knowledge of the kit, and frozen before the kit saw it; see survey/blind.toml.
"""

import math
from types import SimpleNamespace

import torch

from samplercheck import Sampler, noise_level


@torch.no_grad()
def w31_ddpm_x0(model, x, betas):
    """DDPM by way of x0, posterior variance."""
    betas = torch.as_tensor(betas, dtype=torch.float64)
    alphas_cumprod = torch.cumprod(1 - betas, dim=0)
    alphas_cumprod_prev = torch.nn.functional.pad(alphas_cumprod[:-1], (1, 0), value=1.0)
    posterior_variance = betas * (1 - alphas_cumprod_prev) / (1 - alphas_cumprod)
    coef1 = betas * alphas_cumprod_prev.sqrt() / (1 - alphas_cumprod)
    coef2 = (1 - alphas_cumprod_prev) * (1 - betas).sqrt() / (1 - alphas_cumprod)
    for t in range(len(betas) - 1, -1, -1):
        eps = model(x, torch.full((x.shape[0],), t, dtype=torch.long))
        x0 = (x - (1 - alphas_cumprod[t]).sqrt() * eps) / alphas_cumprod[t].sqrt()
        x = coef1[t] * x0 + coef2[t] * x
        if t > 0:
            x = x + posterior_variance[t] * torch.randn_like(x)
    return x


@torch.no_grad()
def w32_ve_sde(score_model, latents, num_steps=1000, sigma_min=0.01, sigma_max=50.0):
    """Euler-Maruyama on the variance-exploding SDE."""
    x = latents * sigma_max
    dt = 1.0 / num_steps
    ratio = sigma_max / sigma_min
    for i in range(num_steps):
        sigma = sigma_min * ratio ** (1 - i * dt)
        diffusion = sigma * math.sqrt(2 * math.log(ratio))
        x_mean = x + diffusion**2 * score_model(x, x.new_full((len(x),), sigma)) * dt
        x = x_mean + diffusion * dt * torch.randn_like(x)
    return x_mean


@torch.no_grad()
def w33_reverse_diffusion(score_model, latents, num_steps=200, sigma_min=0.12, sigma_max=10.0):
    """Reverse diffusion of Song et al. 2021 on geometric levels, then to 0."""
    sigmas = torch.logspace(math.log10(sigma_max), math.log10(sigma_min), num_steps, dtype=torch.float64).tolist() + [
        0.0
    ]
    x = latents * sigma_max
    for sigma, sigma_next in zip(sigmas, sigmas[1:]):
        g2 = sigma**2 - sigma_next**2
        x_mean = x + g2 * score_model(x, torch.full((x.shape[0],), sigma, dtype=x.dtype))
        x = x_mean + math.sqrt(g2) * torch.randn_like(x)
    return x


class w34_SpacedDDPMScheduler:
    """DDPM on a part of 1000 linear betas, of diffusers' form; the network predicts the noise."""

    order = 1
    init_noise_sigma = 1.0

    def __init__(self, num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, prediction_type="epsilon"):
        self.config = SimpleNamespace(
            num_train_timesteps=num_train_timesteps,
            beta_start=beta_start,
            beta_end=beta_end,
            beta_schedule="linear",
            prediction_type=prediction_type,
        )
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

    def step(self, model_output, timestep, sample, generator=None, return_dict=True):
        t = int(timestep)
        i = self.timesteps.tolist().index(t)
        prev_t = int(self.timesteps[i + 1]) if i + 1 < len(self.timesteps) else -1
        acp = float(self.alphas_cumprod[t])
        acp_prev = float(self.alphas_cumprod[prev_t]) if prev_t >= 0 else 1.0
        alpha = acp / acp_prev
        x0 = (sample - math.sqrt(1 - acp) * model_output) / math.sqrt(acp)
        prev = (
            math.sqrt(acp_prev) * (1 - alpha) / (1 - acp) * x0 + math.sqrt(alpha) * (1 - acp_prev) / (1 - acp) * sample
        )
        if prev_t >= 0:
            variance = float(self.betas[t]) * (1 - acp_prev) / (1 - acp)
            noise = torch.randn(sample.shape, generator=generator, dtype=sample.dtype, device=sample.device)
            prev = prev + math.sqrt(variance) * noise
        return SimpleNamespace(prev_sample=prev, pred_original_sample=x0) if return_dict else (prev,)


@torch.no_grad()
def w35_ancestral_betas(denoise_fn, x_T, betas):
    betas = torch.as_tensor(betas, dtype=torch.float64)
    a = 1.0 - betas
    abar = a.cumprod(0)
    x = x_T
    n = x.shape[0]
    for k in reversed(range(betas.numel())):
        prev = abar[k - 1] if k else torch.ones((), dtype=torch.float64)
        e = denoise_fn(x, torch.tensor([k] * n))
        x_start = x / abar[k].sqrt() - (1 / abar[k] - 1).sqrt() * e
        mean = prev.sqrt() * betas[k] / (1 - abar[k]) * x_start + a[k] * (1 - prev) / (1 - abar[k]) * x
        std = (betas[k] * (1 - prev) / (1 - abar[k])).sqrt()
        x = mean + (std * torch.empty_like(x).normal_() if k else 0)
    return x


@torch.no_grad()
def w36_vp_reverse_sde(eps_model, x, num_steps=500, beta_min=0.1, beta_max=20.0, eps=1e-3):
    ts = torch.linspace(1, eps, num_steps + 1, dtype=torch.float64).tolist()
    for i in range(num_steps):
        t, dt = ts[i], ts[i] - ts[i + 1]
        beta = beta_min + t * (beta_max - beta_min)
        std = math.sqrt(-math.expm1(-(beta_min * t + 0.5 * (beta_max - beta_min) * t * t)))
        score = -eps_model(x, torch.full((x.size(0),), t, dtype=x.dtype)) / std
        x = x + (0.5 * beta * x + 0.5 * beta * score) * dt
        if i < num_steps - 1:
            x = x + math.sqrt(beta * dt) * torch.randn_like(x)
    return x


def _flow_sde(network, x, steps, draws, level=0.7):
    ts = torch.linspace(0.99, 0, steps + 1, dtype=torch.float64).tolist()
    for t, s in zip(ts, ts[1:]):
        v = network("flow", x, noise_level(1 - t, t))
        g = level * math.sqrt(t / (1 - t))
        score = -(x + (1 - t) * v) / t
        x = x + (v - g**2 * score) * (s - t)
        if s > 0:
            x = x + g * math.sqrt(t - s) * torch.randn(x.shape, dtype=x.dtype)
    return x


w37_flow_sde = Sampler(
    "stochastic rectified flow", "1.0", _flow_sde, prior=lambda steps: 1.0, order=1, noise=0.7 / math.sqrt(2)
)


@torch.no_grad()
def w38_euler_ancestral(model, x, sigmas, extra_args=None, eta=1.0, s_noise=1.0):
    extra_args = extra_args or {}
    s_in = x.new_ones([x.shape[0]])
    noise = torch.randn_like(x)
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * s_in, **extra_args)
        up = eta * sigmas[i + 1] * (1 - sigmas[i + 1] ** 2 / sigmas[i] ** 2).sqrt()
        down = (sigmas[i + 1] ** 2 - up**2).sqrt()
        x = denoised + down / sigmas[i] * (x - denoised)
        if sigmas[i + 1] > 0:
            x = x + noise * s_noise * up
    return x


@torch.no_grad()
def w39_seeds_2(model, x, sigmas, s_noise=1.0, r=0.5):
    """SEEDS-2 on sigmas."""
    for i in range(len(sigmas) - 1):
        s, t = float(sigmas[i]), float(sigmas[i + 1])
        d1 = model(x, x.new_full((x.shape[0],), s))
        if t == 0:
            return d1
        h = math.log(s) - math.log(t)
        mid = s * math.exp(-r * h)
        z = torch.randn_like(x)
        z2 = torch.randn_like(x)
        part = math.sqrt(-math.expm1(-2 * r * h))
        y = mid / s * math.exp(-r * h) * x - math.expm1(-2 * r * h) * d1 + mid * part * z * s_noise
        d2 = model(y, x.new_full((x.shape[0],), mid))
        d = (1 - 1 / (2 * r)) * d1 + 1 / (2 * r) * d2
        rest = math.sqrt(-math.expm1(-2 * (1 - r) * h))
        x = (
            t / s * math.exp(-h) * x
            - math.expm1(-2 * h) * d
            + t * (math.exp(-(1 - r) * h) * part * z + rest * z) * s_noise
        )
    return x


@torch.no_grad()
def w40_seeded_ancestral(net, latents, num_steps=40, sigma_min=0.01, sigma_max=10.0, rho=5, seed=0):
    """Ancestral sampling on EDM's levels, reproducible by seed."""
    u = torch.arange(num_steps, dtype=torch.float64) / (num_steps - 1)
    sigmas = ((sigma_max ** (1 / rho) + u * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho).tolist() + [0.0]
    generator = torch.Generator(device=latents.device).manual_seed(seed)
    x = latents * sigmas[0]
    for cur, nxt in zip(sigmas[:-1], sigmas[1:]):
        x0 = net(x, torch.full((x.shape[0],), cur, dtype=x.dtype))
        q = (nxt / cur) ** 2
        x = q * x + (1 - q) * x0
        if nxt > 0:
            generator = torch.Generator(device=latents.device).manual_seed(seed)
            x = x + nxt * math.sqrt(1 - q) * torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return x


def _sa_predictor(network, x, steps, draws, tau=1.0):
    """SA-Solver, predictor of 2 steps in data prediction, variance-preserving, levels even in log-SNR."""
    lam = torch.linspace(-2.3, 4.6, steps, dtype=torch.float64)
    alpha, sigma = torch.sigmoid(2 * lam).sqrt().tolist(), torch.sigmoid(-2 * lam).sqrt().tolist()
    lam = lam.tolist()
    c = 1 + tau**2
    x0_last = None
    for i in range(steps):
        told = max(i - 1, 0)
        x0 = network("x0", x, noise_level(alpha[told], sigma[told]))
        if i == steps - 1:
            return x0
        h = lam[i + 1] - lam[i]
        weight = -math.expm1(-c * h)
        drift = weight * x0
        if x0_last is not None:
            drift = drift + (h - weight / c) * (x0 - x0_last) / (lam[i] - lam[i - 1])
        x = sigma[i + 1] / sigma[i] * math.exp(-(tau**2) * h) * x + alpha[i + 1] * drift
        x = x + sigma[i + 1] * math.sqrt(-math.expm1(-2 * tau**2 * h)) * torch.randn_like(x)
        x0_last = x0


w41_sa_predictor = Sampler("SA-Solver, predictor 2", "1.0", _sa_predictor, prior=lambda steps: 1.0, order=2, noise=1)


def _ddim_eta(network, x, steps, draws, eta=0.5):
    logsnr = torch.linspace(-4.6, 9.2, steps, dtype=torch.float64)
    alphas = torch.cat([logsnr.sigmoid().sqrt(), torch.ones(1, dtype=torch.float64)]).tolist()
    sigmas = torch.cat([(-logsnr).sigmoid().sqrt(), torch.zeros(1, dtype=torch.float64)]).tolist()
    for i in range(steps):
        e = network("eps", x, noise_level(alphas[i], sigmas[i]))
        x0 = (x - sigmas[i] * e) / alphas[i]
        std = eta * (sigmas[i + 1] / sigmas[i]) * math.sqrt(1 - alphas[i] ** 2 / alphas[i + 1] ** 2)
        x = alphas[i + 1] * x0 + math.sqrt(sigmas[i + 1] ** 2 - std**2) * e
        if i + 1 < steps:
            x = x + eta * std * torch.randn_like(x)
    return x


w42_ddim_eta_half = Sampler("DDIM, eta 0.5", "1.0", _ddim_eta, prior=lambda steps: 1.0, order=1, noise=0.5)


@torch.no_grad()
def w43_edm_churn(
    net, latents, randn_like=torch.randn_like, num_steps=18, sigma_min=0.002, sigma_max=80, rho=7, S_churn=8, S_noise=1
):
    steps = torch.arange(num_steps, dtype=torch.float64)
    t = (sigma_max ** (1 / rho) + steps / (num_steps - 1) * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho
    t = torch.cat([t, torch.zeros_like(t[:1])])
    x = latents * t[0]
    for i in range(num_steps):
        gamma = S_churn / num_steps
        t_hat = t[i] * (1 + gamma)
        x_hat = x + (t_hat**2 - t[i] ** 2).sqrt() * S_noise * randn_like(x)
        denoised = net(x_hat, t[i])
        d = (x_hat - denoised) / t_hat
        x = x_hat + (t[i + 1] - t_hat) * d
        if i < num_steps - 1:
            d2 = (x - net(x, t[i + 1])) / t[i + 1]
            x = x_hat + (t[i + 1] - t_hat) * (d + d2) / 2
    return x


@torch.no_grad()
def w44_heun_churn(model, x, sigmas, s_churn=6.0, s_noise=1.0):
    s_in = x.new_ones([x.shape[0]])
    for i in range(len(sigmas) - 1):
        gamma = s_churn / (len(sigmas) - 1)
        sigma_hat = sigmas[i] * (gamma + 1)
        x = x + torch.randn_like(x) * s_noise * sigmas[i] * math.sqrt(gamma**2 + gamma)
        d = (x - model(x, sigma_hat * s_in)) / sigma_hat
        dt = sigmas[i + 1] - sigma_hat
        if sigmas[i + 1] == 0:
            x = x + d * dt
        else:
            x_2 = x + d * dt
            d_2 = (x_2 - model(x_2, sigmas[i + 1] * s_in)) / sigmas[i + 1]
            x = x + (d + d_2) / 2 * dt
    return x


class w45_FlowShiftScheduler:
    """Euler's method on rectified flow with shifted noise levels, of diffusers' form."""

    order = 1
    init_noise_sigma = 1.0

    def __init__(self, num_train_timesteps=1000, shift=3.0):
        self.config = SimpleNamespace(
            num_train_timesteps=num_train_timesteps, shift=shift, prediction_type="flow_prediction"
        )
        self.set_timesteps(num_train_timesteps)

    def scale_model_input(self, sample, timestep=None):
        return sample

    def set_timesteps(self, num_inference_steps, device=None):
        sigmas = torch.linspace(1, 0, num_inference_steps + 1, dtype=torch.float64)
        shift = self.config.shift
        self.num_inference_steps = num_inference_steps
        shifted = shift * sigmas / (1 + (shift - 1) * sigmas)
        self.timesteps = sigmas[:-1] * self.config.num_train_timesteps
        self.sigmas = shifted
        self._step_index = 0

    def step(self, model_output, timestep, sample, generator=None, return_dict=True):
        dt = float(self.sigmas[self._step_index + 1] - self.sigmas[self._step_index])
        self._step_index += 1
        prev = sample + dt * model_output
        return SimpleNamespace(prev_sample=prev) if return_dict else (prev,)


@torch.no_grad()
def w46_flow_midpoint_shift(transformer, latents, num_inference_steps=30, shift=3.0):
    def warp(t):
        return shift * t / (1 + (shift - 1) * t)

    def velocity(x, t):
        return transformer(x, torch.full((x.shape[0],), warp(t), dtype=x.dtype))

    ts = [warp(1 - i / num_inference_steps) for i in range(num_inference_steps + 1)]
    x = latents
    for a, b in zip(ts[:-1], ts[1:]):
        m = (a + b) / 2
        x_mid = x + (m - a) * velocity(x, a)
        x = x + (b - a) * velocity(x_mid, m)
    return x


@torch.no_grad()
def w47_flow_heun(model, x, steps=25):
    """Heun's method from noise (t = 1) to data (t = 0); the last step is Euler's."""
    dt = 1.0 / steps
    for i in range(steps):
        t = 1.0 - i * dt
        v = model(x, torch.full((x.shape[0],), t, dtype=x.dtype))
        if i == steps - 1:
            x = x + dt * v
        else:
            v2 = model(x - dt * v, torch.full((x.shape[0],), t - dt, dtype=x.dtype))
            x = x - dt * 0.5 * (v + v2)
    return x


@torch.no_grad()
def w48_flow_rk4(velocity, x, num_steps=20):
    """Runge-Kutta 4 from noise at t = 0 to data at t = 1."""
    grid = torch.linspace(0, 1, num_steps + 1, dtype=torch.float64).tolist()

    def f(y, t):
        return velocity(y, torch.full((len(y),), t, dtype=y.dtype))

    for i in range(len(grid) - 2):
        t, h = grid[i], grid[i + 1] - grid[i]
        k1 = f(x, t)
        k2 = f(x + h * k1 / 2, t + h / 2)
        k3 = f(x + h * k2 / 2, t + h / 2)
        k4 = f(x + h * k3, t + h)
        x = x + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
    return x


@torch.no_grad()
def w49_flow_ab2(model, x, n_steps=40):
    """Adams-Bashforth of order 2 from t = 1 to 0."""
    ts = torch.linspace(1, 0, n_steps + 1, dtype=torch.float64).tolist()
    last = None
    for t, s in zip(ts, ts[1:]):
        v = model(x, x.new_full((x.shape[0],), t))
        slope = v if last is None else 2 * v - last
        x = x + (s - t) * slope
        last = v
    return x


@torch.no_grad()
def w50_flow_ralston(velocity_model, x, num_steps=30):
    """Ralston's second-order method on rectified flow, noise at t = 0."""
    h = 1.0 / num_steps
    for k in range(num_steps):
        t = k * h
        k1 = velocity_model(x, torch.full((x.shape[0],), t, dtype=x.dtype))
        k2 = velocity_model(x + 2 / 3 * h * k1, torch.full((x.shape[0],), t + 2 / 3 * h, dtype=x.dtype))
        x = x + h * (k1 / 3 + 2 * k2 / 3)
    return x


@torch.no_grad()
def w51_trig_rk4(model, x, steps=20):
    """Runge-Kutta 4 on the trigonometric path with v prediction."""
    ts = torch.linspace(1, 0, steps + 1, dtype=torch.float64).tolist()

    def f(y, t):
        return math.pi / 2 * model(y, y.new_full((y.shape[0],), t))

    for t, s in zip(ts[:-1], ts[1:]):
        h, mid = s - t, (s + t) / 2
        k1 = f(x, t)
        k2 = f(x + h / 2 * k1, mid)
        k3 = f(x + h / 2 * k2, mid)
        k4 = f(x + h * k3, mid)
        x = x + h * (k1 / 6 + k2 / 3 + k3 / 3 + k4 / 6)
    return x


@torch.no_grad()
def w52_dpmpp_2m_sde(model, x, sigmas, eta=1.0, s_noise=1.0):
    s_in = x.new_ones([x.shape[0]])
    old_denoised, h_last = None, None
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * s_in)
        if sigmas[i + 1] == 0:
            return denoised
        t, s = -sigmas[i].log(), -sigmas[i + 1].log()
        h = s - t
        eta_h = eta * h
        x = sigmas[i + 1] / sigmas[i] * (-eta_h).exp() * x + (-h - eta_h).expm1().neg() * denoised
        if old_denoised is not None:
            r = h_last / h
            x = x + 0.5 * (-h).expm1().neg() / r * (denoised - old_denoised)
        x = x + torch.randn_like(x) * sigmas[i + 1] * (-2 * eta_h).expm1().neg().sqrt() * s_noise
        old_denoised, h_last = denoised, h
    return x


def _sde_dpm_1(network, x, steps, draws):
    """SDE-DPM-Solver++(1) on a variance-preserving process, levels even in log-SNR."""
    half_logsnr = torch.linspace(-2.3, 4.6, steps, dtype=torch.float64)
    for i in range(steps):
        lam = float(half_logsnr[i])
        alpha, sigma = torch.sigmoid(2 * half_logsnr[i]).sqrt().item(), torch.sigmoid(-2 * half_logsnr[i]).sqrt().item()
        x0 = network("x0", x, noise_level(alpha, sigma))
        if i + 1 == steps:
            return x0
        alpha_t, sigma_t = (
            torch.sigmoid(2 * half_logsnr[i + 1]).sqrt().item(),
            torch.sigmoid(-2 * half_logsnr[i + 1]).sqrt().item(),
        )
        h = 0.5 * (float(half_logsnr[i + 1]) - lam)
        x = sigma_t / sigma * math.exp(-h) * x - alpha_t * math.expm1(-2 * h) * x0
        x = x + sigma_t * math.sqrt(-math.expm1(-2 * h)) * torch.randn_like(x)


w53_sde_dpm_1 = Sampler("SDE-DPM-Solver++(1), VP", "1.0", _sde_dpm_1, prior=lambda steps: 1.0, order=1, noise=1)


@torch.no_grad()
def w54_euler_ancestral_rf(model, x, timesteps, eta=1.0, s_noise=1.0):
    """Euler ancestral for rectified flow; the network returns the velocity."""
    for i in range(len(timesteps) - 1):
        sigma, sigma_next = float(timesteps[i]), float(timesteps[i + 1])
        v = model(x, torch.full((x.shape[0],), sigma, dtype=x.dtype))
        sigma_down = sigma_next * (1 + (sigma_next / sigma - 1) * eta)
        x = x + v * (sigma_down - sigma)
        if sigma_next > 0 and eta > 0:
            ratio = (1 - sigma_next) / (1 - sigma_down)
            renoise = (sigma_next**2 - sigma_down**2) ** 0.5
            x = ratio * x + torch.randn_like(x) * s_noise * renoise
    return x


@torch.no_grad()
def w55_trig_ancestral(model, x, steps=50):
    """Ancestral sampling on the trigonometric path with v prediction."""
    ts = torch.linspace(1, 0, steps + 1, dtype=torch.float64).tolist()
    for t, s in zip(ts, ts[1:]):
        v = model(x, x.new_full((x.shape[0],), t))
        a_t, b_t = math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)
        a_s, b_s = math.cos(math.pi * s / 2), math.sin(math.pi * s / 2)
        x0 = a_t * x - b_t * v
        a_ts = a_t / a_s
        var_ts = b_t**2 - a_ts**2 * b_s**2
        x = a_s * var_ts / b_t**2 * x0 + (b_s / b_t) ** 2 * x
        if s > 0:
            x = x + math.sqrt(var_ts) * b_s / b_t * torch.randn_like(x)
    return x


@torch.no_grad()
def w56_predictor_corrector(model, x, sigmas, c=0.25):
    """Ancestral predictor, then a Langevin step of c (sigma_i^2 - sigma_{i+1}^2) at the new level."""
    ones = x.new_ones([x.shape[0]])
    for cur, nxt in zip(sigmas[:-1].tolist(), sigmas[1:].tolist()):
        q = (nxt / cur) ** 2
        x = q * x + (1 - q) * model(x, cur * ones)
        if nxt == 0:
            break
        x = x + nxt * math.sqrt(1 - q) * torch.randn_like(x)
        step = c * nxt**2 * (1 - q)
        score = (model(x, nxt * ones) - x) / nxt**2
        x = x + step * score + math.sqrt(step) * torch.randn_like(x)
    return x


@torch.no_grad()
def w57_ddpm_sample(model, shape, betas, clip_denoised=True):
    betas = torch.as_tensor(betas, dtype=torch.float64)
    acp = torch.cumprod(1 - betas, 0)
    img = torch.randn(shape)
    for i in reversed(range(len(betas))):
        prev = acp[i - 1] if i > 0 else torch.ones_like(acp[0])
        noise_pred = model(img, torch.full((shape[0],), i, dtype=torch.long))
        x_start = (img - (1 - acp[i]).sqrt() * noise_pred) / acp[i].sqrt()
        if clip_denoised:
            x_start = x_start.clamp(-1.0, 1.0)
        img = prev.sqrt() * betas[i] / (1 - acp[i]) * x_start + (1 - betas[i]).sqrt() * (1 - prev) / (1 - acp[i]) * img
        if i > 0:
            img = img + (betas[i] * (1 - prev) / (1 - acp[i])).sqrt() * torch.randn_like(img)
    return img


@torch.no_grad()
def w58_restart(net, latents, num_steps=18, sigma_min=0.002, sigma_max=80.0, rho=7, t_min=0.3, t_max=2.0, repeats=2):
    """Restart sampling with Heun's method."""
    u = torch.linspace(0, 1, num_steps, dtype=torch.float64)
    t = (sigma_max ** (1 / rho) + u * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho
    lo, hi = int((t - t_min).abs().argmin()), int((t - t_max).abs().argmin())
    t = torch.cat([t, torch.zeros(1, dtype=torch.float64)])

    def step(x, i):
        d = (x - net(x, t[i])) / t[i]
        x_next = x + (t[i + 1] - t[i]) * d
        if i < num_steps - 1:
            x_next = x + (t[i + 1] - t[i]) * (d + (x_next - net(x_next, t[i + 1])) / t[i + 1]) / 2
        return x_next

    x = latents * t[0]
    for i in range(num_steps):
        x = step(x, i)
        if i + 1 == lo:
            for _ in range(repeats):
                x = x + (t[hi] - t[lo]) * torch.randn_like(x)
                for j in range(hi, lo):
                    x = step(x, j)
    return x


@torch.no_grad()
def w59_sit_sde(model, x, num_steps=250):
    """Euler-Maruyama on SiT's SDE, diffusion 1 - t, from noise at t = 0 to data at t = 1."""
    h = 1.0 / num_steps
    for k in range(num_steps):
        t = k * h
        velocity = model(x, torch.full((x.shape[0],), t, dtype=x.dtype))
        alpha, d_alpha, sigma, d_sigma = t, 1.0, 1 - t, -1.0
        ratio = alpha / d_alpha
        var = sigma**2
        score = (ratio * velocity - x) / var
        x = x + h * (velocity + 0.5 * (1 - t) * score)
        if k < num_steps - 1:
            x = x + math.sqrt((1 - t) * h) * torch.randn_like(x)
    return x


def _subvp_sde(network, x, steps, draws):
    beta_0, beta_1 = 0.1, 20.0
    ts = torch.linspace(1.0, 1e-3, steps + 1, dtype=torch.float64).tolist()
    for i, (t, s) in enumerate(zip(ts, ts[1:])):
        integral = beta_0 * t + 0.5 * t**2 * (beta_1 - beta_0)
        beta = beta_0 + t * (beta_1 - beta_0)
        score = network("score", x, noise_level(math.exp(-0.5 * integral), 1 - math.exp(-integral)))
        diffusion = math.sqrt(beta * (1 - math.exp(-integral)))
        x = x + (0.5 * beta * x + diffusion**2 * score) * (t - s)
        if i + 1 < steps:
            x = x + diffusion * math.sqrt(t - s) * torch.randn_like(x)
    return x


w60_subvp_sde = Sampler("reverse sub-VP SDE", "1.0", _subvp_sde, prior=lambda steps: 1.0, order=1, noise=1)
