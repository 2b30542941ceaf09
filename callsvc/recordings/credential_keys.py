"""The installation's keys from a systemd credential: encrypted at rest by the machine, never a file of ours.

    callsvc keys credential | systemd-creds encrypt --name=callsvc-keys - /etc/credstore.encrypted/callsvc-keys
    [Service] LoadCredentialEncrypted=callsvc-keys          $CREDENTIALS_DIRECTORY/callsvc-keys

The credential is one JSON object: {"current": id, "keys": {id: base64}, "signing": PEM}.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from callsvc.errors import ConfigurationError
from callsvc.recordings.keys import HeldKeys, private_pem, publish, published

VARIABLE: Final = "CREDENTIALS_DIRECTORY"
MAKE: Final = "Make it with `callsvc keys credential`, and name it in the unit by LoadCredentialEncrypted=."


class CredentialKeyRing(HeldKeys):
    """Keys that the service manager hands to the service; the public halves are kept in `directory`."""

    def __init__(self, name: str, directory: Path, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            content = json.loads((Path(environment[VARIABLE]) / name).read_text(encoding="utf-8"))
            self._hold(content, content["signing"].encode())
        except KeyError as error:
            missing = error.args[0] == VARIABLE
            raise ConfigurationError(
                "The credential {name} was not handed over."
                if missing
                else "The credential {name} holds no keys.",
                hint=MAKE,
                name=name,
            ) from None
        except (OSError, ValueError, TypeError, AttributeError):
            raise ConfigurationError("The credential {name} cannot be read.", hint=MAKE, name=name) from None
        publish(directory, self._signing.public_key())

    def trusted(self) -> dict[str, Ed25519PublicKey]:
        return published(self._directory)


def new_content(earlier: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a credential holds: new keys, and after them the wrapping keys of an earlier one."""
    name = os.urandom(8).hex()
    keys = dict((earlier or {}).get("keys", {}))
    keys[name] = base64.b64encode(os.urandom(32)).decode()
    return {"current": name, "keys": keys, "signing": private_pem(Ed25519PrivateKey.generate()).decode()}


def content_of_files(directory: Path) -> dict[str, Any]:
    """The keys that lie in files so far, for moving them into a credential."""
    try:
        held = json.loads((directory / "installation.json").read_text())
        return {**held, "signing": (directory / "signing.pem").read_text()}
    except (OSError, ValueError):
        raise ConfigurationError(
            "There are no keys in {directory} that can be read.", directory=directory
        ) from None
