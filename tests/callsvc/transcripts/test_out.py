"""What goes out: the same words in every form, each of which says which layer it is and that nobody has verified it."""

from __future__ import annotations

import html.parser
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from xml.etree import ElementTree

import pytest

from callsvc.store.transcripts import Utterance
from callsvc.transcripts.layers import Choice, Layer, in_force, redact
from callsvc.transcripts.out import Document, Form, render
from callsvc.transcripts.out.docx import W
from callsvc.transcripts.out.form import TranscriptForm
from callsvc.transcripts.out.subtitles import LONGEST_MS, MOST_LETTERS

pytestmark = pytest.mark.transcripts

CALL = UUID("0d5e3e8e-7a0f-4b53-a51f-1c2f8e1f7a10")
AT = datetime(2026, 3, 2, 9, 14, 5, tzinfo=UTC)


def utterance(n: int, leg: str, start_ms: int, text: str, **more: object) -> Utterance:
    words = [
        {"start_ms": start_ms + 400 * k, "end_ms": start_ms + 400 * k + 350, "text": word, "probability": 0.9}
        for k, word in enumerate(text.split())
    ]
    one = Utterance(n, leg, start_ms, start_ms + 400 * max(1, len(words)), text, words, "speech", "sv")
    return replace(one, **more)  # type: ignore[arg-type]


SAID = [
    utterance(0, "operator", 500, "Polisen, vad gäller det?"),
    utterance(1, "caller", 3_700_000, "Han sa <b>hot & våld</b> --> mot mig på Storgatan tolv"),
    utterance(2, "caller", 3_712_000, "Nej", corrected="Nej, inte jag", version=1),
    utterance(3, "caller", 3_720_000, "", kind="unknown_language", language="ti", words=[]),
    utterance(4, "caller", 3_730_000, "مرحبا هنا", language="ar"),
]
SAID[0].words[1]["unsure"] = True
LINES = tuple(in_force(one) for one in SAID)
DOCUMENT = Document(CALL, AT, Layer.CORRECTED, "kb-whisper-small", "ab" * 32, "sv", AT, LINES, 1, 4)


def redacted() -> Document:
    made = redact(LINES, [Choice(1, 9, 10, "adress")])
    return replace(
        DOCUMENT,
        layer=Layer.REDACTED,
        lines=made.lines,
        stretches=made.stretches,
        copy_id=CALL,
        copy_sha256=made.sha256,
        corrected=0,
    )


def text_of(document: Document, form: Form) -> str:
    """All that a reader of the file would read."""
    made = render(document, form, "sv")
    if form is Form.DOCX:
        with zipfile.ZipFile(io.BytesIO(made)) as archive:
            root = ElementTree.fromstring(archive.read("word/document.xml"))
        return "\n".join("".join(t.text or "" for t in p.iter(f"{{{W}}}t")) for p in root.iter(f"{{{W}}}p"))
    if form is Form.HTML:

        class Text(html.parser.HTMLParser):
            found = ""

            def handle_data(self, data: str) -> None:
                self.found += data

        reader = Text()
        reader.feed(made.decode())
        return reader.found
    return made.decode()


@pytest.mark.parametrize("form", [form for form in Form if form not in (Form.PDF, Form.JSON)])
def test_every_form_holds_the_words_in_force_and_says_what_it_is(form: Form) -> None:
    told = text_of(DOCUMENT, form)
    assert "Nej, inte jag" in told
    assert "مرحبا" in told
    assert "gäller [osäkert]" in told or form in (Form.VTT, Form.SRT) or "vad [osäkert]" in told
    assert "tal på ett språk som inte skrivs ut" in told
    assert "rättad text över maskinens" in told
    assert "kb-whisper-small" in told
    assert "1 av 4 yttranden är rättade" in told
    machine = text_of(replace(DOCUMENT, layer=Layer.MACHINE, corrected=0), form)
    assert "Maskinell text som ingen har granskat" in machine


@pytest.mark.parametrize("form", [form for form in Form if form is not Form.PDF])
def test_what_was_taken_out_is_in_no_form_and_its_reason_is(form: Form) -> None:
    told = text_of(redacted(), form)
    assert "Storgatan" not in told
    assert "tolv" not in told
    assert "adress" in told or form in (Form.VTT, Form.SRT)
    assert "borttaget 1" in told or form is Form.JSON


def test_a_transcript_that_a_person_has_been_over_says_so() -> None:
    told = render(replace(DOCUMENT, corrected=4), Form.TXT, "sv").decode()
    assert "Varje yttrande är genomgånget" in told
    assert "Maskinell text" not in told


def test_a_pause_is_shown_and_hours_are() -> None:
    told = text_of(DOCUMENT, Form.TXT)
    assert "[0:00] Operatör:" in told
    assert "[1:01:40] Uppringare:" in told
    assert re.search(r"\[paus \d+ s\]", told)


CUE = re.compile(
    r"^(\d+)\n(\d\d):(\d\d):(\d\d)([.,])(\d{3}) --> (\d\d):(\d\d):(\d\d)\5(\d{3})\n(.+)$", re.DOTALL
)


