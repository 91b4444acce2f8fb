"""What the survey says of each library, and of each defect: as shipped, with the fix, and derived a
second time.

The derivations need neither the kit nor the libraries: they are algebra, or steps composed in
closed form.
"""

from collections import Counter
from collections.abc import Sequence

import sympy as sp
import torch

from ams.metrics.gaussian import gaussian_w2
from samplercheck.convergence import two_targets
from survey import libraries
from survey.conformance import defects, study
from survey.conformance.settings import Settings
from verdicts import Measurement

BY_FILE = tuple(library for library in libraries.LOADED if library != "comfyui")
"""The libraries whose files have a public address; those of ComfyUI a user puts in place."""
THIRD_ORDER = ("diffusers_dpmpp_3m", "diffusers_edm_3m", "k_diffusion_3m")


def refuted_samplers(settings: Settings, library: str) -> Measurement:
    """Count the surveyed samplers of a library that the kit refutes; the detail names all that it
    does not hold.
    """
    reports = study.reports(settings, library)
    verdicts = Counter(report["verdict"] for _, report in reports)
    others = {row.name: report["why"] for row, report in reports if report["verdict"] != "holds"}
    return Measurement(
        value=verdicts["refuted"],
        n=len(reports),
        detail={"verdicts": dict(verdicts), "others": others},
    )


def shipped(names: Sequence[str]) -> Measurement:
    """Measure defects in the libraries as shipped; the largest effect counts."""
    effects = {name: defects.measured(name, fixed=False) for name in names}
    return Measurement(value=max(effects.values()), detail=dict(effects))


def fixed(names: Sequence[str]) -> Measurement:
    """Measure defects with their fixes in memory; the least effect counts."""
    effects = {name: defects.measured(name, fixed=True) for name in names}
    return Measurement(value=min(effects.values()), detail=dict(effects))


def refuted_samplers_without_index(settings: Settings, more: bool) -> Measurement:
    """Count the refuted samplers of those whose code no package index has: registered files, or
    more repositories.

    Raises DataUnavailable for missing code.
    """
    names = tuple(libraries.MORE) if more else BY_FILE
    counted = [refuted_samplers(settings, library) for library in names]
    detail = {library: dict(one.detail) for library, one in zip(names, counted, strict=True)}
    return Measurement(
        value=sum(one.value for one in counted), n=sum(one.n or 0 for one in counted), detail=detail
    )


def reab_local_exponent() -> int:
    r"""Return the power of h in what `sigma_t` in place of `sigma_s` adds to a step of length h,
    for `f = 1`.

    With `alpha = 1` and `sigma = e^t` a step multiplies `int e^u / (1 + e^(2u)) du` by `sqrt(1 +
    e^(2s))`, s = t + h.
    """
    t, h, u = sp.symbols("t h u", real=True)
    integrand = sp.exp(u) / (1 + sp.exp(2 * u))
    weight = sp.series(integrand.subs(u, t + h), h, 0, 2).removeO().integrate((h, 0, h))
    added = (sp.sqrt(1 + sp.exp(2 * t)) - sp.sqrt(1 + sp.exp(2 * (t + h)))) * weight
    return next(n for n in range(1, 5) if sp.simplify(sp.diff(added, h, n).subs(h, 0)) != 0)


def second_derivative_weight(kappa: int) -> sp.Expr:
    r"""Return the exact weight of `D2 = h^2 m'' / 2` in a step of length h.

    It is `kappa int e^(-kappa (h - l)) l^2 dl / h^2`, where `kappa` is 1 for the flow and 2 for the
    mean of the reverse SDE; the step is in units of alpha at its end.
    """
    h, place = sp.symbols("h l", positive=True)
    return sp.simplify(
        sp.integrate(kappa * sp.exp(-kappa * (h - place)) * place**2, (place, 0, h)) / h**2
    )


def third_order_share() -> float:
    """Return the coefficient of D2 as coded for `dpmsolver++`, over the exact one."""
    h = sp.Symbol("h", positive=True)
    return float(
        sp.simplify(
            -((sp.exp(-h) - 1 + h) / h**2 - sp.Rational(1, 2)) / second_derivative_weight(1)
        )
    )


def sde_third_order_excess() -> float:
    """Return the limit for short steps of the coefficient of D2 as coded for `sde-dpmsolver++`,
    less the exact one.
    """
    h = sp.Symbol("h", positive=True)
    coded = (1 - sp.exp(-2 * h) - 2 * h) / (2 * h) ** 2 - sp.Rational(1, 2)
    return float(sp.limit(coded, h, 0) - sp.limit(second_derivative_weight(2), h, 0))


