"""Office Open XML (ECMA-376): headings, a list of what must be known, and a paragraph for each line, in its language."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from callsvc.clock import isoformat
from callsvc.locale import text
from callsvc.transcripts.out.document import Document, clock, runs, said

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
REGIONS = {"sv": "sv-SE", "en": "en-GB", "ar": "ar-SA", "so": "so-SO", "pl": "pl-PL"}
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
# Years that a zip may hold begin in 1980; the same transcript gives the same bytes.
STAMP = (1980, 1, 1, 0, 0, 0)

TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/>
<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>
</Types>"""
RELS = f"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="{R}/officeDocument" Target="word/document.xml"/>
<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/>
</Relationships>"""
DOCUMENT_RELS = f"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="{R}/styles" Target="styles.xml"/>
</Relationships>"""


def docx(document: Document, lang: str) -> bytes:
    held = io.BytesIO()
    parts = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELS,
        "docProps/core.xml": _core(document, lang),
        "word/_rels/document.xml.rels": DOCUMENT_RELS,
        "word/styles.xml": _styles(lang),
        "word/document.xml": _body(document, lang),
    }
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, HEAD + content)
    return held.getvalue()


def _core(document: Document, lang: str) -> str:
    made = isoformat(document.made_at)
    return (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(text('transcript.title', lang))}</dc:title>"
        f"<dc:description>{escape(document.review(lang))}</dc:description><dc:language>{lang}</dc:language>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{made}</dcterms:created></cp:coreProperties>'
    )


def _styles(lang: str) -> str:
    def style(identity: str, name: str, size: int, extra: str = "") -> str:
        return (
            f'<w:style w:type="paragraph" w:styleId="{identity}"><w:name w:val="{name}"/>'
            f'<w:basedOn w:val="Normal"/><w:pPr>{extra}</w:pPr><w:rPr><w:b/><w:sz w:val="{size}"/></w:rPr></w:style>'
        )

    return (
        f'<w:styles xmlns:w="{W}"><w:docDefaults><w:rPrDefault><w:rPr>'
        '<w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:cs="Arial"/><w:sz w:val="22"/>'
        f'<w:lang w:val="{REGIONS[lang]}"/></w:rPr></w:rPrDefault></w:docDefaults>'
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/>'
        '<w:pPr><w:spacing w:after="100"/></w:pPr></w:style>'
        + style("Title", "Title", 36)
        + style("Heading1", "heading 1", 28, '<w:keepNext/><w:outlineLvl w:val="0"/>')
        + "</w:styles>"
    )


def _body(document: Document, lang: str) -> str:
    parts = [_paragraph([_run(text("transcript.title", lang))], "Title")]
    if not document.verified:
        parts.append(_paragraph([_run(document.review(lang), bold=True)]))
    parts += [
        _paragraph([_run(f"{name}: ", bold=True), _run(value)]) for name, value in document.statements(lang)
    ]
    parts.append(_paragraph([_run(text("transcript.said", lang))], "Heading1"))
    for pause, line in document.spoken():
        if pause:
            note = text("transcript.pause", lang, seconds=round(pause / 1000))
            parts.append(_paragraph([_run(note, italic=True)]))
        who = text(f"transcript.legs.{line.leg}", lang)
        said_so = [
            _run(f"{word} ", language=line.language, italic=kind == "redacted", dotted=kind == "unsure")
            for kind, word in runs(line.words, lang)
        ] or [_run(said(line, lang), italic=True)]
        parts.append(_paragraph([_run(f"[{clock(line.start_ms)}] "), _run(f"{who}: ", bold=True), *said_so]))
    if document.stretches:
        parts.append(_paragraph([_run(text("transcript.reasons", lang))], "Heading1"))
        parts += [
            _paragraph([_run(f"{n}. {clock(one.start_ms)}–{clock(one.end_ms)}: {one.reason}")])
            for n, one in enumerate(document.stretches, 1)
        ]
    size = '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134"/></w:sectPr>'
    return f'<w:document xmlns:w="{W}"><w:body>{"".join(parts)}{size}</w:body></w:document>'


def _paragraph(runs_of: Iterable[str], style: str = "") -> str:
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{named}{''.join(runs_of)}</w:p>"


def _run(
    words: str, *, bold: bool = False, italic: bool = False, dotted: bool = False, language: str = ""
) -> str:
    marks = "<w:b/>" if bold else ""
    marks += "<w:i/>" if italic else ""
    marks += '<w:u w:val="dotted"/>' if dotted else ""
    marks += "<w:rtl/>" if language in RIGHT_TO_LEFT else ""
    if language in REGIONS:
        which = "bidi" if language in RIGHT_TO_LEFT else "val"
        marks += f"<w:lang w:{which}={quoteattr(REGIONS[language])}/>"
    plain = "".join(letter for letter in words if letter.isprintable() or letter in "\t\n")
    return f'<w:r>{f"<w:rPr>{marks}</w:rPr>" if marks else ""}<w:t xml:space="preserve">{escape(plain)}</w:t></w:r>'
