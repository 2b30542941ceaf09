"""Words that a person reads: in catalogues, in both languages, and nowhere else."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from callsvc.locale import LANGUAGES, catalogue
from tests.support.house import ROOT, python_files

pytestmark = pytest.mark.house


def fields(value: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(value) if name}


def strings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every string of a module that is not a docstring."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body and isinstance(node.body[0], ast.Expr)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node


def test_every_text_is_there_in_swedish_and_in_english_with_the_same_fields() -> None:
    swedish, english = (catalogue(lang) for lang in LANGUAGES)
    assert swedish.keys() == english.keys()
    for key, value in swedish.items():
        assert fields(value) == fields(english[key]), key


def test_every_text_that_the_code_asks_for_is_in_the_catalogue() -> None:
    asked = set()
    for path in python_files("callsvc"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "text"
                and node.args
            ):
                key = node.args[0]
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    asked.add(key.value)
    assert asked
    assert asked <= catalogue("sv").keys()


# What is Swedish there is data (as a file's name is): sentences that are spoken in the demonstration, or that a model is taught with.
DATA = ("callsvc/demo/composition.py", "models/suppressor/training/", "models/recogniser/")


def test_no_swedish_sentence_stands_in_the_code() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for path in python_files("audio", "models", "callsvc")
        if not str(path.relative_to(ROOT)).startswith(DATA)
        for node in strings(ast.parse(path.read_text()))
        if re.search("[åäöÅÄÖ]", str(node.value)) and not re.fullmatch(r"\w+\.txt", str(node.value))
    ]
    assert found == []


def test_no_file_of_code_passes_four_hundred_lines() -> None:
    def length(path: Path) -> int:
        return len(path.read_text().splitlines())

    packages = ("audio", "models", "callsvc", "tests", "benchmarks", "deploy")
    assert {str(p.relative_to(ROOT)): length(p) for p in python_files(*packages) if length(p) > 400} == {}
