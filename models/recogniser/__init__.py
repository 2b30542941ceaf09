"""Speech to text behind one port: a checked model directory, one place that builds options, words with times.

directory.check(path) -> ModelCard      whether a directory holds a whole model, and which
voice.stretches(sound)                  where somebody speaks
Whisper(card).hear(sound, languages)    words of at most half a minute of sound
"""

from models.recogniser.directory import ModelCard, check
from models.recogniser.errors import ModelUnusable
from models.recogniser.words import Hearing, Recogniser, Word

__all__ = ["Hearing", "ModelCard", "ModelUnusable", "Recogniser", "Word", "check"]
