"""The project's words: what docs/glossary.toml says to avoid stands in no module, identifier or
text of its scope.
"""

import ast
import io
import os
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDS = tomllib.loads((ROOT / "docs/glossary.toml").read_text(encoding="utf-8"))["word"]
CODE = ("src", "analysis", "experiments", "related", "beyond", "survey")
TEXTS = (".md", ".toml", ".j2", ".typ", ".cff")
IDS = re.compile(
    r"^\s*(?:id|falsifier|needs|checks|here|claims?|module|image)\s*=.*$|`[A-Z]\w*\.\w+`",
    re.MULTILINE,
)
# What a word is, by scope: not a part of another one
WHOLE = {
    "prose": r"(?i)(?<![\w-])(?:{})(?![\w-])",
    "module": r"(?:^|/)(?:{})(?:$|/)",
    "identifier": r"(?:^|_)(?:{})(?:$|_)",
}
STRINGS = ("STRING", "FSTRING_MIDDLE")  # the second since Python 3.12
UNWATCHED = ("docs/glossary", "CHANGELOG.md", "paper/expected/", "LICENSE")


class Text(NamedTuple):
    """A piece of text and where it stands."""

    where: str
    text: str


def files() -> Iterator[Path]:
    """Yield the files that `.gitignore` leaves. Git is not asked: an archive has none, another
    user's may refuse.
    """
    ignored = [
        ".git",
        *(line for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines() if line),
    ]

    def kept(path: Path) -> bool:
        return not any(
            PurePosixPath("/", path.relative_to(ROOT)).match(pattern) for pattern in ignored
        )

    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if kept(Path(folder, name))]
        yield from (path for name in names if kept(path := Path(folder, name)))


FILES = {
    name: file
    for file in files()
    if not (name := file.relative_to(ROOT).as_posix()).startswith(UNWATCHED)
}
SOURCES = {
    name: file.read_text(encoding="utf-8")
    for name, file in FILES.items()
    if name.endswith(".py") and name.startswith(tuple(f"{folder}/" for folder in CODE))
}


def modules() -> Iterator[Text]:
    for name in SOURCES:
        yield Text(name, name.removesuffix(".py"))


def identifiers() -> Iterator[Text]:
    for name, source in SOURCES.items():
        for node in ast.walk(ast.parse(source)):
            for word in defined(node):
                yield Text(f"{name}:{getattr(node, 'lineno', 0)}", word)


def defined(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node gives to something."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def prose() -> Iterator[Text]:
    for name, source in SOURCES.items():
        yield from of_python(name, source)
    for name, file in FILES.items():
        if file.suffix in TEXTS or file.name == "reproduce.sh":
            for number, line in enumerate(
                without_code(file.read_text(encoding="utf-8")).split("\n"), 1
            ):
                yield Text(f"{name}:{number}", IDS.sub("", line))


def without_code(text: str) -> str:
    """Blank the Python blocks of a Markdown page but for their comments, line by line."""
    return re.sub(
        r"```python\n.*?```",
        lambda block: "\n".join(line.partition("#")[2] for line in block[0].split("\n")),
        text,
        flags=re.DOTALL,
    )


def of_python(name: str, source: str) -> Iterator[Text]:
    """Yield the comments and the strings of a module; in f-strings what is not code."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(f"{name}:{token.start[0]}", token.string)
        elif tokenize.tok_name[token.type] in STRINGS and " " in token.string:
            yield Text(f"{name}:{token.start[0]}", re.sub(r"\{[^{}]*\}", " ", token.string))


def matches(scope: str, texts: Iterator[Text]) -> list[str]:
    """Return a line for every word of a scope that stands in one of the texts."""
    lines = []
    watched = [
        (word, re.compile(WHOLE[scope].format(word["avoid"])))
        for word in WORDS
        if scope in word["scope"]
    ]
    for text in texts:
        for word, avoided in watched:
            rest = text.text
            for allowed in word.get("except", ()):
                rest = re.sub(allowed, " ", rest, flags=re.IGNORECASE)
            if hit := avoided.search(rest):
                lines.append(f"{text.where}: {hit[0].strip('_/')!r}: {word['use']}")
    return lines


@pytest.mark.parametrize(
    ("scope", "texts"), [("module", modules), ("identifier", identifiers), ("prose", prose)]
)
def test_no_word_of_our_own(scope, texts) -> None:
    assert {"CONTRIBUTING.md", "paper/limitations.toml", "src/ams/__init__.py"} <= FILES.keys()
    lines = matches(scope, texts())
    assert not lines, "\n".join(lines[:40]) + f"\n{len(lines)} in all"


@pytest.mark.parametrize(
    ("scope", "text", "caught"),
    [
        ("prose", "The law of the samples.", True),
        ("prose", "The exact law of the samples.", False),
        ("prose", "As released.", True),
        ("module", "analysis/uncooled/settings", True),
        ("identifier", "found_rows", True),
        ("identifier", "foundation", False),
    ],
)
def test_the_test_itself_can_fail(scope, text, caught) -> None:
    assert bool(matches(scope, iter([Text("here", text)]))) is caught
