r"""Classifier-free guidance on Gaussian classes: how far guided samples are from the density that its weight names.

With p(x) = N(m_0, s_0^2) and p(x|c) = N(m_1, s_1^2) in each direction, guidance of weight W combines their scores at
each noise level t = sigma^2, `g_t = W grad log p_t(x|c) + (1 - W) grad log p_t(x)`. The density that it is named after,

    p(x) p(c|x)^W  ~  p(x)^(1 - W) p(x|c)^W,

is a Gaussian of precision `P = W / s_1^2 + (1 - W) / s_0^2` and mean `(W m_1 / s_1^2 + (1 - W) m_0 / s_0^2) / P`, where
P > 0. Elsewhere it cannot be normalised. But g_t is not the score of that density with noise added, so that no sampler
of g_t has it as its limit. The flow `dx/dt = -g_t / 2` from t = infinity ends in a Gaussian too, with

    std = s_1^W s_0^(1 - W),
    mean = 1/2 int_0^inf G_0 / G_t (W m_1 / (s_1^2 + t) + (1 - W) m_0 / (s_0^2 + t)) dt,

where `G_t = (s_1^2 + t)^(W/2) (s_0^2 + t)^((1-W)/2)`. For m_0 = m_1 = 0, s_0^2 = 2, s_1 = 1 the variances are
2 / (W + 1) and 2^(1 - W), as in Bradley and Nakkiran, "Classifier-Free Guidance is a Predictor-Corrector" (arXiv
2408.09000, section 3), who show that the reverse SDE ends in a third Gaussian. The exact flow's distance is so a
property of guidance, not of a sampler.
"""

import torch
from torch import Tensor

from ams.metrics.gaussian import gaussian_w2
from samplercheck.affine_map import AFFINE, read_map
from samplercheck.convergence import Data
from samplercheck.model import Recorded
from samplercheck.sampler import Sampler, one_thread

_LOG_TIMES = torch.arange(-40.0, 90.0, 0.25, dtype=torch.float64)
"""Nodes of the mean's integral in ln(t / s_0^2): the integrand falls exponentially at both ends of them."""


def powered(conditional: Data, unconditional: Data, weight: float) -> Data | None:
    """Return the Gaussian `p(x) p(c|x)^W`, None where a direction's precision is not positive: it has no density."""
    parts = ((weight, conditional), (1 - weight, unconditional))
    precision = sum((w / data.std.square() for w, data in parts), torch.zeros(()))
    if not bool((precision > 0).all()):
        return None
    weighted = sum((w * data.mean / data.std.square() for w, data in parts), torch.zeros(()))
    return Data(weighted / precision, precision.rsqrt())


def guided_flow(conditional: Data, unconditional: Data, weight: float) -> Data:
    """Return the Gaussian at the end of the exact flow of guidance, from noise of infinite variance.

    The mean is by the rule of trapezoids in ln t, whose error for such an integrand falls exponentially with the nodes.
    """
    parts = ((weight, conditional), (1 - weight, unconditional))
    t = unconditional.std.square() * _LOG_TIMES.exp()[:, None]
    log_gain = sum((-w / 2 * (t / data.std.square()).log1p() for w, data in parts), torch.zeros(()))
    source = sum((w * data.mean / (data.std.square() + t) for w, data in parts), torch.zeros(()))
    mean = torch.trapezoid(t * log_gain.exp() * source, dx=0.25, dim=0) / 2
    return Data(mean, conditional.std**weight * unconditional.std ** (1 - weight))


@one_thread()
def guided_distances(
    sampler: Sampler, network: Recorded, flow: Data, target: Data, steps: tuple[int, ...]
) -> dict[str, float]:
    """Return W2 to `target` of the exact `flow`, and of runs of `steps` steps from the library's own start.

    The unit is the data's scale. A sampler has no runs here whose distribution is not exact: one that is not affine, or
    whose coefficients depend on the samples of its batch, so that two batches differ in them.
    """

    def distance(mean: Tensor, variance: Tensor) -> float:
        return gaussian_w2(mean, variance, target.mean, target.std.square()) / sampler.data_std

    distances = {"flow": distance(flow.mean, flow.std.square())}
    for count in steps:
        maps = [read_map(sampler, network, len(target.mean), count, seed) for seed in (0, 1)]
        first, second = (torch.stack(each.law(-1, 0.0, sampler.prior(count) ** 2)) for each in maps)
        if max(each.defect for each in maps) <= AFFINE and torch.allclose(first, second, AFFINE):
            distances[str(count)] = distance(*first)
    return distances
