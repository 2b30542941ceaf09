"""Transcripts: what was said on each leg of a recorded call, in words with times, heard on this machine.

pieces        which parts of a track are given to the recogniser
gate          which of its words lie in speech
listening     a whole track: pieces in, utterances out
port          what a transcript asks of a recording
models        the model in use, or why there is none
transcribing  the job `transcribe_call`
"""

from callsvc.transcripts.port import OpenRecording, Recorded
from callsvc.transcripts.transcribing import NAME, ask, job, take_up

__all__ = ["NAME", "OpenRecording", "Recorded", "ask", "job", "take_up"]
