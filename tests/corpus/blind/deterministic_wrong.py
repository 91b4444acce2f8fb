"""Deterministic samplers with one defect each: 30 wrong samplers of the blind trial.

Written without knowledge of the kit, and frozen before the kit saw it; see survey/blind.toml.
"""

import math

import numpy as np
import torch

from samplercheck import Sampler, noise_level

# ----------------------------------------------------------------------------------------------
# helpers


class VPLinear:
    """Continuous VP schedule, beta(t) = beta_0 + t (beta_1 - beta_0), as in DPM-Solver's NoiseScheduleVP."""

    def __init__(self, beta_0=0.1, beta_1=20.0):
        self.beta_0, self.beta_1 = beta_0, beta_1

    def beta(self, t):
        return self.beta_0 + t * (self.beta_1 - self.beta_0)

    def log_alpha(self, t):
        return -0.25 * t**2 * (self.beta_1 - self.beta_0) - 0.5 * t * self.beta_0

    def alpha(self, t):
        return torch.exp(self.log_alpha(t))

    def sigma(self, t):
        return torch.sqrt(-torch.expm1(2 * self.log_alpha(t)))

    def lam(self, t):
        return self.log_alpha(t) - torch.log(self.sigma(t))

    def inverse_lam(self, lam):
        tmp = 2 * (self.beta_1 - self.beta_0) * torch.logaddexp(-2 * lam, torch.zeros_like(lam))
        delta = self.beta_0**2 + tmp
        return tmp / ((torch.sqrt(delta) + self.beta_0) * (self.beta_1 - self.beta_0))


def karras(n, sigma_min, sigma_max, rho, device="cpu"):
    i = torch.arange(n, dtype=torch.float64, device=device)
    a, b = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return torch.cat([(a + i / (n - 1) * (b - a)) ** rho, i.new_zeros(1)])


def lagrange_integrals(nodes, start, end):
    """Integrals from start to end of the Lagrange polynomials of the nodes."""
    c = (start + end) / 2
    out = []
    for j, node in enumerate(nodes):
        p = np.poly1d([1.0])
        for k, other in enumerate(nodes):
            if k != j:
                p = p * np.poly1d([1.0, -(other - c)]) / (node - other)
        q = p.integ()
        out.append(float(q(end - c) - q(start - c)))
    return out


@torch.no_grad()
def w01_ab2_sigma(model, x, sigmas, extra_args=None, callback=None):
    """Second-order Adams-Bashforth in sigma for any levels."""
    extra_args = {} if extra_args is None else extra_args
    s_in = x.new_ones([x.shape[0]])
    prev = None
    for i in range(len(sigmas) - 1):
        eps = (x - model(x, sigmas[i] * s_in, **extra_args)) / sigmas[i]
        dt = sigmas[i + 1] - sigmas[i]
        if i == 0 or sigmas[i + 1] == 0:
            x = x + dt * eps
        else:
            r = dt / (sigmas[i] - sigmas[i - 1])
            x = x + dt * ((1 + 0.4 * r) * eps - 0.4 * r * prev)
        prev = eps
    return x


@torch.no_grad()
def w02_ab3_log_sigma(net, latents, num_steps=30, sigma_min=0.002, sigma_max=80.0):
    """Adams-Bashforth 3 for dx / dlog(sigma) = x - D(x), levels even in log(sigma), Heun's and AB2 first."""
    u = torch.linspace(math.log(sigma_max), math.log(sigma_min), num_steps, dtype=torch.float64)
    h = u[1] - u[0]
    x = latents.to(torch.float64) * sigma_max
    f1 = f2 = None
    for i in range(num_steps):
        D = net(x, u[i].exp())
        if i == num_steps - 1:
            return D
        f = x - D
        if i == 0:
            y = x + h * f
            x = x + h / 2 * (f + y - net(y, u[1].exp()))
        elif i == 1:
            x = x + h * (3 * f - f1) / 2
        else:
            x = x + h * (22 / 12 * f - 16 / 12 * f1 + 5 / 12 * f2)
        f1, f2 = f, f1


@torch.no_grad()
def w03_dpmpp_2m_cached(model, x, sigmas, extra_args=None, callback=None, disable=None):
    """DPM-Solver++(2M)."""
    extra_args = {} if extra_args is None else extra_args
    s_in = x.new_ones([x.shape[0]])
    lam = lambda sigma: sigma.log().neg()
    old = None
    for i in range(len(sigmas) - 1):
        if i % 2 == 0:
            denoised = model(x, sigmas[i] * s_in, **extra_args)
        if callback is not None:
            callback({"x": x, "i": i, "sigma": sigmas[i], "denoised": denoised})
        if sigmas[i + 1] == 0:
            return denoised
        h = lam(sigmas[i + 1]) - lam(sigmas[i])
        if old is None:
            d = denoised
        else:
            r = (lam(sigmas[i]) - lam(sigmas[i - 1])) / h
            d = (1 + 1 / (2 * r)) * denoised - 1 / (2 * r) * old
        x = sigmas[i + 1] / sigmas[i] * x - (-h).expm1() * d
        old = denoised
    return x


