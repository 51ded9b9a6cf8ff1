"""What the project has promised itself: the words, the docstrings, the pins, the documented settings."""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from settings import SETTINGS

PROJECT = Path(__file__).resolve().parents[1]

NOT_A_NAME = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
"""Module names that say nothing about what lives inside."""

NOT_A_WORD = re.compile(
    r"\b(KPIs?|indicators?|connectors?|data ?points?|polarity|(?<!atom )(?<!\.)feeds?(?!\.atom))\b",
    re.IGNORECASE,
)
"""Second words for ideas that have one already (docs/glossary.md). An Atom feed is called by its name."""

RUN_BOUNDARY = {"ingest/run.py"}
"""Where one source's failure, whatever it is, must not stop the others."""

DATA_SUFFIXES = (".csv", ".csv.gz", ".gz", ".zip", ".xls", ".xlsx", ".db", ".parquet", ".sqlite")


def files_of_the_project() -> list[Path]:
    """What a reader of the repository sees, relative to it; works in a downloaded copy without git too."""
    unseen = {"__pycache__", "screenshots"}
    found = []
    for folder, folders, names in os.walk(PROJECT):
        place = Path(folder).relative_to(PROJECT)
        folders[:] = [name for name in folders if name not in unseen and (name[0] != "." or name == ".ci")]
        if place == Path("data"):
            folders[:] = ["cities"]
        # A second working tree has a file of this name, which says where the first one is.
        found += [place / name for name in names if name != ".git"]
    return sorted(found)


FILES = files_of_the_project()
MODULES = [path for path in FILES if path.suffix == ".py"]
PRODUCT = [path for path in MODULES if path.parts[0] != "tests"]


@cache
def text(path: Path) -> str:
    return (PROJECT / path).read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def where(path: Path, node: ast.stmt | ast.expr | ast.ExceptHandler) -> str:
    return f"{path.as_posix()}:{node.lineno}"


# --- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_every_setting_is_documented_with_its_default(setting):
    default = f"`{setting.default}`" if setting.default else "empty"
    row = rf"\| `{setting.variable}` \| {re.escape(default)} \| \S.*\|"
    assert re.search(row, text(Path("docs/operations.md"))), f"docs/operations.md has no row {row}"


def test_the_documentation_names_no_setting_that_does_not_exist():
    rows = re.findall(r"^\| `([A-Z_]+)` \|", text(Path("docs/operations.md")), re.MULTILINE)
    assert sorted(rows) == sorted(setting.variable for setting in SETTINGS)


def test_only_settings_reads_the_environment():
    readers = {
        where(path, node)
        for path in PRODUCT
        for node in ast.walk(tree(path))
        if path != Path("settings.py") and reads_environment(node)
    }
    assert readers == set()


def reads_environment(node: ast.AST) -> bool:
    """Whether it takes the environment of the process; a request has an `environ` of its own."""
    names = {"environ", "getenv"}
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(one.name in names for one in node.names)
    return (
        isinstance(node, ast.Attribute)
        and node.attr in names
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    )


# --- modules, docstrings, errors -----------------------------------------------------------------


def test_every_module_opens_with_a_sentence_saying_what_lives_in_it():
    silent = [
        path.as_posix() for path in MODULES if not is_sentence(first_paragraph(ast.get_docstring(tree(path))))
    ]
    assert silent == []


def first_paragraph(docstring: str | None) -> str:
    return (docstring or "").split("\n\n")[0].strip()


def is_sentence(words: str) -> bool:
    return len(words.split()) > 2 and words.endswith(".") and not words[0].islower()


def test_no_module_has_a_name_that_says_nothing():
    assert [path.as_posix() for path in MODULES if NOT_A_NAME & {path.stem, *path.parts[:-1]}] == []


def test_public_functions_say_what_they_give():
    assert [where(path, node) for path in PRODUCT for node in unexplained(tree(path))] == []


def unexplained(module: ast.Module) -> Iterator[ast.stmt]:
    """Public functions and classes of a module without a docstring.

    A class needs none when its own fields and the name say it all (a frozen record of a few lines), a
    function none when its body is a single statement.
    """
    for node in module.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        is_short = len(node.body) == 1 if isinstance(node, ast.FunctionDef) else len(node.body) <= 4
        if not is_short and ast.get_docstring(node) is None:
            yield node


def test_every_function_is_annotated():
    assert [
        where(path, node) for path in PRODUCT for node in ast.walk(tree(path)) if is_unannotated(node)
    ] == []


