"""A table as LaTeX, in the form of the package booktabs, ready for `\\input`."""

from tabulate import LATEX_ESCAPE_RULES, tabulate

from verdicts.records.figures import Table, TableCell
from verdicts.records.inline import inline

SIGNS = {
    "−": r"\ensuremath{-}",
    "±": r"\ensuremath{\pm}",
    "×": r"\ensuremath{\times}",
    "≤": r"\ensuremath{\le}",
    "≥": r"\ensuremath{\ge}",
    "→": r"\ensuremath{\to}",
    "∞": r"\ensuremath{\infty}",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "\n": " ",
}
_ESCAPED = str.maketrans(LATEX_ESCAPE_RULES | SIGNS)
_PIECES = {"text": "{}", "code": r"\texttt{{{}}}", "formula": "${}$", "display": "${}$"}
DIGITS = 4


def booktabs(table: Table, origin: str = "") -> str:
    """Return the table as a LaTeX `table`: numbers to four digits (the CSV file has them all), formulas as they are.

    `origin` becomes a comment.
    """
    lines = [
        *([f"% {origin}"] if origin else []),
        r"% needs \usepackage{amsmath,booktabs}",
        r"\begin{table}[tb]",
        rf"\caption{{{escaped(table.caption)}}}",
        rf"\label{{tab:{table.id}}}",
        r"\centering",
        _tabular(table),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _tabular(table: Table) -> str:
    numeric = [all(not isinstance(row[n], str) for row in table.rows) for n in range(len(table.header))]
    text: str = tabulate(
        [[_cell(cell) for cell in row] for row in table.rows] or [[""] * len(table.header)],
        headers=[escaped(name) for name in table.header],
        tablefmt="latex_raw",
        disable_numparse=True,
        colalign=["right" if each else "left" for each in numeric],
    )
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        text = text.replace(r"\hline", rule, 1)
    return text


def escaped(text: str) -> str:
    """Return text for LaTeX: `$...$` stays a formula, backticks become `\\texttt`, what is special is escaped."""
    plain = ("text", "code")
    return "".join(
        _PIECES[kind].format(piece.translate(_ESCAPED) if kind in plain else piece) for kind, piece in inline(text)
    )


def _cell(cell: TableCell) -> str:
    if isinstance(cell, str):
        return escaped(cell)
    if cell == int(cell) and abs(cell) < 1e6:
        return f"${int(cell)}$"
    mantissa, _, exponent = f"{cell:.{DIGITS}g}".partition("e")
    return f"${mantissa} \\times 10^{{{int(exponent)}}}$" if exponent else f"${mantissa}$"