@torch.no_grad()
def w04_edm_heun(net, latents, class_labels=None, num_steps=18, sigma_min=0.002, sigma_max=80, rho=7):
    """Heun's second-order method, Algorithm 1 of EDM."""
    t_steps = karras(num_steps, sigma_min, sigma_max, rho, latents.device)
    x_next = latents.to(torch.float64) * t_steps[0]
    for i, (t_cur, t_next) in enumerate(zip(t_steps[:-1], t_steps[1:])):
        x_cur = x_next
        d_cur = (x_cur - net(x_cur, t_next if i < num_steps - 1 else t_cur, class_labels).to(torch.float64)) / t_cur
        x_next = x_cur + (t_next - t_cur) * d_cur
        if i < num_steps - 1:
            d_prime = (x_next - net(x_next, t_next, class_labels).to(torch.float64)) / t_next
            x_next = x_cur + (t_next - t_cur) * (0.5 * d_cur + 0.5 * d_prime)
    return x_next


@torch.no_grad()
def w05_dpmpp_2m_betas(model, x_T, betas, num_steps=20):
    """DPM-Solver++(2M) on discrete timesteps; the network predicts eps."""
    abar = torch.cumprod(1 - betas.to(torch.float64), dim=0)
    alphas, sigmas = abar.sqrt(), (1 - abar).sqrt()
    lambdas = alphas.log() - sigmas.log()
    ts = torch.linspace(len(betas) - 1, 0, num_steps, dtype=torch.float64).round().long()
    x, old, h_last = x_T, None, None
    for i, t in enumerate(ts):
        eps = model(x, (t - 1).clamp(min=0).expand(x.shape[0]))
        x0 = (x - sigmas[t] * eps) / alphas[t]
        if i == num_steps - 1:
            return x0
        s = ts[i + 1]
        h = lambdas[s] - lambdas[t]
        if old is None:
            D = x0
        else:
            r = h_last / h
            D = (1 + 1 / (2 * r)) * x0 - 1 / (2 * r) * old
        x = sigmas[s] / sigmas[t] * x - alphas[s] * torch.expm1(-h) * D
        old, h_last = x0, h


@torch.no_grad()
def w06_heun_karras(net, latents, num_steps=20, sigma_min=0.1, sigma_max=50.0, rho=7):
    """Heun's method on Karras' levels, network of x0."""
    sigmas = karras(num_steps, sigma_min, sigma_max, rho, latents.device)
    x = latents * sigmas[0]
    for i in range(num_steps - 1):
        s, t = sigmas[i], sigmas[i + 1]
        d = (x - net(x, s)) / s
        y = x + (t - s) * d
        x = x + (t - s) / 2 * (d + (y - net(y, t)) / t)
    return x


@torch.no_grad()
def w07_ddim_vp(model, x, num_steps=50):
    """DDIM in continuous time, VP, quadratic times."""
    ns = VPLinear()
    ts = torch.linspace(1.0, 1e-3**0.5, num_steps, dtype=torch.float64) ** 2
    ts = torch.cat([ts, ts.new_zeros(1)])
    for t, s in zip(ts[:-1], ts[1:]):
        abar_t, abar_s = ns.alpha(t) ** 2, ns.alpha(s) ** 2
        eps = model(x, t.expand(x.shape[0]))
        x0 = (x - (1 - abar_t).sqrt() * eps) / abar_t.sqrt()
        x = abar_s * x0 + (1 - abar_s).sqrt() * eps
    return x


@torch.no_grad()
def w08_ddim_betas(model, x, betas, num_steps=50):
    """DDIM, eta = 0, network of eps."""
    alphas = 1.0 - betas
    alphas_cumprod = alphas.cumprod(dim=0)
    seq = [int(round(v)) for v in np.linspace(0, len(betas) - 1, num_steps)]
    for t, s in zip(reversed(seq), reversed([-1] + seq[:-1])):
        eps = model(x, torch.full((x.shape[0],), t, dtype=torch.long, device=x.device))
        at = alphas_cumprod[t]
        x0 = (x - (1 - at).sqrt() * eps) / at.sqrt()
        if s < 0:
            return x0
        x = alphas_cumprod[s].sqrt() * x0 + (1 - alphas[s]).sqrt() * eps


