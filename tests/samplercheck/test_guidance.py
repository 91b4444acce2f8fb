"""Guidance on Gaussian classes: closed forms, a fine solver, a sampler at many steps, and where there is no density."""

import pytest
import torch

from ams.rk45 import flow_rk45
from samplercheck.as_used import _score, with_guidance
from samplercheck.convergence import Data
from samplercheck.guidance import guided_distances, guided_flow, powered
from samplercheck.model import guided
from tests.ams.tools import assert_equal
from tests.samplercheck.references import REFERENCES

CLASS = Data(*torch.tensor([[0.0, 1.0], [1.0, 0.3]], dtype=torch.float64))
EVERY = Data(*torch.tensor([[0.0, -0.4], [2**0.5, 0.7]], dtype=torch.float64))
NETWORK, FLOW = guided(CLASS.network(), EVERY.network(), 3.0), guided_flow(CLASS, EVERY, 3.0)


@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0, 7.5])
def test_variances_of_the_density_and_of_the_flow(weight: float) -> None:
    """As in arXiv 2408.09000, section 3, in the first direction."""
    target, flow = powered(CLASS, EVERY, weight), guided_flow(CLASS, EVERY, weight)
    assert target is not None and target.std[0].square().item() == pytest.approx(2 / (weight + 1))
    assert flow.std[0].square().item() == pytest.approx(2 ** (1 - weight))


def test_the_flow_is_that_of_a_fine_solver_and_of_a_sampler_with_many_steps() -> None:
    start = torch.tensor([[0.0, 0.0], [1e4, 1e4]], dtype=torch.float64)
    ends, _ = flow_rk45(start, _score(NETWORK), 1e4, 1e-5, 1e-8, 1e-8)
    assert_equal([ends[0], ends[1] - ends[0]], [FLOW.mean, FLOW.std], 1e-3, 1e-4)
    target = powered(CLASS, EVERY, 3.0)
    assert target is not None
    found = guided_distances(REFERENCES["Heun"].sampler("Heun"), NETWORK, FLOW, target, (20, 200))
    assert found["200"] == pytest.approx(found["flow"], rel=1e-2) != pytest.approx(found["20"], rel=1e-2)


def test_no_density_and_no_exact_distribution_are_said() -> None:
    assert powered(CLASS, CLASS._replace(std=2 * CLASS.std), -0.34) is None
    text = with_guidance(REFERENCES["ancestral"].sampler("ancestral"), -0.5).text()
    assert "p(c|x)^-0.5: none, it has no density" in text
    clean = REFERENCES["DDIM, eta 0.6"]
    by_batch = clean._replace(run=lambda network, x, *given: clean.run(network, x, *given) * (1 + x.std()))
    assert list(with_guidance(by_batch.sampler("a factor of the batch"), 2.0).to_density) == ["flow"]
