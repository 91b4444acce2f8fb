"""Formulas become MathML, in quantities too; everything else is escaped, and what cannot be set stays as written."""

from html import escape

import pytest
from hypothesis import example, given, settings, strategies as st

from tests.verdicts.toy import REPOSITORY
from verdicts.claims.loading import load_claims
from verdicts.report.blocks import pieces
from verdicts.report.typeset import formula, markdown, spelled, typeset


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"\frac{1}{2}", "<mfrac>"),
        (r"\tfrac12", "<mfrac>"),
        (r"\dfrac12", "<mfrac>"),
        (r"\mathrm{clip}(x)", "clip"),
        (r"\arg\min_u", "<mo>arg</mo>"),
        (r"\lVert x \rVert", "&#x02016;"),
        (r"\sqrt{2a}", "<msqrt>"),
        (r"\bm{x}", "<mi"),
    ],
)
def test_formula_is_mathml(tex, expected):
    markup = formula(tex)
    assert expected in markup
    assert markup.startswith("<math")
    assert "http" not in markup and "\\" not in markup


def test_display_formula_is_a_block():
    assert 'display="block"' in formula("x", display=True)
    assert 'display="inline"' in formula("x")


@pytest.mark.parametrize("tex", [r"\frac{", r"\left( x", r"{", r"\begin{matrix} 1"])
def test_malformed_formula_shows_its_source(tex):
    assert formula(tex) == f"<code>{tex}</code>"


def test_typeset_mixes_text_formulas_and_code():
    line = typeset("a < b, $x^2$, `c<d>`, $$y$$")
    assert line.startswith("a &lt; b, <math")
    assert "<msup>" in line and "<code>c&lt;d&gt;</code>" in line and 'display="block"' in line


def test_the_name_of_an_environment_variable_is_no_formula():
    line = typeset("none under $AMS_DATA; $x$ and a file of $AMS_DATA")
    assert line.startswith("none under $AMS_DATA; <math") and line.endswith("</math> and a file of $AMS_DATA")


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet="ab <>&\"'\\_^{}\né≤"))
@example("5 $ each")
def test_text_without_formulas_is_only_escaped(text):
    assert typeset(text) == escape(text)


def test_markdown_sets_formulas_headings_and_tables():
    html = markdown("# Title\n\n$$\\rho = \\frac{a}{b},\n\\beta$$\n\nin $u$\n\n| a |\n|---|\n| $v$ |\n\n")
    assert "<h1>Title</h1>" in html and "<table>" in html
    assert html.count("<math") == 3 and "$" not in html and "<mfrac>" in html


def test_markdown_sets_latex_environments():
    html = markdown("\\begin{align} a &= b \\\\ c &= d \\end{align}\n")
    assert "<mtable" in html and "begin" not in html


@pytest.mark.parametrize(
    ("plain", "marked"),
    [
        ("rho_1 minus a/(a + eps)", r"$\rho_{1}$ minus a/(a + $\epsilon$)"),
        ("E|s_t - s_{t-1}|^2", "E|$s_{t}$ - $s_{t-1}$|${}^{2}$"),
        ("(1 - sqrt b)^4 lam Var x", r"(1 - $\sqrt{b}$)${}^{4}$ $\lambda$ Var x"),
        ("1 - r ~ kappa^-p", r"1 - r ~ $\kappa^{-p}$"),
        ("W2 to pi^c as u -> 0", r"$W_2$ to $\pi^{c}$ as u → 0"),
        ("sqrt kappa <= 3", r"$\sqrt{\kappa}$ ≤ 3"),
    ],
)
def test_formulas_are_marked(plain, marked):
    assert spelled(plain) == marked


@pytest.mark.parametrize("text", ["community_small, 100 steps", "`beta_1` and $x^2$", "float32 to float64", "epsilons"])
def test_words_code_and_formulas_stay(text):
    assert spelled(text) == text


def test_every_quantity_is_set_by_both_documents():
    for claim in load_claims(REPOSITORY).claim:
        for check in claim.check:
            marked = spelled(check.quantity)
            unread = "<code>" in typeset(marked) or any("code" in piece for piece in pieces(marked))
            assert unread == ("`" in check.quantity), check.id