@torch.no_grad()
def w09_ipndm4(model, x, sigmas, extra_args=None, max_order=4):
    """Adams-Bashforth in sigma with weights of the actual levels, three steps of RK4 first, Euler's to 0."""
    extra_args = extra_args or {}
    s_in = x.new_ones([x.shape[0]])
    grid = [float(s) for s in sigmas]

    def f(y, sigma):
        return (y - model(y, sigma * s_in, **extra_args)) / sigma

    history = []
    for i in range(len(grid) - 1):
        a, b = sigmas[i], sigmas[i + 1]
        h = b - a
        d = f(x, a)
        history.append(d)
        if b == 0:
            x = x + h * d
        elif i < max_order - 1:
            k2 = f(x + h / 2 * d, a + h / 2)
            k3 = f(x + h / 2 * k2, a + h / 2)
            k4 = f(x + h * k3, b)
            x = x + h / 6 * (d + 2 * k2 + 2 * k3 + k4)
        else:
            history = history[-max_order:]
            for w, past in zip((-9 / 24, 37 / 24, -59 / 24, 55 / 24), history):
                x = x + h * w * past
    return x


@torch.no_grad()
def w10_dpm_solver_2_vp(model, x, steps=20):
    """DPM-Solver-2, VP, levels even in log-SNR, network of eps."""
    ns = VPLinear()
    ends = ns.lam(torch.tensor([1.0, 1e-3], dtype=torch.float64))
    lam = torch.linspace(ends[0].item(), ends[1].item(), steps, dtype=torch.float64)
    for i in range(steps - 1):
        h = lam[i + 1] - lam[i]
        s, m, t = ns.inverse_lam(lam[i]), ns.inverse_lam(lam[i] + h / 2), ns.inverse_lam(lam[i + 1])
        eps = model(x, s.expand(x.shape[0]))
        u = ns.alpha(m) / ns.alpha(s) * x - ns.sigma(m) * torch.expm1(h) * eps
        x = ns.alpha(t) / ns.alpha(s) * x - ns.sigma(t) * torch.expm1(h) * model(u, m.expand(x.shape[0]))
    t = ns.inverse_lam(lam[-1])
    return (x - ns.sigma(t) * model(x, t.expand(x.shape[0]))) / ns.alpha(t)


@torch.no_grad()
def w11_heun_sigmas(model, x, sigmas, extra_args=None, callback=None, disable=None):
    """Heun's method (Karras et al.)."""
    extra_args = {} if extra_args is None else extra_args
    s_in = x.new_ones([x.shape[0]])
    for i in range(len(sigmas) - 1):
        d = (x - model(x, sigmas[i] * s_in, **extra_args)) / sigmas[i]
        dt = sigmas[i + 1] - sigmas[i]
        if sigmas[i + 1] == 0:
            x = x + d * dt
        else:
            x_2 = x + d * dt
            denoised_2 = model(x_2, sigmas[i + 1] * s_in, **extra_args)
            d_2 = (x - denoised_2) / sigmas[i + 1]
            x = x + (d + d_2) / 2 * dt
    return x


@torch.no_grad()
def w12_dpmpp_2m(model, x, sigmas, extra_args=None, callback=None, disable=None):
    """DPM-Solver++(2M)."""
    extra_args = {} if extra_args is None else extra_args
    s_in = x.new_ones([x.shape[0]])
    lam = lambda sigma: sigma.log().neg()
    old = None
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * s_in, **extra_args)
        if callback is not None:
            callback({"x": x, "i": i, "sigma": sigmas[i], "denoised": denoised})
        if sigmas[i + 1] == 0:
            return denoised
        h = lam(sigmas[i + 1]) - lam(sigmas[i])
        if old is None:
            d = denoised
        else:
            r = (lam(sigmas[i]) - lam(sigmas[i - 1])) / h
            d = (1 - 1 / (2 * r)) * denoised + 1 / (2 * r) * old
        x = sigmas[i + 1] / sigmas[i] * x - (-h).expm1() * d
        old = denoised
    return x


@torch.no_grad()
def w13_ab2_karras(net, latents, class_labels=None, num_steps=18, sigma_min=0.002, sigma_max=80, rho=7):
    """Adams-Bashforth 2 on Karras' levels, first step by Heun's method."""
    t = karras(num_steps, sigma_min, sigma_max, rho, latents.device)
    x = latents.to(torch.float64) * t[0]

    def slope(x, t):
        return (x - net(x, t, class_labels).to(torch.float64)) / t

    # warm-up
    d_old = slope(x, t[0])
    d = slope(x + (t[1] - t[0]) * d_old, t[1])
    x = x + (t[1] - t[0]) * (d_old + d) / 2
    for i in range(num_steps):
        d = slope(x, t[i])
        h = t[i + 1] - t[i]
        if i == num_steps - 1:
            x = x + h * d
        else:
            w = h / (2 * (t[i] - t[i - 1])) if i > 0 else 0.0
            x = x + h * ((1 + w) * d - w * d_old)
        d_old = d
    return x


