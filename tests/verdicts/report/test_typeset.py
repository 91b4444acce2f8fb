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
from verdicts.report.tables import NARROW, shown
from verdicts.report.templating import render
from verdicts.report.typeset import formula, inline, markdown, spelled, typeset
from verdicts.report.words import clock, duration, number, required, span


@pytest.mark.parametrize(
    ("tex", "in_mathml", "in_typst"),
    [
        (r"\tfrac12", "<mfrac>", "frac(1, 2)"),
        (r"\sqrt{2a}", "<msqrt>", "sqrt(2 a)"),
        (r"\arg\min_u", "<mo>arg</mo>", 'op("arg") attach(op("min", limits: #true), b: u)'),
        (r"\bm{x}", "<mi", "bold(x)"),
        (r"\mathrm{Var}\,x", "Var", 'op("Var") thin x'),
        (r"\lambda -1", "&#x003BB;", "λ − 1"),
        ("x_t^{a+b}", "<msubsup>", r"attach(x, b: t, t: a \+ b)"),
        (r"\varphi'", "<msup>", "attach(φ, tr: ′)"),
        (r"f(x, y)/b", "<mo>", r"f \( x \, y \) \/ b"),
        (r"\left(\frac12\right)", "<mfrac>", r"lr(\( frac(1, 2) \))"),
        ('\\text{a "b"}', "<mtext>", r'"a \"b\""'),
        (r"1 \sim u", "<mn>1</mn>", "1 ∼ u"),
        (r"\mathcal L", "<mi", "cal(L)"),
        (r"\hat p", "<mover", "accent(p, hat)"),
        (r"|e|^2", "<mo", r'class("opening", \|) e attach(class("closing", \|), t: 2)'),
        (r"p(x|y)", "<mo", r"p \( x \| y \)"),
        (
            r"\begin{pmatrix} 1 & a \\ b & 2\end{pmatrix}",
            "<mtable",
            r"lr(\( mat(delim: #none, 1, a; b, 2) \))",
        ),
        (r"\underbrace{x}_{\text{drift}}", "<munder>", 'underbrace(x, "drift")'),
        (".4", ".4", '".4"'),
    ],
)
def test_a_formula_in_mathml_and_in_typst(tex, in_mathml, in_typst):
    markup = formula(tex)
    assert (
        markup.startswith("<math")
        and in_mathml in markup
        and "http" not in markup
        and "\\" not in markup
    )
    assert typst_math(tex) == in_typst
    assert all(f'display="{kind}"' in formula(tex, kind == "block") for kind in ("block", "inline"))


@pytest.mark.parametrize("tex", [r"\frac{", r"\left( x", "{", r"\begin{matrix} 1", r"\breve x"])
def test_a_malformed_formula_is_refused_and_shown_as_its_source(tex):
    with pytest.raises(Unreadable):
        typst_math(tex)
    assert math(tex) == {"code": tex}
    assert tex.startswith(r"\breve") or formula(tex) == f"<code>{tex}</code>"


def test_a_line_mixes_text_formulas_and_code():
    line = typeset("a < b, $x^2$, `c<d>`, $$y$$; none under $AMS_DATA")
    assert line.startswith("a &lt; b, <math") and line.endswith("</math>; none under $AMS_DATA")
    assert "<msup>" in line and "<code>c&lt;d&gt;</code>" in line and 'display="block"' in line
    assert pieces("a `c` of $x$.") == [
        {"text": "a "},
        {"code": "c"},
        {"text": " of "},
        {"math": "x", "display": False},
        {"text": "."},
    ]


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet="ab <>&\"'\\_^{}\né≤"))
@example("5 $ each")
def test_text_without_formulas_is_only_escaped(text):
    assert typeset(text) == escape(text)


TEXT = """# T

an *em* **b** `c`
next $$\\frac{x}{2}$$

1. one
2. two $y$

> quoted

| a |
|---|
| $z$ |

\\begin{align} a &= b \\end{align}

    code
"""


def test_markdown_has_formulas_headings_lists_and_tables_in_both_documents():
    html, found = markdown(TEXT), blocks(TEXT)
    assert "<h1>T</h1>" in html and "<table>" in html and "<mtable" in html
    assert html.count("<math") == 4 and "$" not in html
    kinds = ["heading", "paragraph", "list", "paragraph", "table", "paragraph", "code"]
    assert [block["kind"] for block in found] == kinds
    line = found[1]["body"]
    assert (
        {"em": [{"text": "em"}]} in line
        and {"strong": [{"text": "b"}]} in line
        and {"code": "c"} in line
    )
    assert line[-1] == {"math": "frac(x, 2)", "display": True}
    assert found[2]["ordered"] and len(found[2]["items"]) == 2
    assert found[4]["rows"] == [[[{"text": "a"}]], [[{"math": "z", "display": False}]]]


@pytest.mark.parametrize(
    ("plain", "marked"),
    [
        ("rho_1 minus a/(a + eps)", r"$\rho_{1}$ minus a/(a + $\epsilon$)"),
        ("E|s_t - s_{t-1}|^2", "E|$s_{t}$ - $s_{t-1}$|${}^{2}$"),
        ("1 - r ~ kappa^-p", r"1 - r ~ $\kappa^{-p}$"),
        ("W2 to pi^c as u -> 0", r"$W_2$ to $\pi^{c}$ as u → 0"),
        ("sqrt kappa <= 3", r"$\sqrt{\kappa}$ ≤ 3"),
        *(
            (text, text)
            for text in ("community_small, 100 steps", "`beta_1` and $x^2$", "float32", "epsilons")
        ),
    ],
)
def test_formulas_of_a_quantity_are_marked_and_words_code_and_formulas_stay(plain, marked):
    assert spelled(plain) == marked


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