def is_unannotated(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    bare = [
        argument
        for argument in arguments
        if argument.annotation is None and argument.arg not in {"self", "cls"}
    ]
    return bool(bare) or node.returns is None


def test_only_the_run_boundary_catches_everything():
    caught = [
        where(path, node)
        for path in PRODUCT
        if path.as_posix() not in RUN_BOUNDARY
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    ]
    assert caught == []


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Catches every error and keeps it. One that ends by raising it again only tidies up."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    everything = any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in kinds)
    last = handler.body[-1]
    return everything and not (isinstance(last, ast.Raise) and last.exc is None)


BROAD = {"Exception", "BaseException"}


@pytest.mark.parametrize(
    ("source", "broad"),
    [
        ("try: pass\nexcept: pass", True),
        ("try: pass\nexcept Exception: pass", True),
        ("try: pass\nexcept (ValueError, BaseException) as error: print(error)", True),
        ("try: pass\nexcept Exception as error: raise ValueError from error", True),
        ("try: pass\nexcept BaseException:\n    undo()\n    raise", False),
        ("try: pass\nexcept (OSError, ValueError): pass", False),
    ],
)
def test_a_broad_except_is_told_from_a_narrow_one(source, broad):
    [handler] = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler)]
    assert is_broad(handler) == broad


# --- words -------------------------------------------------------------------------------------


def test_one_idea_has_one_word_wherever_people_read():
    found = [f"{place}: {word}" for place, line in read_by_people() for word in strange_words(line)]
    assert found == []


def strange_words(line: str) -> list[str]:
    return [match.group() for match in NOT_A_WORD.finditer(line)]


def read_by_people() -> Iterator[tuple[str, str]]:
    """Every line of documents, catalogues and pages, and every text in the code of the product."""
    documents = [path for path in FILES if path.suffix in {".md", ".toml", ".html", ".po", ".js"}]
    for path in documents:
        lines = without_the_list_of_other_words(path, text(path)).splitlines()
        yield from ((f"{path.as_posix()}:{number}", line) for number, line in enumerate(lines, 1))
    for path in PRODUCT:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield where(path, node), node.value


def without_the_list_of_other_words(path: Path, document: str) -> str:
    """The glossary must be able to name the words we do not use; its last section does."""
    return document.split("## Words we do not use")[0] if path.name == "glossary.md" else document


@pytest.mark.parametrize("line", ["our KPI", "two data points", "a Connector", "the feed stopped", "feeds"])
def test_a_second_word_for_an_idea_is_noticed(line):
    assert strange_words(line)


@pytest.mark.parametrize(
    "line", ["an Atom feed", "/feed.atom", "feedback", "the points of a series", "kpiece"]
)
def test_an_innocent_word_is_let_through(line):
    assert strange_words(line) == []


# --- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_exactly(name):
    lines = [line.split("#")[0].strip() for line in text(Path(name)).splitlines()]
    loose = [
        line
        for line in lines
        if line and not re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[\w.]+(; .+)?|-r requirements.txt", line)
    ]
    assert loose == []


def test_the_changelog_has_a_place_for_what_is_not_released_yet():
    assert re.search(r"^## Unreleased$", text(Path("CHANGELOG.md")), re.MULTILINE)


def test_no_data_is_kept_in_the_repository():
    kept = [
        path.as_posix() for path in FILES if path.name.endswith(DATA_SUFFIXES) and path.parts[0] != "tests"
    ]
    assert kept == []


def test_no_file_of_the_real_data_is_kept_in_the_repository(shared_data):
    sizes = {
        path.stat().st_size for path in shared_data("boston_311_2026").parent.rglob("*") if path.is_file()
    }
    same_size = [path for path in FILES if (PROJECT / path).stat().st_size in sizes]
    hashes = (
        {digest(path) for path in shared_data("boston_311_2026").parent.rglob("*") if path.is_file()}
        if same_size
        else set()
    )
    assert [path.as_posix() for path in same_size if digest(PROJECT / path) in hashes] == []


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_no_file_names_a_place_on_somebodys_machine():
    places = re.compile("|".join(["/" + "work/", "/" + "home/", "/" + "Users/"]))
    readable = [
        path
        for path in FILES
        if path.suffix not in {".woff2", ".ttf", ".otf", ".png", ".ico", ".gz", ".xls", ".xlsx"}
    ]
    assert [
        path.as_posix() for path in readable if places.search((PROJECT / path).read_text("utf-8", "replace"))
    ] == []


def test_decisions_are_numbered_one_by_one_and_say_their_number():
    decisions = sorted(path for path in FILES if path.parent == Path("docs/adr"))
    assert [path.name[:4] for path in decisions] == [f"{n:04d}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        assert (PROJECT / path).read_text("utf-8").startswith(f"# {path.name[:4]}: "), path


def test_every_link_between_the_documents_leads_somewhere():
    broken = [
        f"{path.as_posix()}: {target}"
        for path in FILES
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text(path))
        if not target.startswith(("http://", "https://", "mailto:"))
        and not (PROJECT / path.parent / target).exists()
    ]
    assert broken == []