@torch.no_grad()
def w14_ralston_own_start(eps_model, shape, num_steps=32, sigma_min=0.01, sigma_max=20.0, device="cpu"):
    """Ralston's method in sigma. The inner stage lies inside of the step, so also the last step may use it."""
    sigmas = torch.cat(
        [
            torch.logspace(math.log10(sigma_max), math.log10(sigma_min), num_steps, dtype=torch.float64),
            torch.zeros(1, dtype=torch.float64),
        ]
    ).to(device)
    x = torch.randn(shape, device=device) * sigma_max
    for i in range(num_steps):
        sigma, dt = sigmas[i], sigmas[i + 1] - sigmas[i]
        k1 = eps_model(x, sigma.expand(shape[0])).clamp(-1, 1)
        k2 = eps_model(x + 2 / 3 * dt * k1, (sigma + 2 / 3 * dt).expand(shape[0])).clamp(-1, 1)
        x = x + dt * (0.25 * k1 + 0.75 * k2)
    return x


class w15_dpmpp_2m_scheduler:
    """DPM-Solver++(2M) on discrete betas, network of eps."""

    init_noise_sigma = 1.0
    order = 1

    def __init__(self, num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02):
        betas = torch.linspace(beta_start, beta_end, num_train_timesteps, dtype=torch.float64)
        abar = torch.cumprod(1 - betas, dim=0)
        self.num_train_timesteps = num_train_timesteps
        self.alpha_t, self.sigma_t = abar.sqrt(), (1 - abar).sqrt()
        self.lambda_t = self.alpha_t.log() - self.sigma_t.log()

    def set_timesteps(self, num_inference_steps, device=None):
        ts = np.linspace(self.num_train_timesteps - 1, 0, num_inference_steps).round().astype(np.int64)
        self.timesteps = torch.from_numpy(ts).to(device)
        self.model_outputs = [None, None]
        self.step_index = 0

    def scale_model_input(self, sample, timestep=None):
        return sample

    def convert_model_output(self, eps, sample, t, s):
        return (sample - self.sigma_t[s] * eps) / self.alpha_t[t]

    def step(self, model_output, timestep, sample, return_dict=False, **kwargs):
        i = self.step_index
        t = int(self.timesteps[i])
        last = i == len(self.timesteps) - 1
        s = t if last else int(self.timesteps[i + 1])
        self.model_outputs = [self.model_outputs[1], self.convert_model_output(model_output, sample, t, s)]
        self.step_index += 1
        m1, m0 = self.model_outputs
        if last:
            return (m0,)
        h = self.lambda_t[s] - self.lambda_t[t]
        D = m0
        if m1 is not None:
            h_0 = self.lambda_t[t] - self.lambda_t[int(self.timesteps[i - 1])]
            D = m0 + 0.5 * h / h_0 * (m0 - m1)
        return (self.sigma_t[s] / self.sigma_t[t] * sample - self.alpha_t[s] * torch.expm1(-h) * D,)


@torch.no_grad()
def w16_dpmpp_2m_own_start(model, shape, num_steps=20, sigma_min=0.01, sigma_max=50.0, device="cpu"):
    """DPM-Solver++(2M), levels and start of its own."""
    sigmas = karras(num_steps, sigma_min, sigma_max, 7.0, device)
    x = torch.randn(shape, device=device) * math.sqrt(sigma_max)
    D_old = None
    for i in range(num_steps):
        D = model(x, sigmas[i].expand(shape[0]))
        if i == num_steps - 1:
            return D
        h = torch.log(sigmas[i] / sigmas[i + 1])
        if i == 0:
            mix = D
        else:
            mix = D + h / torch.log(sigmas[i - 1] / sigmas[i]) / 2 * (D - D_old)
        x = torch.exp(-h) * x - torch.expm1(-h) * mix
        D_old = D


