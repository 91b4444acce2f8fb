import pytest
from heun import sample, sigmas

from samplercheck import Sampler, noise_level
from samplercheck.pytest_plugin import conformance_cases


def run(network, x, steps, draws):
    return sample(lambda x, sigma: network("x0", x, noise_level(1.0, sigma)), x, sigmas(steps))


heun = Sampler(
    "heun", "1.0", run, prior=lambda steps: 10.0, evaluations=lambda steps: 2 * steps - 1
)


@pytest.mark.parametrize("check", conformance_cases(heun, order=2))
def test_conformance(check):
    check()
