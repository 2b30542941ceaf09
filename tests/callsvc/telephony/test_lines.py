from __future__ import annotations

from pathlib import Path

import pytest

from callsvc.telephony import lines
from callsvc.telephony.lines import LinesInForce, TelephoneLine
from callsvc.types import Profile

pytestmark = pytest.mark.call

GOOD = """
version = 1
[[line]]
id = "help"
number = "020407"
sv = "Välj att sluta"
en = "Choose to stop"
profile = "anonymous"
retired = true
[[line]]
id = "pkc"
number = "114*"
sv = "PKC 114 14"
en = "Contact centre"
profile = "report"
queue = "Anmälan"
announce = "recording"
language = "en"
[[line]]
id = "desk"
number = "020*"
sv = "Utredning"
en = "Investigation"
profile = "interview"
operator = "sip:100@192.0.2.7:5070"
"""


def test_the_first_line_in_use_that_fits_a_number_has_its_calls() -> None:
    found = lines.read(GOOD)
    assert [(one.id if (one := found.of(number)) else None) for number in ("11414", "020407", "0770")] == [
        "pkc",
        "desk",
        None,
    ]
    assert found.line[1].profile is Profile.REPORT
    assert (found.line[1].host, found.line[2].host) == ("", "192.0.2.7")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('id = "desk"', 'id = "pkc"'),
        ('number = "020*"', 'number = "114*"'),
        ('number = "020*"', 'number = "0 20"'),
        ('number = "020*"', 'number = ""'),
        ('profile = "interview"', 'profile = "secret"'),
        ("sip:100@192.0.2.7:5070", "sip:100@pbx.example"),
        ("sip:100@192.0.2.7:5070", "sip:100@999.0.2.7"),
        ('sv = "Utredning"', 'sv = ""'),
        ('announce = "recording"', 'announce = "../x"'),
        ("version = 1", "version = 2"),
        ("version = 1", "version = 1\nsurprise = 1"),
    ],
)
def test_a_set_that_makes_no_sense_is_not_taken(before: str, after: str) -> None:
    assert before in GOOD
    held = LinesInForce()
    held.put(GOOD)
    with pytest.raises(ValueError, match=r"\S"):
        held.put(GOOD.replace(before, after, 1))
    assert held.of("11414") is not None


def test_a_telephone_that_the_settings_do_not_name_is_rung_by_no_line() -> None:
    held = LinesInForce(lambda host: host == "192.0.2.1")
    with pytest.raises(ValueError, match=r"desk.*192\.0\.2\.7"):
        held.put(GOOD)
    assert held.of("11414") is None
    held.put(GOOD.replace("192.0.2.7", "192.0.2.1"))
    assert held.of("020") is not None


def test_the_reference_explains_every_field() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "lines.md").read_text(encoding="utf-8")

    for name, field in TelephoneLine.model_fields.items():
        assert f"| `{name}` |" in page
        assert (field.description or "?") in page