def ipndm_first_share() -> float:
    r"""Return the part of the first network output v that IPNDM's first step uses, over the part
    that it should use.

    `x0 = alpha x - sigma v`, and as coded `(x - sigma e) / max(alpha, 1e-8)` with `e = sigma x +
    alpha v`, at alpha 0.
    """
    x, v, alpha, sigma = sp.symbols("x v alpha sigma")
    coded = ((x - sigma * (sigma * x + alpha * v)) / sp.Float(1e-8)).subs({alpha: 0, sigma: 1})
    exact = (alpha * x - sigma * v).subs({alpha: 0, sigma: 1})
    return float(sp.diff(coded, v) / sp.diff(exact, v))


def composed_distance(times: Sequence[int], previous: Sequence[int], noisy: bool) -> float:
    """Return W2 to the data after DDIM steps, or DDPM steps if `noisy`, from timesteps to the
    previous ones.

    The betas are linear, 1e-4 to 0.02 on 1000 timesteps; the timestep -1 has no noise. The start is
    standard normal.
    """
    target = two_targets(1.0)
    cumulative = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    mean, variance = torch.zeros_like(target.mean), torch.ones_like(target.mean)
    for now, then in zip(times, previous, strict=True):
        a, b = (
            cumulative[now],
            cumulative[then] if then >= 0 else torch.tensor(1.0, dtype=torch.float64),
        )
        # x0 = m + gain_of_x0 (x - sqrt(a) m)
        gain_of_x0 = a.sqrt() * target.std.square() / (a * target.std.square() + 1 - a)
        if noisy:
            beta = 1 - a / b
            on_x0, on_x = b.sqrt() * beta / (1 - a), (a / b).sqrt() * (1 - b) / (1 - a)
        else:
            beta = torch.zeros_like(a)
            on_x = ((1 - b) / (1 - a)).sqrt()
            on_x0 = b.sqrt() - on_x * a.sqrt()
        gain = on_x0 * gain_of_x0 + on_x
        mean = gain * mean + on_x0 * (1 - gain_of_x0 * a.sqrt()) * target.mean
        variance = gain.square() * variance + beta * (1 - b) / (1 - a)
    return gaussian_w2(mean, variance, target.mean, target.std.square())


