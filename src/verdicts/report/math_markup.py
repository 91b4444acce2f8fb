r"""Formulas in the plain text of quantities, which terminals show too: `rho_1`, `E|s_t|^2`, `sqrt kappa`, `W2`."""

import re

from verdicts.records.inline import inline

_LETTERS = {
    "beta": r"\beta",
    "delta": r"\delta",
    "eps": r"\epsilon",
    "kappa": r"\kappa",
    "lam": r"\lambda",
    "pi": r"\pi",
    "rho": r"\rho",
    "sigma": r"\sigma",
}
_MARKS = {"code": "`", "formula": "$", "display": "$$"}
_SIGNS = {"<=": "≤", ">=": "≥", "->": "→"}
_NAME = "|".join(_LETTERS)
_SCRIPTS = r"(?:[_^](?:\{[^}]*\}|-?\w+))"
_FORMULA = re.compile(
    rf"(?<![\w.\\])(?:sqrt (?P<root>(?:{_NAME}|\w)\b)|(?P<distance>W2)\b"
    rf"|(?P<base>{_NAME}|[A-Za-z])(?P<scripts>{_SCRIPTS}+)|(?P<name>{_NAME})\b)"
    rf"|(?<=[)|>])(?P<power>{_SCRIPTS})"
)


def spelled(text: str) -> str:
    """Return a quantity's text with its formulas marked as such (`$...$`); those that are, and code, stay."""
    return "".join(_spelled(kind, piece) for kind, piece in inline(text))


def _spelled(kind: str, text: str) -> str:
    if kind != "text":
        return f"{_MARKS[kind]}{text}{_MARKS[kind]}"
    for plain, sign in _SIGNS.items():
        text = text.replace(plain, sign)
    return _FORMULA.sub(lambda match: f"${_formula(match)}$", text)


def _formula(match: re.Match[str]) -> str:
    if match["distance"]:
        return "W_2"
    if match["root"]:
        return rf"\sqrt{{{_letter(match['root'])}}}"
    scripts = re.sub(r"([_^])(-?\w+)", r"\1{\2}", match["scripts"] or match["power"] or "")
    return (_letter(match["base"] or match["name"]) if not match["power"] else "{}") + scripts


def _letter(name: str) -> str:
    return _LETTERS.get(name, name)