@torch.no_grad()
def w17_dpm_solver_3(model, x, steps=20, t_start=1.0, t_end=1e-3):
    """DPM-Solver-3, single steps of three calls, r1 = 1/3, r2 = 2/3, levels even in log-SNR."""
    ns = VPLinear()
    ends = ns.lam(torch.tensor([t_start, t_end], dtype=torch.float64))
    lam = torch.linspace(ends[0].item(), ends[1].item(), steps, dtype=torch.float64)
    r1, r2 = 1 / 3, 2 / 3
    table_t = torch.linspace(t_end, t_start, 100, dtype=torch.float64)
    table_lam = ns.lam(table_t)

    def time_of(lam):  # index into the table, interpolated
        return torch.from_numpy(np.asarray(np.interp(-float(lam), -table_lam.numpy(), table_t.numpy())))

    def call(x, t):
        return model(x, time_of(ns.lam(t)).expand(x.shape[0]))

    for i in range(steps - 1):
        h = lam[i + 1] - lam[i]
        s, s1, s2, t = (ns.inverse_lam(lam[i] + r * h) for r in (0.0, r1, r2, 1.0))
        la = ns.log_alpha(s)
        eps = call(x, s)
        u1 = torch.exp(ns.log_alpha(s1) - la) * x - ns.sigma(s1) * torch.expm1(r1 * h) * eps
        d1 = call(u1, s1) - eps
        u2 = (
            torch.exp(ns.log_alpha(s2) - la) * x
            - ns.sigma(s2) * torch.expm1(r2 * h) * eps
            - ns.sigma(s2) * r2 / r1 * (torch.expm1(r2 * h) / (r2 * h) - 1) * d1
        )
        d2 = call(u2, s2) - eps
        x = (
            torch.exp(ns.log_alpha(t) - la) * x
            - ns.sigma(t) * torch.expm1(h) * eps
            - ns.sigma(t) / r2 * (torch.expm1(h) / h - 1) * d2
        )
    t = ns.inverse_lam(lam[-1])
    return (x - ns.sigma(t) * call(x, t)) / ns.alpha(t)


@torch.no_grad()
def w18_tab_deis(eps_fn, x, num_steps=20, order=3):
    """tAB-DEIS: eps as a polynomial of t, weights by Gauss-Legendre quadrature; quadratic times, Heun in rho first."""
    ns = VPLinear()
    ts = torch.linspace(1.0, 1e-3**0.5, num_steps, dtype=torch.float64) ** 2

    def rho(t):
        return ns.sigma(t) / ns.alpha(t)

    def discrete(t):  # the network knows 1000 times
        return torch.floor(t * 1000 + 1e-6) / 1000

    def d_rho(t):
        return 0.5 * ns.beta(t) / (ns.sigma(t) * ns.alpha(t))

    nodes, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(24))

    def coefficients(past, a, b):
        tau = (a + b) / 2 + (b - a) / 2 * nodes
        out = []
        for j in range(len(past)):
            basis = torch.ones_like(tau)
            for k in range(len(past)):
                if k != j:
                    basis = basis * (tau - past[k]) / (past[j] - past[k])
            out.append((b - a) / 2 * (weights * basis * d_rho(tau)).sum())
        return out

    outputs = []
    for i in range(num_steps):
        t = ts[i]
        eps = eps_fn(x, discrete(t).expand(x.shape[0]))
        if i == num_steps - 1:
            return (x - ns.sigma(t) * eps) / ns.alpha(t)
        s = ts[i + 1]
        outputs = [eps] + outputs[: order - 1]
        y = x / ns.alpha(t)
        if i == 0:
            guess = y + (rho(s) - rho(t)) * eps
            other = eps_fn(ns.alpha(s) * guess, discrete(s).expand(x.shape[0]))
            y = y + (rho(s) - rho(t)) * (eps + other) / 2
        else:
            past = [ts[i - k] for k in range(len(outputs))]
            for c, e in zip(coefficients(past, t, s), outputs):
                y = y + c * e
        x = ns.alpha(s) * y


@torch.no_grad()
def w19_ab4_rk4_start(model, x, sigmas, extra_args=None, max_order=4):
    """Adams-Bashforth in sigma with weights of the actual levels, three steps of RK4 first, Euler's to 0."""
    extra_args = extra_args or {}
    s_in = x.new_ones([x.shape[0]])
    grid = [float(s) for s in sigmas]

    def f(y, sigma):
        return (y - model(y, sigma * s_in, **extra_args)) / sigma

    history = []
    for i in range(len(grid) - 1):
        a, b = sigmas[i], sigmas[i + 1]
        h = b - a
        d = f(x, a)
        history.append(d)
        if b == 0:
            x = x + h * d
        elif i < max_order - 1:
            k2 = f(x + h / 2 * d, a + h / 2)
            k3 = f(x + h / 2 * k2, a + h / 2)
            k4 = f(x + h * k3, b)
            history += [k2, k3, k4]
            x = x + h / 6 * (d + 2 * k2 + 2 * k3 + k4)
        else:
            history = history[-max_order:]
            nodes = grid[i - max_order + 1 : i + 1]
            for w, past in zip(lagrange_integrals(nodes, grid[i], grid[i + 1]), history):
                x = x + w * past
    return x


