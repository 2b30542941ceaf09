"""libopus itself, by ctypes: what PyAV's wheel brings along, else the system's.

Calls keep the interpreter's lock: they take some tens of microseconds, and getting the lock back in a process with
busy threads can take longer than that.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
from pathlib import Path
from typing import Any, Final

import av

from audio.errors import CodecMissing

APPLICATION_VOIP: Final = 2048
APPLICATION_LOWDELAY: Final = 2051
SET_BITRATE: Final = 4002
SET_COMPLEXITY: Final = 4010
SET_INBAND_FEC: Final = 4012
SET_PACKET_LOSS_PERC: Final = 4014
SET_SIGNAL: Final = 4024
SIGNAL_VOICE: Final = 3001

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int
_BYTES: Final = ctypes.c_char_p


@functools.cache
def library() -> Any:
    """The library with the types of what we call; raises `CodecMissing`."""
    found = _find()
    try:
        opus = ctypes.PyDLL(found)
        opus.opus_decoder_get_size.argtypes = [_INT]
        opus.opus_decoder_init.argtypes = [_POINTER, ctypes.c_int32, _INT]
        opus.opus_decode.argtypes = [_POINTER, _BYTES, ctypes.c_int32, _POINTER, _INT, _INT]
        opus.opus_encoder_get_size.argtypes = [_INT]
        opus.opus_encoder_init.argtypes = [_POINTER, ctypes.c_int32, _INT, _INT]
        opus.opus_encode.argtypes = [_POINTER, _BYTES, _INT, _POINTER, ctypes.c_int32]
        # The third argument is one of a variable list: always an int here.
        opus.opus_encoder_ctl.argtypes = [_POINTER, _INT]
        opus.opus_get_version_string.restype = ctypes.c_char_p
    except (OSError, AttributeError):
        raise CodecMissing("libopus") from None
    return opus


def _find() -> str:
    beside = Path(av.__file__).parent.parent / "av.libs"
    brought = sorted(beside.glob("libopus[-.]*so*"))
    found = str(brought[0]) if brought else ctypes.util.find_library("opus")
    if not found:
        raise CodecMissing("libopus")
    return found


def version() -> str:
    """What the library calls itself."""
    text: bytes = library().opus_get_version_string()
    return text.decode("ascii", "replace")
