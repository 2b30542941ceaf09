"""One document in any of its forms."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from callsvc.transcripts.out.document import Document
from callsvc.transcripts.out.docx import docx
from callsvc.transcripts.out.form import form
from callsvc.transcripts.out.page import page, pdf
from callsvc.transcripts.out.plain import plain
from callsvc.transcripts.out.subtitles import srt, vtt


class Form(StrEnum):
    """What a transcript can be written as; also the ending of its file's name."""

    TXT = "txt"
    VTT = "vtt"
    SRT = "srt"
    JSON = "json"
    HTML = "html"
    DOCX = "docx"
    PDF = "pdf"


TYPES = {
    Form.TXT: "text/plain; charset=utf-8",
    Form.VTT: "text/vtt; charset=utf-8",
    Form.SRT: "application/x-subrip; charset=utf-8",
    Form.JSON: "application/json",
    Form.HTML: "text/html; charset=utf-8",
    Form.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Form.PDF: "application/pdf",
}


def render(document: Document, wanted: Form, lang: str) -> bytes:
    """The bytes of the file. Raises `MissingPart` for a PDF on a machine that cannot draw one."""
    write: dict[Form, Callable[[], str | bytes]] = {
        Form.TXT: lambda: plain(document, lang),
        Form.VTT: lambda: vtt(document, lang),
        Form.SRT: lambda: srt(document, lang),
        Form.JSON: lambda: form(document).model_dump_json(indent=1) + "\n",
        Form.HTML: lambda: page(document, lang),
        Form.DOCX: lambda: docx(document, lang),
        Form.PDF: lambda: pdf(document, lang),
    }
    made = write[wanted]()
    return made if isinstance(made, bytes) else made.encode()
