"""Each line of the proofs on contraction says something: another sign breaks it."""

import ast
import inspect
from collections.abc import Callable, Iterator

import pytest

from beyond.contraction import adaptive, checks, smooth
from verdicts import Measurement

PROOFS = (
    checks.terms_left_of_the_identities,
    checks.terms_left_of_the_region,
    checks.terms_left_of_the_comparison_with_langevin,
    adaptive.terms_left_of_the_difference,
    smooth.terms_left_of_the_moved_chain,
)


def broken(proof: Callable[[], Measurement]) -> Iterator[float]:
    """Yield the terms left with the outermost sign of each line, in turn, changed."""
    tree = ast.parse(inspect.getsource(proof))
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef) and isinstance(function.body[-1], ast.Return)
    lines = function.body[-1].value
    assert isinstance(lines, ast.Call)
    for line in lines.args:
        nodes = (node for node in ast.walk(line) if isinstance(node, ast.BinOp))
        outermost = next(node for node in nodes if isinstance(node.op, ast.Add | ast.Sub))
        sign = outermost.op
        outermost.op = ast.Sub() if isinstance(sign, ast.Add) else ast.Add()
        module = dict(vars(inspect.getmodule(proof)))
        exec(compile(tree, "changed", "exec"), module)
        yield module[proof.__name__]().value
        outermost.op = sign


@pytest.mark.parametrize("proof", PROOFS)
def test_another_sign_breaks_each_line(proof: Callable[[], Measurement]) -> None:
    assert proof().value == 0
    values = list(broken(proof))
    assert len(values) > 1 and min(values) > 0
