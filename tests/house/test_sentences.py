"""What an error says is a sentence in English with named values, and each of them has its Swedish."""

from __future__ import annotations

import ast
import os
import re
import string
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from callsvc.locale import unfit
from callsvc.locale.said import sentences
from tests.support.house import ROOT, python_files

pytestmark = pytest.mark.house

SWEDISH = ROOT / "callsvc/locale/errors"
SYSTEM = "system.sv.toml"
"""What the operating system says; it is said nowhere in the code."""
ROOTS = {"CallsvcError": 1, "ModelError": 2}
"""How many positional words each takes: what went wrong, what to do."""
SAID_BY = {"Said": 0, "PydanticCustomError": 1}
"""Other calls that have a sentence, and at which place."""
TO_PROGRAMS = {"TelephonyError"}
"""Told to programs that signal to a node; the pages have words of their own for their codes and show no others."""

Fault = tuple[str, int, str]


@cache
def trees() -> dict[str, ast.Module]:
    return {str(p.relative_to(ROOT)): ast.parse(p.read_text()) for p in python_files("callsvc", "models")}


@cache
def classes() -> dict[str, ast.ClassDef]:
    found = (node for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {node.name: node for node in found}


def named(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def line(name: str) -> list[str]:
    """A class and those it derives from, as far as they are of ours."""
    found = []
    while name in classes() and name not in found:
        found.append(name)
        name = next((base for one in classes()[name].bases if (base := named(one)) in classes()), "")
    return found


def root(name: str) -> str:
    above = line(name)
    return above[-1] if above and above[-1] in ROOTS and not TO_PROGRAMS & set(above) else ""


def takes_words(name: str) -> bool:
    """Whether it is made with a sentence, and not with something that it says in one of its own."""
    return not any(
        isinstance(node, ast.FunctionDef) and node.name == "__init__"
        for one in line(name)[:-1]
        for node in classes()[one].body
    )


def constants(tree: ast.Module) -> dict[str, str]:
    found = {}
    for node in tree.body:
        target = (
            node.targets[0]
            if isinstance(node, ast.Assign)
            else node.target
            if isinstance(node, ast.AnnAssign)
            else None
        )
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            found[target.id] = value.value
    return found


def words(node: ast.expr, known: dict[str, str]) -> list[str] | None:
    """The sentences that an expression may be; None for one that a reader of the code cannot tell."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.Name) and node.id in known:
        return [known[node.id]]
    if isinstance(node, ast.IfExp):
        either = [words(one, known) for one in (node.body, node.orelse)]
        return None if None in either else [one for told in either for one in told or []]
    return None


def calls(tree: ast.AST, within: str = "") -> Iterator[tuple[ast.Call, str]]:
    """Every place where an error of ours gets its words, with the error's class."""
    for node in ast.iter_child_nodes(tree):
        inside = node.name if isinstance(node, ast.ClassDef) else within
        if isinstance(node, ast.Call):
            name = named(node.func)
            if ast.unparse(node.func) == "super().__init__" and within != root(within):
                name, first = within, within
            else:
                first = name if takes_words(name) else ""
            if first and root(name):
                yield node, name
        yield from calls(node, inside)


def told(call: ast.Call, name: str, known: dict[str, str]) -> tuple[list[str], list[str]]:
    """The sentences of a call, and what is wrong with how it says them."""
    said: list[str] = []
    wrong: list[str] = []
    given = [*call.args[: ROOTS[root(name)]], *(one.value for one in call.keywords if one.arg == "hint")]
    for one in given:
        if isinstance(one, ast.Attribute) and one.attr == "hint":
            continue  # another error's, handed on
        found = words(one, known)
        if found is None:
            wrong.append(f"{ast.unparse(one)} is no sentence that can be looked up")
        said += found or []
    values = {one.arg for one in call.keywords if one.arg and one.arg != "hint"}
    handed_on = any(one.arg is None for one in call.keywords)
    asked = {field for one in said for field in fields(one)} if values else set()
    if values != asked and not handed_on:
        wrong.append(f"fields {sorted(asked)}, values {sorted(values)}")
    if not values and any(re.search(r"[{}]", one) for one in said):
        wrong.append("fields without values")
    return said, wrong


@cache
def survey() -> tuple[frozenset[str], tuple[str, ...]]:
    """Every sentence that is said, and every place where none could be read."""
    said = {*unfit.OF_TYPE.values(), *unfit.OF_PATTERN.values(), unfit.OTHER}
    wrong: list[str] = []
    for file, tree in trees().items():
        known = constants(tree)
        for call, name in calls(tree):
            found, faults = told(call, name, known)
            said |= set(found)
            wrong += [f"{file}:{call.lineno}: {fault}" for fault in faults]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (place := SAID_BY.get(named(node.func))) is not None:
                said |= {one for arg in node.args[place : place + 1] for one in words(arg, known) or []}
            if isinstance(node, ast.ClassDef) and root(node.name):
                said |= set(own(node))
    return frozenset(one for one in said if re.search(r"[A-Za-z]", re.sub(r"\{.*?\}", "", one))), tuple(wrong)


def own(node: ast.ClassDef) -> Iterator[str]:
    """What an error of a class says when it is given no words: its docstring; and what is to be done then."""
    if root(node.name) != "ModelError":
        yield (ast.get_docstring(node) or "").splitlines()[0]
    for one in node.body:
        if isinstance(one, ast.Assign) and named(one.targets[0]) == "default_hint":
            yield from words(one.value, {}) or []


def fields(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name)


def swedish(file: Path) -> dict[str, str]:
    return dict(tomllib.loads(file.read_text(encoding="utf-8")))


def test_every_error_says_a_sentence_that_can_be_looked_up_with_values_that_it_names() -> None:
    said, wrong = survey()
    assert len(said) > 300
    assert wrong == ()


def test_every_sentence_has_its_swedish_and_no_swedish_is_left_over() -> None:
    said, _ = survey()
    there = {one for file in SWEDISH.glob("*.sv.toml") if file.name != SYSTEM for one in swedish(file)}
    assert said - there == set()
    assert there - said == set()


def test_the_swedish_has_the_same_values_and_is_a_sentence_too() -> None:
    for english, text in sentences("sv").items():
        assert fields(text) == fields(english), english
        assert text.strip() == text != "", english
        assert (text[-1] == ".") == (english[-1] == "."), english


def test_no_sentence_is_translated_twice() -> None:
    every = [one for file in SWEDISH.glob("*.sv.toml") for one in swedish(file)]
    assert len(every) == len(set(every)) == len(sentences("sv"))


def test_what_the_operating_system_says_is_known_word_by_word() -> None:
    says = {os.strerror(number) for number in range(1, 134)}
    assert set(swedish(SWEDISH / SYSTEM)) <= says


@pytest.mark.parametrize(
    "raised",
    [
        'raise NotFound(f"There is no {thing}.")',
        'raise NotFound("There is no {thing}.")',
        'raise NotFound("There is no {thing}.", other=1)',
        'raise NotFound("There is no " + thing)',
        'raise NotFound("Nothing.", hint=f"Look at {thing}.")',
        'raise ModelUnusable("It is empty.", f"Fill {thing}.")',
    ],
)
def test_what_cannot_be_looked_up_is_found(raised: str) -> None:
    (call, name), *_ = calls(ast.parse(raised))
    assert told(call, name, {})[1] != []
