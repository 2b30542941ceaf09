"""The layers of a transcript: what the machine heard, what people corrected above it, and copies with parts taken out.

text          the text in force, word by word, each with its time
redacting     chosen words into stretches of time, and what is left without them
sound         a recording in which those stretches are silent
"""

from callsvc.transcripts.layers.redacting import Choice, Stretch, redact
from callsvc.transcripts.layers.sound import Silenced
from callsvc.transcripts.layers.text import Layer, Line, Spoken, in_force, machine

__all__ = ["Choice", "Layer", "Line", "Silenced", "Spoken", "Stretch", "in_force", "machine", "redact"]
