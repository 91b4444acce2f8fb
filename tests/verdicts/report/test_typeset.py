"""What a reader is shown: formulas that are set, escaped text, and tables, numbers and times in few
signs.

Formulas become MathML and Typst that compiles; what cannot be set stays as written. Tables lose
nothing, and join nothing that does not belong together.
"""

import json
import re
from html import escape

import jinja2
import jupytext
import pytest
import typst
from hypothesis import example, given, settings, strategies as st

from tests.claims import ROOT, claims, entry
from verdicts import Table
from verdicts.claims.loading import CLAIMS
from verdicts.report.blocks import Unreadable, blocks, math, pieces, typst_math
from verdicts.report.tables import LONGEST, NARROW, shown
from verdicts.report.templating import readable, render
from verdicts.report.typeset import formula, inline, markdown, spelled, typeset
from verdicts.report.words import clock, duration, number, required, span


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
    assert line.startswith("none under $AMS_DATA; <math") and line.endswith(
        "</math> and a file of $AMS_DATA"
    )


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet="ab <>&\"'\\_^{}\né≤"))
@example("5 $ each")
def test_text_without_formulas_is_only_escaped(text):
    assert typeset(text) == escape(text)


def test_markdown_sets_formulas_headings_and_tables():
    html = markdown(
        "# Title\n\n$$\\rho = \\frac{a}{b},\n\\beta$$\n\nin $u$\n\n| a |\n|---|\n| $v$ |\n\n"
    )
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


@pytest.mark.parametrize(
    "text", ["community_small, 100 steps", "`beta_1` and $x^2$", "float32 to float64", "epsilons"]
)
def test_words_code_and_formulas_stay(text):
    assert spelled(text) == text


def test_every_quantity_is_set_by_both_documents():
    for claim in claims().claim:
        for check in claim.check:
            marked = spelled(check.quantity)
            unread = "<code>" in typeset(marked) or any("code" in piece for piece in pieces(marked))
            assert unread == ("`" in check.quantity), check.id


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
        (
            r"\begin{pmatrix} 1 & a \\ b & 2\end{pmatrix}",
            r"lr(\( mat(delim: #none, 1, a; b, 2) \))",
        ),
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
    """Return the formulas of all claims, of what people write for the report, and of the groups'
    notebooks.
    """
    groups = claims().group
    files = [f"{group.folder}/{CLAIMS}" for group in groups]
    files += [
        f"paper/{name}.toml"
        for name in ("exhibits", "deviations", "limitations", "findings", "notation")
    ]
    texts = [(ROOT / name).read_text(encoding="utf-8").replace(r"\\", "\\") for name in files]
    for notebook in filter(None, (group.notebook for group in groups)):
        texts += [
            cell.source
            for cell in jupytext.read(ROOT / notebook).cells
            if cell.cell_type == "markdown"
        ]
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
    for tex in (tex for claim in claims().claim for tex in formulas_of(claim.statement)):
        plain = re.sub(
            r"\\(?:text|mathrm|operatorname)\b|\\begin\{\w+\}|\\end\{\w+\}|\\[A-Za-z]+", " ", tex
        )
        written = typst_math(tex)
        for letter in set(re.findall(r"[A-Za-z0-9]", plain)):
            assert written.count(letter) >= plain.count(letter), (letter, tex, written)


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
        "# T\n\nan *em* **b** `c`\nnext $$x$$\n\n1. one\n2. two $y$\n\n> quoted\n\n| a "
        "|\n|---|\n| $z$ |\n\n    code\n"
    )
    assert [block["kind"] for block in found] == [
        "heading",
        "paragraph",
        "list",
        "paragraph",
        "table",
        "code",
    ]
    assert found[0] == {"kind": "heading", "level": 1, "body": [{"text": "T"}]}
    line = found[1]["body"]
    assert (
        {"em": [{"text": "em"}]} in line
        and {"strong": [{"text": "b"}]} in line
        and {"code": "c"} in line
    )
    assert line[-1] == {"math": "x", "display": True}
    assert found[2]["ordered"] and len(found[2]["items"]) == 2
    assert found[4]["rows"] == [[[{"text": "a"}]], [[{"math": "z", "display": False}]]]


def table(header, *rows):
    return Table(id="t", caption="c", header=tuple(header), rows=tuple(map(tuple, rows)))


