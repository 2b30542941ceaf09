"""Where the installation's keys are: files, a systemd credential, or a security module, as the settings say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from callsvc.config import Settings
from callsvc.errors import ConfigurationError, UsageError
from callsvc.recordings.credential_keys import CredentialKeyRing
from callsvc.recordings.keys import FileKeyRing, KeyRing
from callsvc.recordings.module_keys import ModuleKeyRing


def key_ring(settings: Settings) -> KeyRing:
    """The installation's keys, made where they are to be made by us. Raises `ConfigurationError`."""
    keys, directory = settings.keys, key_directory(settings)
    if keys.source == "credential":
        return CredentialKeyRing(keys.credential, directory)
    if keys.source == "pkcs11":
        if keys.pkcs11_module is None:
            raise ConfigurationError("keys.source is pkcs11 and keys.pkcs11_module names no module.")
        return _module(keys.pkcs11_module, keys.pkcs11_token, keys.pkcs11_pin_file, directory)
    return FileKeyRing(directory)


def rotating(settings: Settings) -> FileKeyRing | ModuleKeyRing:
    """The keys, where we can make new ones. Raises `UsageError` where somebody else does."""
    ring = key_ring(settings)
    if not isinstance(ring, (FileKeyRing, ModuleKeyRing)):
        raise UsageError(
            "The keys come from a credential, which only the administrator can replace.",
            hint="callsvc keys credential --rotate makes the next one.",
        )
    return ring


def existing(settings: Settings) -> KeyRing | None:
    """The keys, if they are on this machine; in files none are made."""
    if settings.keys.source == "file" and not (key_directory(settings) / "installation.json").exists():
        return None
    return key_ring(settings)


def key_directory(settings: Settings) -> Path:
    return settings.data_dir / "keys"


@cache
def _module(module: Path, token: str, pin_file: Path | None, directory: Path) -> ModuleKeyRing:
    """One session a process: modules have few."""
    return ModuleKeyRing(module, token, _pin(pin_file), directory)


def _pin(file: Path | None) -> str:
    try:
        return file.read_text(encoding="utf-8").strip() if file else ""
    except OSError:
        raise ConfigurationError("The PIN in {file} cannot be read.", file=file) from None
