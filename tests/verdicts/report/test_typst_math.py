"""Every formula of the suite becomes Typst that compiles without a warning; what cannot be read is refused."""

import json
import re

import jupytext
import pytest
import typst

from tests.claims import ROOT
from verdicts.claims.loading import CLAIMS, load_claims
from verdicts.report.blocks import blocks, math, pieces
from verdicts.report.typeset import inline
from verdicts.report.typst_math import Unreadable, typst_math

SHOW = """#let formulas = json(bytes(sys.inputs.data))
#show math.equation: set text(font: "New Computer Modern Math")
#for formula in formulas { math.equation(block: true, eval(formula, mode: "math")) }
"""


@pytest.mark.parametrize(
    ("tex", "written"),
    [
        ("x", "x"),
        (r"\lambda", "λ"),
        ("-1", "− 1"),
        (r"\frac{1}{2}", "frac(1, 2)"),
        (r"\tfrac12", "frac(1, 2)"),
        (r"\sqrt{2a}", "sqrt(2 a)"),
        (r"\sqrt[3]{a}", "root(3, a)"),
        ("x_t", "attach(x, b: t)"),
        ("x^{a+b}", r"attach(x, t: a \+ b)"),
        ("x_t^2", "attach(x, b: t, t: 2)"),
        (r"\varphi'", "attach(φ, tr: ′)"),
        ("a/b", r"a \/ b"),
        ("f(x, y)", r"f \( x \, y \)"),
        (r"\left(\frac12\right)", r"lr(\( frac(1, 2) \))"),
        (r"\mathrm{Var}\,x", 'op("Var") thin x'),
        (r"\arg\min", 'op("arg") op("min", limits: #true)'),
        (r"\max_x", 'attach(op("max", limits: #true), b: x)'),
        (r"\text{a \"b\"}", r'"a \\\"b\\\""'),
        (r"1 \sim u", "1 ∼ u"),
        (r"\mathcal L", "cal(L)"),
        (r"\hat p", "accent(p, hat)"),
        (r"|e|", r'class("opening", \|) e class("closing", \|)'),
        (r"|e|^2", r'class("opening", \|) e attach(class("closing", \|), t: 2)'),
        (r"p(x|y)", r"p \( x \| y \)"),
        (r"\begin{pmatrix} 1 & a \\ b & 2\end{pmatrix}", r"lr(\( mat(delim: #none, 1, a; b, 2) \))"),
        (r"\underbrace{x}_{\text{drift}}", 'underbrace(x, "drift")'),
        (r"\sum_k^n", "attach(∑, b: k, t: n)"),
        (r".4", '".4"'),
    ],
)
def test_a_formula_in_typst(tex, written):
    assert typst_math(tex) == written


@pytest.mark.parametrize("tex", [r"\frac{", r"\left( x", "{", r"\begin{matrix} 1"])
def test_a_malformed_formula_is_refused_and_shown_as_its_source(tex):
    with pytest.raises(Unreadable):
        typst_math(tex)
    assert math(tex) == {"code": tex}


def formulas_of(text: str) -> list[str]:
    return [piece for kind, piece in inline(text) if kind in ("formula", "display")]


def every_formula() -> list[str]:
    """Return the formulas of all claims, of what people write for the report, and of the groups' notebooks."""
    groups = load_claims(ROOT).group
    files = [f"{group.folder}/{CLAIMS}" for group in groups]
    files += [f"paper/{name}.toml" for name in ("exhibits", "deviations", "limitations", "findings", "notation")]
    texts = [(ROOT / name).read_text(encoding="utf-8").replace(r"\\", "\\") for name in files]
    for notebook in filter(None, (group.notebook for group in groups)):
        texts += [cell.source for cell in jupytext.read(ROOT / notebook).cells if cell.cell_type == "markdown"]
    return list(dict.fromkeys(formula for text in texts for formula in formulas_of(text)))


def test_every_formula_of_claims_and_notebooks_compiles_without_a_warning():
    formulas = every_formula()
    assert len(formulas) > 300
    compiler = typst.Compiler(
        SHOW.encode(),
        font_paths=typst.Fonts(include_system_fonts=False),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(list(map(typst_math, formulas)))},
    )
    document, warnings = compiler.compile_with_warnings(format="pdf")
    assert document and [warning.message for warning in warnings] == []


def test_no_letter_of_a_statement_is_lost():
    claims = load_claims(ROOT).claim
    for formula in (formula for claim in claims for formula in formulas_of(claim.statement)):
        plain = re.sub(r"\\(?:text|mathrm|operatorname)\b|\\begin\{\w+\}|\\end\{\w+\}|\\[A-Za-z]+", " ", formula)
        written = typst_math(formula)
        for letter in set(re.findall(r"[A-Za-z0-9]", plain)):
            assert written.count(letter) >= plain.count(letter), (letter, formula, written)


def test_a_line_in_pieces():
    assert pieces("a `c` of $x$.") == [
        {"text": "a "},
        {"code": "c"},
        {"text": " of "},
        {"math": "x", "display": False},
        {"text": "."},
    ]
    assert pieces("") == [] and pieces("5 $ each") == [{"text": "5 $ each"}]


def test_markdown_in_blocks():
    found = blocks(
        "# T\n\nan *em* **b** `c`\nnext $$x$$\n\n1. one\n2. two $y$\n\n> quoted\n\n| a |\n|---|\n| $z$ |\n\n    code\n"
    )
    assert [block["kind"] for block in found] == ["heading", "paragraph", "list", "paragraph", "table", "code"]
    assert found[0] == {"kind": "heading", "level": 1, "body": [{"text": "T"}]}
    line = found[1]["body"]
    assert {"em": [{"text": "em"}]} in line and {"strong": [{"text": "b"}]} in line and {"code": "c"} in line
    assert line[-1] == {"math": "x", "display": True}
    assert found[2]["ordered"] and len(found[2]["items"]) == 2
    assert found[4]["rows"] == [[[{"text": "a"}]], [[{"math": "z", "display": False}]]]