def formulas_of(text: str) -> list[str]:
    return [piece for kind, piece in inline(text) if kind in ("formula", "display")]


def every_formula() -> list[str]:
    """Return the formulas of all claims, of what people write for the report, and of the groups'
    notebooks.
    """
    files = [ROOT / group.folder / CLAIMS for group in claims().group] + sorted(
        (ROOT / "paper").glob("*.toml")
    )
    texts = [file.read_text(encoding="utf-8").replace(r"\\", "\\") for file in files]
    for notebook in filter(None, (group.notebook for group in claims().group)):
        texts += [
            cell.source
            for cell in jupytext.read(ROOT / notebook).cells
            if cell.cell_type == "markdown"
        ]
    return list(dict.fromkeys(formula for text in texts for formula in formulas_of(text)))


def test_every_formula_of_claims_and_notebooks_compiles_without_a_warning_and_keeps_its_letters():
    formulas = every_formula()
    assert len(formulas) > 300
    written = [typst_math(tex) for tex in formulas]
    compiler = typst.Compiler(
        SHOW.encode(),
        font_paths=typst.Fonts(include_system_fonts=False),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(written)},
    )
    document, warnings = compiler.compile_with_warnings(format="pdf")
    assert document and [warning.message for warning in warnings] == []
    for tex, typeset_as in zip(formulas, written, strict=True):
        plain = re.sub(r"\\(?:begin|end)\{\w+\}|\\[A-Za-z]+", " ", tex)
        for letter in set(re.findall(r"[A-Za-z0-9]", plain)):
            assert typeset_as.count(letter) >= plain.count(letter), (letter, tex, typeset_as)


def table(header, *rows):
    return Table(id="t", caption="c", header=tuple(header), rows=tuple(map(tuple, rows)))


@pytest.mark.parametrize(
    ("header", "rows", "heads", "cells"),
    [
        (
            ("x", "y", "low", "high"),
            [("a", 1.23456, 1.0, 2.0), ("b", 5.0, 5.0, 5.0)],
            "x y",
            ["a", "1.23 [1, 2]", "b", "5"],
        ),
        (
            ("T", "T low", "T high"),
            [(1234.5, 900.25, "never"), ("", "", "")],
            "T",
            ["1230 [900, never]", ""],
        ),
        (("y", "+-"), [(0.5, 0.25), (0.5, "")], "y", ["0.5 ± 0.25", "0.5"]),
        (("y", "low", "high"), [(1.0, 2.0, 3.0)], "y low high", ["1", "2", "3"]),
    ],
)
def test_an_interval_stands_beside_its_value_where_it_holds_it(header, rows, heads, cells):
    told = shown(table(header, *rows))
    assert " ".join(column.head for column in told.columns) == heads
    assert [
        cell for row in zip(*(column.cells for column in told.columns), strict=True) for cell in row
    ] == cells
    assert told.columns[-1].numeric


def test_of_a_wide_table_what_every_row_says_is_said_once():
    head = ("sampler", *(f"c{n}" for n in range(NARROW)))
    rows = [("same", "digits", n, 7, "", n, n) for n in range(3)]
    told = shown(table(head, *rows))
    assert told.shared == "c0 digits; c2 7"
    assert [column.head for column in told.columns] == ["sampler", "c1", "c3", "c4", "c5"], (
        "the first column stays"
    )
    assert shown(table(head, *rows[:2])).shared == "", "two rows may agree by chance"
    assert shown(table(head[:NARROW], *(row[:NARROW] for row in rows))).shared == ""


NUMBERS = {-0.0: "0", -3.0: "−3", 123456.0: "123456", 0.47368: "0.474", 1.2345e-16: "1.23e−16"}
NUMBERS |= {2e-07: "2e−7", 5e10: "5e10", 1234567.8: "1.23e6"}


def test_numbers_and_times_are_short():
    assert {value: number(value) for value in NUMBERS} == NUMBERS and number(None) == "–"
    assert [duration(each) for each in (0.04, 9.96, 42.3, 600.0)] == [
        "0.0 s",
        "10.0 s",
        "42 s",
        "10.0 min",
    ]
    assert [clock(each) for each in (59.4, 90.2, 120)] == ["59 s", "1 min 30 s", "2 min"]
    assert [clock(each) for each in (3599.7, 3900)] == ["1 h", "1 h 5 min"]
    assert [span(0.3, 1), span(22, 41), span(99, 99)] == ["5 s", "20 to 40 s", "2 min"]
    assert [span(170, 310), span(4800, 9100)] == ["3 to 5 min", "1.5 to 2.5 h"]


@pytest.mark.parametrize(
    ("relation", "bound", "tolerance", "shown"),
    [("<=", 0, 0.005, "≤ 0.005"), (">=", 1.5, 0.015, "≥ 1.485"), ("=", 0, 0.03, "= 0 ± 0.03")],
)
def test_what_is_required_has_the_tolerance_in_it(relation, bound, tolerance, shown):
    assert required(entry(relation, bound, tolerance)) == shown


def test_template_refuses_to_leave_a_blank():
    with pytest.raises(jinja2.UndefinedError):
        render("notebook.html.j2", title="t")