@torch.no_grad()
def w20_exp_ab3_vp(model, x, num_steps=25):
    """Exponential Adams-Bashforth 3 in log-SNR for VP; levels even in log-SNR; the network predicts eps."""
    ns = VPLinear()
    ends = ns.lam(torch.tensor([1.0, 1e-3], dtype=torch.float64))
    lam = torch.linspace(ends[0].item(), ends[1].item(), num_steps, dtype=torch.float64)
    ts = ns.inverse_lam(lam)
    h = lam[1] - lam[0]
    e = torch.exp(-h)
    m0 = -torch.expm1(-h)
    m1 = m0 - h * e
    m2 = 2 * m1 - h**2 * e
    hist = []
    for i in range(num_steps):
        t = ts[i]
        eps = model(x, t * torch.ones(x.shape[0], dtype=x.dtype))
        if i == num_steps - 1:
            return (x - ns.sigma(t) * eps) / ns.alpha(t)
        hist = hist[-2:] + [eps]
        if len(hist) == 1:  # exponential midpoint
            mid = ns.inverse_lam(lam[i] + h / 2)
            u = ns.alpha(mid) / ns.alpha(t) * x - ns.sigma(mid) * torch.expm1(h / 2) * eps
            integral = m0 * model(u, mid * torch.ones(x.shape[0], dtype=x.dtype))
        elif len(hist) == 2:
            integral = m0 * hist[0] + m1 * (hist[0] - hist[1]) / h
        else:
            first = (3 * hist[0] - 4 * hist[1] + hist[2]) / (2 * h)
            second = (hist[0] - 2 * hist[1] + hist[2]) / h**2
            integral = m0 * hist[0] + m1 * first + m2 / 2 * second
        a, b = ns.alpha(t), ns.alpha(ts[i + 1])
        x = b / a * x - b * torch.exp(-lam[i]) * integral


@torch.no_grad()
def w21_dpmpp_3m_karras(net, latents, class_labels=None, num_steps=18, sigma_min=0.002, sigma_max=80, rho=7):
    """DPM-Solver++(3M) on Karras' levels; DPM-Solver++(2S) and (2M) for the first two steps."""
    sigmas = karras(num_steps, sigma_min, sigma_max, rho, latents.device)
    x = latents.to(torch.float64) * sigmas[0]
    D1 = D2 = h1 = h2 = None
    for i in range(num_steps):
        s, t = sigmas[i], sigmas[i + 1]
        D = net(x, s, class_labels).to(torch.float64)
        if i == num_steps - 1:
            return D
        h = torch.log(s / t)
        p1 = -torch.expm1(-h)
        p2 = 1 - p1 / h
        p3 = 0.5 - p2 / h
        new = torch.exp(-h) * x + p1 * D
        if i == 0:
            u = torch.exp(-h / 2) * x - torch.expm1(-h / 2) * D
            new = new + 2 * p2 * (net(u, (s * t).sqrt(), class_labels).to(torch.float64) - D)
        elif i == 1:
            new = new + p2 * (D - D1) * h / h1
        else:
            r0 = h / h1
            r1 = h2 / h
            a, b = (D - D1) / r0, (D1 - D2) / r1
            new = new + p2 * (a + r0 / (r0 + r1) * (a - b)) + p3 * 2 * (a - b) / (r0 + r1)
        x, D1, D2, h1, h2 = new, D, D1, h, h1


class w22_ddim_v_scheduler:
    """DDIM (eta = 0) for a network that predicts v, on discrete betas."""

    init_noise_sigma = 1.0
    order = 1

    def __init__(self, num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02):
        betas = torch.linspace(beta_start, beta_end, num_train_timesteps, dtype=torch.float64)
        self.num_train_timesteps = num_train_timesteps
        self.alphas_cumprod = torch.cumprod(1 - betas, dim=0)
        self.timesteps = torch.arange(num_train_timesteps - 1, -1, -1)

    def set_timesteps(self, num_inference_steps, device=None):
        ts = np.linspace(self.num_train_timesteps - 1, 0, num_inference_steps).round().astype(np.int64)
        self.timesteps = torch.from_numpy(ts).to(device)
        self.num_inference_steps = num_inference_steps

    def scale_model_input(self, sample, timestep=None):
        return sample

    def step(self, model_output, timestep, sample, return_dict=False, **kwargs):
        timestep = int(timestep)
        before = timestep - self.num_train_timesteps // self.num_inference_steps
        abar = self.alphas_cumprod[timestep]
        abar_prev = self.alphas_cumprod[before] if before >= 0 else torch.ones_like(abar)
        alpha, sigma = abar.sqrt(), (1 - abar).sqrt()
        x0 = alpha * sample - sigma * model_output
        eps = alpha * model_output + sigma * sample
        return (abar_prev.sqrt() * x0 + (1 - abar_prev).sqrt() * eps,)


