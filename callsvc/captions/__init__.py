"""Captions: what is said, as text beside a call that goes on. A process of its own; without it, calls lack nothing.

    taps ──(local socket)──► ear: 16 kHz, speech or not ──► utterances ──► scheduler ──► model ──► database ──► pages

utterances    where an utterance begins and ends, as the sound comes in
agreement     which interim words are shown
scheduler     what is decoded next, for all calls: finals first, stale interim work never
admission     which calls are captioned when the engine cannot write them all
ear           one leg of one call
room          all calls: sound in, captions out
board         captions and their state into the database
tap           the media node's side: a call's taps, heard here too
process       the process
command       `callsvc captions`
"""
