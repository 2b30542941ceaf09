"""A transcript on its way out: one document, and the forms that it is written in.

document      what is said in every form: which layer, which model, what is not verified
plain         text
subtitles     WebVTT and SRT
form          JSON, with its schema
page          HTML, and tagged PDF made from it
docx          Office Open XML
"""

from callsvc.transcripts.out.document import Document, gather, redacted_copy
from callsvc.transcripts.out.render import Form, render

__all__ = ["Document", "Form", "gather", "redacted_copy", "render"]