@torch.no_grad()
def w23_rk4_sigma(model, x, sigmas, extra_args=None):
    """The classical Runge-Kutta method; Euler's for the step to 0."""
    extra_args = extra_args or {}
    s_in = x.new_ones([x.shape[0]])

    def f(y, sigma):
        return (y - model(y, sigma * s_in, **extra_args)) / sigma

    for i in range(len(sigmas) - 1):
        a, b = sigmas[i], sigmas[i + 1]
        h = b - a
        k1 = f(x, a)
        if b == 0:
            x = x + h * k1
        else:
            k2 = f(x + h / 2 * k1, a + h / 2)
            k3 = f(x + h / 2 * k1, a + h / 2)
            k4 = f(x + h * k3, b)
            x = x + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
    return x


@torch.no_grad()
def w24_ralston(model, x, sigmas, extra_args=None):
    """Ralston's method: second call at two thirds of the step."""
    extra_args = extra_args or {}
    s_in = x.new_ones([x.shape[0]])
    for a, b in zip(sigmas[:-1], sigmas[1:]):
        h = b - a
        k1 = (x - model(x, a * s_in, **extra_args)) / a
        if b == 0:
            return x + h * k1
        c = a + 2 * h / 3
        y = x + 2 * h / 3 * k1
        k2 = (y - model(y, c * s_in, **extra_args)) / c
        x = x + h * (3 * k1 / 4 + k2 / 4)
    return x


@torch.no_grad()
def w25_unipc(model, x, sigmas, extra_args=None):
    """UniPC-2 in x0: UniP-2, and UniC-2 with the output at the predicted state (no further call): of order 3."""
    extra_args = extra_args or {}
    s_in = x.new_ones([x.shape[0]])
    lam = -sigmas[:-1].log()
    m_old, x_hat = None, x
    m = model(x_hat, sigmas[0] * s_in, **extra_args)
    for i in range(len(sigmas) - 2):
        h = lam[i + 1] - lam[i]
        e = torch.expm1(-h)
        B = e
        b1 = (e / -h - 1) / B
        b2 = 2 * ((e / -h - 1) / -h - 0.5) / B
        B = -h
        base = torch.exp(-h) * x - e * m
        # predictor
        if m_old is None:
            x_hat = base
        else:
            r = (lam[i - 1] - lam[i]) / h
            D1 = (m_old - m) / r
            x_hat = base - B * b1 * D1
        # corrector
        new = model(x_hat, sigmas[i + 1] * s_in, **extra_args)
        if m_old is None:
            x = base - B * b1 * (new - m)
        else:
            rho_2 = (b2 - r * b1) / (1 - r)
            x = base - B * ((b1 - rho_2) * D1 + rho_2 * (new - m))
        m_old, m = m, new
    return m


@torch.no_grad()
def w26_tab_deis(eps_fn, x, num_steps=20, order=3):
    """tAB-DEIS: eps as a polynomial of t, weights by Gauss-Legendre quadrature; quadratic times, Heun in rho first."""
    ns = VPLinear()
    ts = torch.linspace(1.0, 1e-3**0.5, num_steps, dtype=torch.float64) ** 2

    def rho(t):
        return ns.sigma(t) / ns.alpha(t)

    def d_rho(t):
        return 0.5 * ns.beta(t) / (ns.sigma(t) * ns.alpha(t))

    nodes, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(24))

    def coefficients(past, a, b):
        tau = (a + b) / 2 + (b - a) / 2 * nodes
        out = []
        for j in range(len(past)):
            basis = torch.ones_like(tau)
            for k in range(len(past)):
                if k != j:
                    basis = basis * (tau - past[k]) / (past[j] - past[k])
            out.append((b - a) / 2 * (weights * basis * d_rho(tau)).sum())
        return out

    outputs = []
    for i in range(num_steps):
        t = ts[i]
        eps = eps_fn(x, t.expand(x.shape[0]))
        if i == num_steps - 1:
            return (x - ns.sigma(t) * eps) / ns.alpha(t)
        s = ts[i + 1]
        outputs = [eps] + outputs[: order - 1]
        y = x / ns.alpha(t)
        if i == 0:
            guess = y + (rho(s) - rho(t)) * eps
            other = eps_fn(ns.alpha(s) * guess, s.expand(x.shape[0]))
            y = y + (rho(s) - rho(t)) * (eps + other) / 2
        else:
            past = [ts[i + 1 - k] for k in range(len(outputs))]
            for c, e in zip(coefficients(past, t, s), outputs):
                y = y + c * e
        x = ns.alpha(s) * y


