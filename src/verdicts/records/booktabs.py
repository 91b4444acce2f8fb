"""A table as LaTeX, in the form of the package booktabs, ready for `\\input`."""

from __future__ import annotations

import re

from verdicts.records.figures import Cell, Table

SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
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
}
_PIECE = re.compile(r"(?P<formula>\$[^$]+\$)|`(?P<code>[^`]+)`")
DIGITS = 4


def booktabs(table: Table, origin: str = "") -> str:
    """Return the table as a LaTeX `table`: numbers to four digits (the CSV file has them all), formulas as they are.

    `origin` becomes a comment.
    """
    numeric = [all(not isinstance(row[n], str) for row in table.rows) for n in range(len(table.header))]
    lines = [
        *([f"% {origin}"] if origin else []),
        r"% needs \usepackage{amsmath,booktabs}",
        r"\begin{table}[tb]",
        rf"\caption{{{escaped(table.caption)}}}",
        rf"\label{{tab:{table.id}}}",
        r"\centering",
        rf"\begin{{tabular}}{{@{{}}{''.join('r' if each else 'l' for each in numeric)}@{{}}}}",
        r"\toprule",
        _line(table.header),
        r"\midrule",
        *map(_line, table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text for LaTeX: `$...$` stays a formula, backticks become `\\texttt`, what is special is escaped."""
    pieces, end = [], 0
    for match in _PIECE.finditer(text):
        pieces.append(_plain(text[end : match.start()]))
        pieces.append(match["formula"] or rf"\texttt{{{_plain(match['code'])}}}")
        end = match.end()
    return "".join([*pieces, _plain(text[end:])])


def _plain(text: str) -> str:
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def _line(cells: tuple[Cell, ...]) -> str:
    return " & ".join(map(_cell, cells)) + r" \\"


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escaped(cell)
    if cell == int(cell) and abs(cell) < 1e6:
        return f"${int(cell)}$"
    mantissa, _, exponent = f"{cell:.{DIGITS}g}".partition("e")
    return f"${mantissa} \\times 10^{{{int(exponent)}}}$" if exponent else f"${mantissa}$"
