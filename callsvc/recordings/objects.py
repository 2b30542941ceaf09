"""The object store: a directory, or a bucket that speaks S3. Recordings lie there under `recordings/<id>/`.

Their wrapped keys may lie elsewhere under the same names (`store.keys_url`). What is under object lock cannot be destroyed,
and a recording ends with its key.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from callsvc.config import Settings, StoreSettings
from callsvc.errors import ConfigurationError, Unavailable
from callsvc.recordings.durable import sync_directory
from callsvc.recordings.errors import NoRecording
from callsvc.recordings.layout import KEY

if TYPE_CHECKING:
    from obstore.store import S3Config

RECORDINGS: Final = "recordings"


class Objects:
    """Puts files into the store and reads them back. Blocks; every failure of the store is `Unavailable`."""

    def __init__(self, store: ObjectStore, root: Path | None = None, *, keys: Objects | None = None) -> None:
        self._store = store
        self._root = root
        """Where the store lies when it is a directory: what is put there is synced by us."""
        self._keys = keys
        """Where the keys lie, when not beside the recordings."""

    def put(self, name: str, content: Path | bytes) -> bool:
        """Store a file, or a small thing that lies in no file, safe when this returns; what was there is replaced.

        True when an earlier version of it is kept by the store all the same.
        """
        if self._keys is not None and _is_key(name):
            kept = self._keys.put(name, content)
            # One that was archived before keys had a place of their own is replaced as well, as far as that goes.
            return self._put(name, content) or kept if self._has(name) else kept
        return self._put(name, content)

    def _has(self, name: str) -> bool:
        try:
            obstore.head(self._store, name)
        except FileNotFoundError:
            return False
        except (BaseError, OSError) as error:
            raise _away(error) from None
        return True

    def _put(self, name: str, content: Path | bytes) -> bool:
        try:
            done = obstore.put(self._store, name, content)
            if self._root is not None:
                self._settle(self._root / name)
        except (BaseError, OSError) as error:
            raise _away(error) from None
        return done.get("version") not in (None, "", "null")

    def size(self, name: str) -> int:
        if self._keys is not None and _is_key(name):
            try:
                return self._keys.size(name)
            except NoRecording:
                pass  # archived before keys had a place of their own
        try:
            return int(obstore.head(self._store, name)["size"])
        except FileNotFoundError:
            raise NoRecording("{name} is not in the object store.", name=name) from None
        except (BaseError, OSError) as error:
            raise _away(error) from None

    def read(self, name: str, offset: int, length: int, size: int) -> bytes:
        """Up to `length` bytes from `offset` of something that is `size` long; fewer at the end."""
        if offset >= size or length <= 0:
            return b""
        if self._keys is not None and _is_key(name):
            try:
                return self._keys.read(name, offset, length, size)
            except NoRecording:
                pass
        try:
            part = obstore.get_range(self._store, name, start=offset, length=min(length, size - offset))
            return bytes(part)
        except FileNotFoundError:
            raise NoRecording("{name} is not in the object store.", name=name) from None
        except (BaseError, OSError) as error:
            raise _away(error) from None

    def remove(self, name: str) -> None:
        """Take it away; what is not there is no fault."""
        try:
            obstore.delete(self._store, name)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise _away(error) from None

    def names(self, prefix: str) -> list[str]:
        """Everything below `prefix`, sorted."""
        elsewhere = self._keys.names(prefix) if self._keys is not None else []
        try:
            found = {str(meta["path"]) for batch in obstore.list(self._store, prefix) for meta in batch}
            return sorted(found.union(name for name in elsewhere if _is_key(name)))
        except FileNotFoundError:
            return elsewhere
        except (BaseError, OSError) as error:
            raise _away(error) from None

    @staticmethod
    def _settle(path: Path) -> None:
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_directory(path.parent)
        sync_directory(path.parent.parent)


class StoredSource:
    """A recording in the object store. Sizes are asked for once: what is sealed does not grow."""

    def __init__(self, objects: Objects, prefix: str) -> None:
        self._objects = objects
        self._prefix = prefix.rstrip("/") + "/"
        self._sizes: dict[str, int] = {}

    @property
    def label(self) -> str:
        return self._prefix.rstrip("/")

    def names(self) -> list[str]:
        found = [name.removeprefix(self._prefix) for name in self._objects.names(self._prefix)]
        if not found:
            raise NoRecording("There is no recording in {place}.", place=self.label)
        return found

    def size(self, name: str) -> int:
        if name not in self._sizes:
            self._sizes[name] = self._objects.size(self._prefix + name)
        return self._sizes[name]

    def read(self, name: str, offset: int, length: int) -> bytes:
        return self._objects.read(self._prefix + name, offset, length, self.size(name))

    def whole(self, name: str) -> bytes:
        return self.read(name, 0, self.size(name))


def objects(settings: Settings) -> Objects:
    """The store of the settings; data_dir/objects when none is named. Raises `ConfigurationError`."""
    url, keys_url = settings.store.url, settings.store.keys_url
    store, root = _store(settings, url, "store.url")
    if not keys_url:
        return Objects(store, root)
    return Objects(store, root, keys=Objects(*_store(settings, keys_url, "store.keys_url")))


def _store(settings: Settings, url: str, setting: str) -> tuple[ObjectStore, Path | None]:
    parts = urlsplit(url)
    if url and parts.scheme not in ("file", "s3"):
        raise ConfigurationError("{setting} must begin with file:// or s3://.", setting=setting)
    try:
        if parts.scheme == "s3":
            return _bucket(settings.store, url), None
        root = Path(url2pathname(parts.path)) if url else settings.data_dir.absolute() / "objects"
        return LocalStore(root, mkdir=True), root
    except (BaseError, OSError, ValueError) as error:
        raise ConfigurationError(
            "The object store cannot be used: {kind}.", kind=type(error).__name__
        ) from None


def _is_key(name: str) -> bool:
    return name.startswith(f"{RECORDINGS}/") and name.endswith(f"/{KEY}")


def _bucket(store: StoreSettings, url: str) -> S3Store:
    named: dict[str, Any] = {
        "endpoint": store.endpoint,
        "region": store.region,
        "access_key_id": store.access_key,
        "secret_access_key": store.secret_key.get_secret_value(),
    }
    config = {key: value for key, value in named.items() if value}
    if store.endpoint:
        config["virtual_hosted_style_request"] = False
    return S3Store.from_url(
        url,
        config=cast("S3Config", config),
        client_options={
            "allow_http": store.endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=60),
        },
        # A store that is away is the queue's business: it tries again for as long as it takes.
        retry_config={
            "max_retries": 2,
            "retry_timeout": timedelta(seconds=20),
            "backoff": {
                "init_backoff": timedelta(seconds=0.2),
                "max_backoff": timedelta(seconds=2),
                "base": 2,
            },
        },
    )


def prefix_of(recording: UUID | str) -> str:
    return f"{RECORDINGS}/{recording}"


def _away(error: Exception) -> Unavailable:
    return Unavailable("The object store does not answer ({kind}).", kind=type(error).__name__)