def test_an_interval_stands_beside_its_value():
    told = shown(table(("x", "y", "low", "high"), ("a", 1.23456, 1.0, 2.0), ("b", 5.0, 5.0, 5.0)))
    assert [column.head for column in told.columns] == ["x", "y"]
    assert told.rows == [("a", "1.23 [1, 2]"), ("b", "5")]
    assert [column.numeric for column in told.columns] == [False, True]


def test_intervals_may_be_named_after_their_value_and_have_ends_in_words():
    told = shown(table(("T", "T low", "T high"), (1234.5, 900.25, "never"), ("", "", "")))
    assert told.rows == [("1230 [900, never]",), ("",)]


def test_the_half_of_an_interval_stands_beside_its_value():
    assert shown(table(("y", "+-"), (0.5, 0.25), (0.5, ""))).rows == [("0.5 ± 0.25",), ("0.5",)]


@pytest.mark.parametrize("ends", [(2.0, 3.0), (0.0, 0.5)])
def test_what_does_not_hold_the_value_is_not_its_interval(ends):
    told = shown(table(("other", "low", "high"), (1.0, 0.5, 1.5), (1.0, *ends)))
    assert [column.head for column in told.columns] == ["other", "low", "high"]


def test_of_a_wide_table_what_every_row_says_is_said_once():
    head = ("sampler", *(f"c{n}" for n in range(NARROW)))
    rows = [("same", "digits", n, 7, "", n, n) for n in range(3)]
    told = shown(table(head, *rows))
    assert told.shared == "c0 digits; c2 7"
    assert [column.head for column in told.columns] == ["sampler", "c1", "c3", "c4", "c5"], (
        "the first column stays"
    )
    assert shown(table(head, *rows[:2])).shared == "", "two rows may agree by chance"
    narrow = table(head[:NARROW], *(row[:NARROW] for row in rows))
    assert len(shown(narrow).columns) == NARROW and shown(narrow).shared == ""


@pytest.mark.parametrize(
    ("rows", "kept"), [(0, 0), (1, 1), (LONGEST, LONGEST), (LONGEST + 1, LONGEST // 2)]
)
def test_a_long_table_is_begun(rows, kept):
    told = shown(table(("n", "square"), *((n, n * n) for n in range(rows))))
    assert len(told.rows) == kept and told.more == rows - kept
    assert [column.head for column in told.columns] == ["n", "square"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-3.0, "−3"),
        (123456.0, "123456"),
        (0.47368, "0.474"),
        (-0.5, "−0.5"),
        (1.2345e-16, "1.23e−16"),
        (2e-07, "2e−7"),
        (5e10, "5e10"),
        (1234567.8, "1.23e6"),
    ],
)
def test_number(value, shown):
    assert number(value) == shown


def test_a_time_that_was_measured():
    assert [duration(each) for each in (0.04, 9.96, 42.3, 600.0)] == [
        "0.0 s",
        "10.0 s",
        "42 s",
        "10.0 min",
    ]
    assert [clock(each) for each in (0.4, 59.4, 90.2, 120)] == [
        "0 s",
        "59 s",
        "1 min 30 s",
        "2 min",
    ]
    assert [clock(each) for each in (3599.7, 3900)] == ["1 h", "1 h 5 min"]


def test_a_range_of_times():
    assert [span(0.3, 1), span(22, 41), span(99, 99)] == ["5 s", "20 to 40 s", "2 min"]
    assert [span(170, 310), span(4800, 9100)] == ["3 to 5 min", "1.5 to 2.5 h"]


@pytest.mark.parametrize(
    ("relation", "bound", "tolerance", "shown"),
    [
        ("<=", 0, 0.005, "≤ 0.005"),
        (">=", 1.5, 0.015, "≥ 1.485"),
        ("<=", 5, 0, "≤ 5"),
        ("=", 0, 0.03, "= 0 ± 0.03"),
    ],
)
def test_what_is_required_has_the_tolerance_in_it(relation, bound, tolerance, shown):
    assert required(entry(relation, bound, tolerance)) == shown


def test_readable_json_keeps_letters():
    assert readable({"β": [1]}) == '{\n  "β": [\n    1\n  ]\n}'


def test_template_refuses_to_leave_a_blank():
    with pytest.raises(jinja2.UndefinedError):
        render("notebook.html.j2", title="t")