def _run_w27(network, x, steps, draws):
    """Lawson's method (integrating factor) on Kutta's third-order rule, v-prediction, in VP scaling."""
    sigmas = torch.cat([torch.logspace(1, -2, steps, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)])

    def denoise(y, sigma, start):  # y = x0 + sigma z
        scale = 1 / (1 + sigma**2).sqrt()
        v = network("v", scale * y, noise_level(scale, sigma * scale))
        alpha = 1 / (1 + start**2).sqrt()
        return alpha * (scale * y) - start * alpha * v

    y = x * (1 + sigmas[0] ** 2).sqrt()
    for a, b in zip(sigmas[:-1], sigmas[1:]):
        k1 = denoise(y, a, a)
        if b == 0:
            return k1
        h = torch.log(a / b)
        half, full = torch.exp(-h / 2), torch.exp(-h)
        k2 = denoise(half * (y + h / 2 * k1), (a * b).sqrt(), a)
        k3 = denoise(full * (y - h * k1) + half * 2 * h * k2, b, a)
        y = full * y + h / 6 * (full * k1 + 4 * half * k2 + k3)


w27_lawson_kutta3_v = Sampler("Lawson-Kutta 3", "1", _run_w27, prior=lambda steps: 1.0, order=3)


@torch.no_grad()
def w28_score_midpoint(score_fn, shape, num_steps=30, eps=1e-3, device="cpu"):
    """Probability flow of the VP SDE by the explicit midpoint method, quadratic times, denoised at the end."""
    sde = VPLinear()
    u = torch.linspace(1.0, eps**0.5, num_steps, dtype=torch.float64, device=device)
    x = torch.randn(shape, device=device)

    def drift(x, u):  # dx/du, t = u^2
        t = u**2
        score = score_fn(x, t * torch.ones(shape[0], device=device, dtype=torch.float64))
        return 2 * u * (-0.5 * sde.beta(t) * x - sde.beta(t) * score)

    for a, b in zip(u[:-1], u[1:]):
        middle = x + (b - a) / 2 * drift(x, a)
        x = x + (b - a) * drift(middle, (a + b) / 2)
    t = u[-1] ** 2
    score = score_fn(x, t * torch.ones(shape[0], device=device, dtype=torch.float64))
    return (x + sde.sigma(t) ** 2 * score) / sde.alpha(t)


def _run_w29(network, x, steps, draws):
    """Lawson's method on the classical Runge-Kutta rule, in log-SNR, network of x0."""
    sigmas = torch.logspace(1, -2, steps, dtype=torch.float64)

    def D(y, sigma):
        return network("x0", y, noise_level(1.0, sigma))

    for a, b in zip(sigmas[:-1], sigmas[1:]):
        h, m = torch.log(a / b), (a * b).sqrt()
        half, full = torch.exp(-h / 2), torch.exp(-h)
        k1 = D(x, a)
        k2 = D(half * (x + h / 2 * k1), m)
        k3 = D(half * x + h / 2 * k2, m)
        k4 = D(full * x + h * k3, b)
        x = full * x + h / 6 * (full * k1 + 2 * half * (k2 + k3) + k4)
    return D(x, sigmas[-1])


w29_lawson4 = Sampler("Lawson 4", "1", _run_w29, prior=lambda steps: 10.0, order=4)


@torch.no_grad()
def w30_dpmpp_3m(model, x, sigmas, extra_args=None, callback=None, disable=None):
    """DPM-Solver++(3M), exponential multistep in x0. First step DPM-Solver++(2S), then 2M: order 3 all the same."""
    extra_args = {} if extra_args is None else extra_args
    s_in = x.new_ones([x.shape[0]])
    d_1, d_2, h_1, h_2 = None, None, None, None
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * s_in, **extra_args)
        if callback is not None:
            callback({"x": x, "i": i, "sigma": sigmas[i], "denoised": denoised})
        if sigmas[i + 1] == 0:
            x = denoised
            continue
        h = sigmas[i].log() - sigmas[i + 1].log()
        base = torch.exp(-h) * x - torch.expm1(-h) * denoised
        phi_2 = torch.expm1(-h) / h + 1
        phi_3 = phi_2 / h - 0.5
        if d_1 is None:
            mid = (sigmas[i] * sigmas[i + 1]).sqrt()
            u = torch.exp(-h / 2) * x - torch.expm1(-h / 2) * denoised
            slope = 2 * (model(u, mid * s_in, **extra_args) - denoised)
            x = base + phi_2 * slope
        elif d_2 is None:
            x = base + phi_2 * (denoised - d_1) * (h / h_1)
        else:
            r0, r1 = h_1 / h, h_2 / h
            s0, s1 = (denoised - d_1) / r0, (d_1 - d_2) / r1
            first = s0 + (s0 - s1) * r0 / (r0 + r1)
            second = (s0 - s1) / (r0 + r1)
            x = base + phi_2 * first - phi_3 * second
        d_1, d_2, h_1, h_2 = denoised, d_1, h, h_1
    return x
