"""What can go wrong with sound.

AudioError
├── BadPacket            bytes that are no RTP packet, or one that makes no sense
├── CodecError           a payload that cannot be decoded, or samples that cannot be encoded
│   ├── UnknownCodec     a codec nobody here speaks
│   └── CodecMissing     a codec whose library is not on this machine
├── SoundFileError       a file that holds no sound we can read
└── EngineFull           more streams than the suppressor has places
"""

from __future__ import annotations


class AudioError(Exception):
    """Something is wrong with the sound."""

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or ""
        message = (type(self).__doc__ or "").strip()
        super().__init__(f"{message} ({detail})" if detail else message)


class BadPacket(AudioError):
    """This is no RTP packet; it is dropped."""


class CodecError(AudioError):
    """The codec cannot take this; the frame is treated as lost."""


class UnknownCodec(CodecError):
    """Nobody here speaks this codec; offer PCMA, PCMU, G722 or opus."""


class CodecMissing(CodecError):
    """The codec's library is missing; install the project's packages anew."""


class SoundFileError(AudioError):
    """The file holds no sound that can be read; give a WAV, FLAC, Ogg or MP3 file."""


class EngineFull(AudioError):
    """Every place in the suppressor is taken; let the call go without, or run another media node."""
