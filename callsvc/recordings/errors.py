"""What can be wrong with a recording.

CallsvcError
├── NotFound
│   └── NoRecording        there is none in that place
├── MissingPart
│   └── KeyMissing         the key that it was encrypted under is not here
│       └── KeyDestroyed   ... and never will be: it was destroyed
└── VerificationFailed
    ├── Damaged            bytes that are not what was sealed
    └── FormatUnknown      written by a newer version, or no recording at all
"""

from __future__ import annotations

from callsvc.errors import MissingPart, NotFound, VerificationFailed


class NoRecording(NotFound):
    """There is no recording in that place."""


class KeyMissing(MissingPart):
    """The key that this recording was encrypted under is not on this machine."""

    default_hint = "Restore data_dir/keys from its backup, or add the installation's earlier key."


class KeyDestroyed(KeyMissing):
    """The recording's own key was destroyed: the sound cannot be read again, by anybody."""

    default_hint = "The seals can still be checked with `callsvc verify`."


class Damaged(VerificationFailed):
    """The recording is not what was sealed."""

    default_hint = "Run `callsvc verify` to see what was changed and where."


class FormatUnknown(VerificationFailed):
    """This is no recording that this version of the service can read."""

    default_hint = "Install the version that wrote it, or a later one."
