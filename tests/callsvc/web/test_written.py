"""A form's value as TOML over what people wrote: their comments and their way of writing stay where the value does."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsvc.web import catalogues, written

pytestmark = pytest.mark.screens

OLD = """# About the whole.

# When it was agreed.
version = '1'   # as ever
codecs = [
  "opus",  # the best
  "PCMA",
]

# Of the first.
[[list]]
id = "first"
points = 1.0
sv = "Etta"

  # Of its item.
  [[list.item]]
  id = "x"

[[list]]
id = "second" # two
[list.inner]
"a b" = true

# The last word.
"""


@pytest.mark.parametrize("kind", catalogues.KINDS)
def test_what_nobody_changed_is_written_as_it_was(kind: str) -> None:
    text = catalogues.KINDS[kind].packaged()
    assert written.write(tomllib.loads(text), text) == text


def test_a_comment_goes_with_what_it_stands_above_and_only_goes_away_with_that() -> None:
    value = tomllib.loads(OLD)
    first, second = value["list"]
    value["list"] = [second, {"id": "new", "sv": 'Ny "punkt"'}, first | {"sv": "Ett", "points": 1}]
    text = written.write(value, OLD)
    assert tomllib.loads(text) == value
    assert text.startswith("# About the whole.\n\n# When it was agreed.\nversion = '1'   # as ever\n")
    assert '  "opus",  # the best\n' in text
    assert '# Of the first.\n[[list]]\nid = "first"\npoints = 1.0\nsv = "Ett"\n' in text
    assert '\n  # Of its item.\n  [[list.item]]\n  id = "x"\n' in text
    assert text.index('"second" # two') < text.index('"Ny \\"punkt\\""') < text.index("# Of the first.")
    assert text.endswith("\n# The last word.\n")
    value["list"] = [second]
    value["codecs"] = ["PCMA"]
    left = written.write(value, OLD)
    assert "# Of the first." not in left
    assert "the best" not in left
    # Who is given another id is still the one at that place.
    value["list"] = [{**first, "id": "renamed"}, second]
    assert '# Of the first.\n[[list]]\nid = "renamed"\n' in written.write(value, OLD)


def test_what_stands_on_one_line_stays_on_one_line_and_what_is_new_stands_where_it_may() -> None:
    old = """a = { b = 1, 'c d' = "é" }  # on a line
x.y = 1

[t]
# Goes.
gone = true
z = 1

[[entry]]
id = "one"
"""
    value = {"a": {"b": 1, "c d": "ü"}, "x": {"y": 2}, "n": 0, "t": {"z": 1, "o": [{"id": "p"}]}}
    value["entry"] = [{"sv": "Först"}, {"id": "one"}]
    text = written.write(value, old)
    assert tomllib.loads(text) == value
    assert text.startswith("""a = { b = 1, 'c d' = "ü" }  # on a line\nx.y = 2\nn = 0\n\n[t]\nz = 1\n""")
    assert text.endswith('[[entry]]\nsv = "Först"\n\n[[entry]]\nid = "one"\n')


def test_as_large_a_catalogue_as_may_be_keeps_every_comment() -> None:
    entry = '\n# Om {0}.\n[[rule]]\nid = "{0}"  # så heter den\nsv = "Någonting att säga"\n'
    old = "".join(entry.format(n) for n in range(catalogues.MOST // len(entry.encode())))
    value = tomllib.loads(old)
    value["rule"].reverse()
    value["rule"][7]["sv"] = "Något annat"
    text = written.write(value, old)
    assert tomllib.loads(text) == value
    assert text.count("# Om ") == text.count("  # så heter den\n") == len(value["rule"])


@pytest.mark.parametrize(
    "over",
    ["", "a = [ # no end", "a = 1\na = 2\n", "\0", 'a.b = 1\n[c]\nd = {e = 1}\n[[c.f]]\n[a.g]\n"h" = 2\r\n'],
)
def test_what_is_meant_goes_before_how_the_old_text_was_written(over: str) -> None:
    value = {"a": {"b": 1, "g": {"h": 2}}, "c": {"d": {"e": 2}, "f": [{}, {"x": None}]}, "none": None}
    told = {"a": {"b": 1, "g": {"h": 2}}, "c": {"d": {"e": 2}, "f": [{}, {}]}}
    assert tomllib.loads(written.write(value, over)) == told
    assert tomllib.loads(written.write({"half": "\ud800\x7f\x00"})) == {"half": "?\x7f\x00"}


WORDS = st.sampled_from(["", "a", "å b", 'c"#', "d\\n", "[e]", "=", "'''\n\x1f"])
PLAIN = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | WORDS
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)
)
TABLES = st.dictionaries(WORDS, VALUES, max_size=4)


@settings(max_examples=50)
@given(TABLES, TABLES)
def test_every_value_is_read_back_as_it_was_meant(value: dict[str, Any], old: dict[str, Any]) -> None:
    before = written.write(old)
    text = written.write(value, before)
    assert written.same(tomllib.loads(text), tomllib.loads(written.write(value)))
    # Read and written again over itself nothing moves.
    assert written.write(tomllib.loads(text), text) == text