def cues(blocks: list[str], point: str) -> list[tuple[int, int, str]]:
    found = []
    for number, block in enumerate(blocks, 1):
        match = CUE.match(block)
        assert match is not None, block
        assert (int(match[1]), match[5]) == (number, point)
        times = [int(match[k]) for k in (2, 3, 4, 6, 7, 8, 9, 10)]
        start, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (times[:4], times[4:]))
        assert start < end
        assert "\n\n" not in match[11]
        found.append((start, end, match[11]))
    assert [one[0] for one in found] == sorted(one[0] for one in found)
    return found


def test_webvtt_is_what_its_specification_asks_for() -> None:
    head, note, *blocks = render(DOCUMENT, Form.VTT, "sv").decode().rstrip("\n").split("\n\n")
    assert head == "WEBVTT"
    assert note.startswith("NOTE\n")
    assert "-->" not in note
    found = cues(blocks, ".")
    assert (found[1][2][:14], "-->" not in found[1][2]) == ("<v Uppringare>", True)
    assert "&lt;b&gt;hot &amp; våld&lt;/b&gt;" in "".join(text for _, _, text in found)


def test_subrip_says_what_it_is_in_its_first_cue() -> None:
    found = cues(render(DOCUMENT, Form.SRT, "sv").decode().rstrip("\n").split("\n\n"), ",")
    assert "kb-whisper-small" in found[0][2]
    assert found[1][2].startswith("Operatör: ")


@pytest.mark.parametrize("form", [Form.VTT, Form.SRT])
def test_a_long_utterance_is_cut_into_cues_that_can_be_read(form: Form) -> None:
    long = in_force(utterance(0, "caller", 0, "ganska långa ord i en lång mening " * 30))
    told = render(replace(DOCUMENT, lines=(long,)), form, "sv").decode().rstrip("\n").split("\n\n")
    found = cues(told[2 if form is Form.VTT else 0 :], "." if form is Form.VTT else ",")[form is Form.SRT :]
    assert len(found) > 5
    for start, end, text in found:
        assert end - start <= LONGEST_MS
        assert len(re.sub(r"^(<v \w+>|\w+: )", "", text)) <= MOST_LETTERS
    words = " ".join(re.sub(r"^(<v \w+>|\w+: )", "", text) for _, _, text in found).split()
    assert words == [word.text for word in long.words]


def test_json_is_of_its_schema_and_marks_what_may_be_personal() -> None:
    made = render(DOCUMENT, Form.JSON, "sv")
    read = TranscriptForm.model_validate_json(made)
    assert read.utterances[1].marks[0].value == "Storgatan 12"
    assert read.utterances[1].marks[0].kind == "address"
    told = replace(DOCUMENT, lines=(in_force(utterance(0, "caller", 0, "jag är trettiofem år")),))
    (line,) = TranscriptForm.model_validate_json(render(told, Form.JSON, "sv")).utterances
    assert (line.text, line.marks) == ("jag är trettiofem år", [])
    assert [(one.first, one.last, one.kind, one.value) for one in line.values] == [(2, 2, "cardinal", "35")]
    assert (read.verified, read.layer) == (False, Layer.CORRECTED)
    assert json.loads(made)["utterances"][2]["words"][0]["probability"] == 0.9


def test_docx_has_headings_a_language_and_the_same_bytes_each_time() -> None:
    made = render(DOCUMENT, Form.DOCX, "sv")
    assert made == render(DOCUMENT, Form.DOCX, "sv")
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        parts = {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}
    named = {one.get("PartName") for one in parts["[Content_Types].xml"] if one.get("PartName")}
    assert named <= {f"/{name}" for name in parts}
    styles = [one.get(f"{{{W}}}val") for one in parts["word/document.xml"].iter(f"{{{W}}}pStyle")]
    assert styles == ["Title", "Heading1"]
    assert parts["word/styles.xml"].find(f".//{{{W}}}lang[@{{{W}}}val='sv-SE']") is not None
    assert parts["word/document.xml"].find(f".//{{{W}}}rtl") is not None


def test_pdf_is_tagged_in_swedish_and_fetches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = render(redacted(), Form.PDF, "sv")
    assert made.startswith(b"%PDF-1.7")
    import weasyprint

    from callsvc.transcripts.out.page import _nothing, page

    plain = weasyprint.HTML(string=page(redacted(), "sv"), url_fetcher=_nothing).write_pdf(
        pdf_variant="pdf/ua-1", uncompressed_pdf=True
    )
    for wanted in (
        b"/MarkInfo <</Marked true>>",
        b"/Lang (sv)",
        b"/S /H1",
        b"/S /H2",
        b"/S /P",
        b"pdfuaid:part",
    ):
        assert wanted in plain, wanted
    assert b"/FontFile" in plain


def test_a_machine_that_cannot_draw_text_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    from callsvc.errors import MissingPart

    real = builtins.__import__

    def missing(name: str, *args: object, **kwargs: object) -> object:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingPart) as caught:
        render(DOCUMENT, Form.PDF, "sv")
    assert "libpango" in caught.value.hint
