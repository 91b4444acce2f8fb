"""Public steps with log-probabilities are judged as docs/policy_matrix.md says."""

import re

import pytest

from ams.errors import DataUnavailable
from samplercheck.verdict_words import NOTED, REFUTED
from survey.policies import PAGE, STEPS, judged

DERIVED = {
    # standard deviations after 10 steps for data of 0.05 and of 1, by recursions of their own
    "yifan123/flow_grpo: sde_step_with_logprob": ("0.2228", "0.8951"),
    "kvablack/ddpo-pytorch: ddim_step_with_logprob": ("0.0398", "0.8049"),
    "XueZeyue/DanceGRPO: flux_step": ("0.1551", "0.8388"),
    "Tencent-Hunyuan/UniRL: FlowSDEStrategy": ("0.3749", "0.9231"),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_public_step_is_judged_as_its_row_says(name: str) -> None:
    pytest.importorskip("diffusers")
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| {name} |"))
    try:
        report = judged(name)
    except (DataUnavailable, ImportError) as reason:
        pytest.skip(f"not run: {reason}")
    assert f"| {report.verdict} |" in row
    for mark, verdict in (("x", REFUTED), ("-", NOTED)):
        marked = {each.check for each in report.judgements if each.verdict == verdict}
        assert {*re.findall(rf"[ >]{mark} \*(\w+)\*", row)} == marked, report.text()


@pytest.mark.parametrize("name", DERIVED)
def test_its_row_has_the_derived_ends(name: str) -> None:
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| {name} |"))
    few, one = DERIVED[name]
    assert f"std {few} (" in row and f", {one} (" in row
