"""Transcripts: what was said on each leg of a recorded call, in words with times, heard on this machine.

pieces        which parts of a track are given to the recogniser
gate          which of its words lie in speech
listening     a whole track: pieces in, words out
both_legs     a whole recording, each piece kept as soon as it is heard
crosstalk     words of the other leg that came through
inventions    text that looks invented
assembly      pieces into utterances
said_live     words that were put right in the captions, taken over
port          what a transcript asks of a recording
models        the models in use, or why there is none
transcribing  the job `transcribe_call`
"""

from callsvc.transcripts.port import OpenRecording, Recorded
from callsvc.transcripts.transcribing import ASKED_FOR, NAME, ask, give_up_lost, job, take_up

__all__ = ["ASKED_FOR", "NAME", "OpenRecording", "Recorded", "ask", "give_up_lost", "job", "take_up"]
