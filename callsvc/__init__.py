"""Calls without the sound of typing, recorded and transcribed so that nobody need tell it again."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("callsvc")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"