def ddim_distance(steps: int) -> float:
    """Return W2 after DDIM steps at evenly spaced timesteps that end 1000 // steps further down, as
    coded.
    """
    times = torch.linspace(999, 0, steps, dtype=torch.float64).round().long().tolist()
    return composed_distance(times, [max(time - 1000 // steps, -1) for time in times], noisy=False)


def ddpm_distance(steps: int) -> float:
    """Return W2 after DDPM steps at evenly spaced timesteps that end one timestep further down, as
    coded.
    """
    times = torch.linspace(999, 0, steps, dtype=torch.float64).round().long().tolist()
    return composed_distance(times, [time - 1 for time in times], noisy=True)


def ddim_inverse_distance(steps: int) -> float:
    """Return W2 to the noise after DDIM's inversion at trailing timesteps, each step 1000 // steps
    long, as coded.

    In `x = a x_0 + b z` the noise z is the target, the data N(0, 1/4). The network is told where a
    step ends.
    """
    target, (mean, variance) = two_targets(1.0), torch.tensor([0.0, 0.25], dtype=torch.float64)
    kept = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    for time in (
        torch.arange(1000, 0, -1000 / steps, dtype=torch.float64).flip(0).round().long() - 1
    ):
        a, b = kept[time].sqrt(), (1 - kept[time]).sqrt()
        before = kept[time - 1000 // steps] if time >= 1000 // steps else torch.ones_like(a)
        # of E[z | x] to x
        response = b * target.std.square() / (b**2 * target.std.square() + a**2 / 4)
        on_x, on_eps = a / before.sqrt(), b - a * (1 - before).sqrt() / before.sqrt()
        mean = (on_x + on_eps * response) * mean + on_eps * (1 - response * b) * target.mean
        variance = (on_x + on_eps * response).square() * variance
    return gaussian_w2(mean, variance, target.mean, target.std.square())


def trailing_noise(steps: int) -> float:
    """Return sigma over alpha at the timestep after the last one that refiners' trailing schedule
    steps from.
    """
    left = 999 - steps * (1000 // steps)
    betas = torch.linspace(8.5e-4**0.5, 1.2e-2**0.5, 1000, dtype=torch.float64).square()
    return float((1 / torch.cumprod(1 - betas, 0)[left] - 1).sqrt())


def churn_factor() -> float:
    """Return `g^2 / (2 t)` of the VE schedule `sigma = sqrt(t)`, `g^2 = d sigma^2 / dt`, at sigma
    1; 1 is right.
    """
    t = sp.Symbol("t", positive=True)
    return float((sp.diff(sp.sqrt(t) ** 2, t) / (2 * t)).subs(t, 1))


def _variable_step_degree(as_coded: bool) -> int:
    """Return the degree of polynomials that a fourth-order variable-step Adams-Bashforth step of
    `ipndm_v` integrates.

    Steps of lengths 1, 2, 4 and 7, the last one first, in diff-sampler's weights as coded, else
    with the three changes.
    """
    h, h1, h2, h3 = map(sp.Integer, (1, 2, 4, 7))
    r, q, s = h1 / h2, h1 * (h1 + h2) / (h2 * (h2 + h3)), h2 / h3
    ratio = h * (h + h1) / (h1 * (h1 + h2))
    second = (
        (1 - h / (3 * (h + h1)) * ratio) / 2 if as_coded else (1 - h / (3 * (h + h1))) * ratio / 2
    )
    sign = 1 if as_coded else -1
    third = (1 - h / (3 * (h + h1))) / 2 + sign * (1 - h / (2 * (h + h1))) * h / (6 * (h + h1 + h2))
    third *= h * (h + h1) * (h + h1 + h2) / (h1 * (h1 + h2) * (h1 + h2 + h3))
    weights = (
        (2 + h / h1) / 2 + second + third,
        -h / h1 / 2 - (1 + r) * second - (1 + r + q) * third,
        second * r + (r + q * (1 + s)) * third,
        -third * q * (r if as_coded else s),
    )
    places = (0, -h1, -h1 - h2, -h1 - h2 - h3)
    exact = (
        sum(w * sp.Integer(at) ** p for w, at in zip(weights, places, strict=True)) * h
        == h ** (p + 1) / (p + 1)
        for p in range(6)
    )
    return next(p for p, is_exact in enumerate(exact) if not is_exact) - 1


def flow_signal_excess() -> float:
    r"""Return the excess of the signal's coefficient after an ancestral step of length h, over h,
    as h falls.

    The step goes from sigma = 1/2 to `sigma' = sigma - h`. It moves the state `(1 - sigma) x_0 +
    sigma z` along the flow to `sigma_down = sigma'^2 / sigma`, and then adds noise of variance
    `sigma'^2 - sigma_down^2` without scaling the state: the signal stays `1 - sigma_down`.
    """
    sigma, h = sp.Rational(1, 2), sp.Symbol("h", positive=True)
    after = sigma - h
    return float(sp.limit(((1 - after**2 / sigma) - (1 - after)) / h, h, 0))


def flow_euler_distance(steps: int) -> float:
    r"""Return W2 to the data after Euler steps of VP's probability flow, `dx = -(beta x + beta s) /
    2 dt`.

    Each of the steps, at `steps` even times from 1 to 1e-3, is 1 / steps long. The start is
    standard normal.
    """
    target = two_targets(1.0)
    mean, variance = torch.zeros_like(target.mean), torch.ones_like(target.mean)
    for time in torch.linspace(1, 1e-3, steps, dtype=torch.float64):
        beta, scale = 0.1 + 19.9 * time, torch.exp(-(19.9 * time**2 / 4 + 0.1 * time / 2))
        precision = 1 / (scale**2 * target.std.square() + 1 - scale**2)
        gain = 1 + beta / 2 / steps * (1 - precision)
        mean = gain * mean + beta / 2 / steps * precision * scale * target.mean
        variance = gain.square() * variance
    return gaussian_w2(mean, variance, target.mean, target.std.square())


DERIVED = {
    "ddim": ddim_distance,
    "ddim_inverse": ddim_inverse_distance,
    "ddpm": ddpm_distance,
    "flow_euler": flow_euler_distance,
    "trailing_noise": trailing_noise,
}


def distance_from_derived(name: str, fixed: bool, derived: str, steps: int) -> Measurement:
    """Compare the effect of a defect, as shipped or with the fix, with that of so many steps in
    closed form.
    """
    return Measurement(value=abs(defects.measured(name, fixed) - DERIVED[derived](steps)))


def distance_of_monai_pndm_from_diffusers() -> Measurement:
    """Compare W2 with the fix with W2 of the same method in diffusers."""
    return Measurement(
        value=abs(fixed(["monai_pndm"]).value - defects.measured("diffusers_pndm", fixed=False))
    )


def degree_of_variable_step_adams_bashforth() -> Measurement:
    """Derive the degree of polynomials that a step as coded integrates on uneven steps; -1 is not
    even a constant.
    """
    return Measurement(
        value=_variable_step_degree(as_coded=True),
        detail={"with the fix": _variable_step_degree(as_coded=False)},
    )


def distance_of_ancestral_samplers_on_a_flow() -> Measurement:
    """Measure W2 after 200 steps of ComfyUI's two samplers on a flow model's states; the least
    counts.
    """
    distances = {
        name: defects.measured(name, fixed=False) for name in ("comfyui_ddpm", "comfyui_res")
    }
    return Measurement(value=min(distances.values()), detail=dict(distances))
