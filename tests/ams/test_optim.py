"""SGDF: the published rule to the last digits, what is kept and read back, what a compiler makes
of it, bad input.
"""

import copy
import io
import math

import pytest
import torch
from torch import Tensor, nn

from ams.optim import SGDF

BETAS, EPS = (0.9, 0.999), 1e-8


def transcribed(
    x: list[float], gradients: list[list[float]], rate: float, gamma: float, decay: float
) -> list[float]:
    """Return where the published rule ends, entry by entry in Python's numbers: corrected
    averages, no shortcuts.
    """
    (b1, b2), m, s = BETAS, [0.0] * len(x), [0.0] * len(x)
    for t, row in enumerate(gradients, 1):
        for i, plain in enumerate(row):
            g = plain + decay * x[i]
            m[i] = b1 * m[i] + (1 - b1) * g
            s[i] = b2 * s[i] + (1 - b2) * (g - m[i]) ** 2
            m_hat = m[i] / (1 - b1**t)
            s_hat = s[i] * (1 - b1) * (1 - b1 ** (2 * t)) / ((1 + b1) * (1 - b2**t))
            gain = s_hat / (s_hat + (g - m_hat) ** 2 + EPS)
            x[i] = x[i] - rate * (m_hat + math.pow(gain, gamma) * (g - m_hat))
    return x


def descended(optimiser: SGDF, gradients: Tensor) -> None:
    """Make a step with each gradient, all parameters flat in one row."""
    for row in gradients:
        at = 0
        for x in optimiser.param_groups[0]["params"]:
            x.grad = row[at : at + x.numel()].reshape(x.shape).clone()
            at += x.numel()
        optimiser.step()


def start(dtype: torch.dtype = torch.float64) -> list[nn.Parameter]:
    draw = torch.Generator().manual_seed(1)
    return [
        nn.Parameter(torch.randn(shape, generator=draw, dtype=dtype)) for shape in ((3, 2), (4,))
    ]


def flat(parameters: list[nn.Parameter]) -> Tensor:
    return torch.cat([x.detach().flatten() for x in parameters])


def gradients(steps: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(steps, 10, generator=torch.Generator().manual_seed(2), dtype=dtype)


@pytest.mark.parametrize(
    ("rate", "gamma", "decay"), [(0.5, 0.5, 0.0), (0.5, 1.0, 0.0), (0.1, 0.3, 0.05)]
)
def test_it_is_the_published_rule(rate: float, gamma: float, decay: float) -> None:
    parameters, given = start(), gradients(200)
    wanted = transcribed(flat(parameters).tolist(), given.tolist(), rate, gamma, decay)
    descended(SGDF(parameters, lr=rate, gamma=gamma, weight_decay=decay), given)
    assert (flat(parameters) - torch.tensor(wanted, dtype=torch.float64)).abs().max() < 1e-12


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_its_state_is_kept_and_read_back(dtype: torch.dtype) -> None:
    parameters, given = start(dtype), gradients(30, dtype)
    optimiser = SGDF(parameters, lr=0.2)
    descended(optimiser, given[:10])
    stream = io.BytesIO()
    torch.save(optimiser.state_dict(), stream)
    stream.seek(0)
    others = copy.deepcopy(parameters)
    resumed = SGDF(others)
    resumed.load_state_dict(torch.load(stream, weights_only=True))
    for each in (optimiser, resumed):
        descended(each, given[10:])
    assert torch.equal(flat(parameters), flat(others))


def test_a_compiler_traces_it_twice_and_changes_nothing() -> None:
    """Once with the state made, once with the state there: the number of the step is no constant
    of the trace.
    """
    from torch._dynamo.testing import CompileCounter

    parameters, others, given = start(), start(), gradients(20)
    plain, compiled, counter = SGDF(parameters), SGDF(others), CompileCounter()
    step = compiled.step
    compiled.step = torch.compile(lambda: step(), backend=counter)  # type: ignore[method-assign]
    for each in (plain, compiled):
        descended(each, given)
    assert torch.equal(flat(parameters), flat(others)) and counter.frame_count == 2


def test_a_closure_is_called_with_gradients() -> None:
    (x,) = parameters = [nn.Parameter(torch.ones(3))]
    optimiser = SGDF(parameters)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = x.square().sum()
        loss.backward()
        return loss

    assert optimiser.step(closure) == 3.0 and x.detach().max() < 1.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lr": 0.0}, "lr = 0.0"),
        ({"betas": (0.9, 1.0)}, "betas"),
        ({"betas": (0.9,)}, "betas"),
        ({"eps": 0.0}, "eps"),
        ({"gamma": -1.0}, "gamma"),
        ({"weight_decay": math.nan}, "weight_decay"),
    ],
)
def test_what_is_out_of_range_is_refused(given: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SGDF(start(), **given)


def test_a_sparse_gradient_is_refused() -> None:
    table = nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="sparse"):
        SGDF(table.parameters()).step()
