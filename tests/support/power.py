"""A disk that loses its power: every call that changes it is noted in order, and what could be left is built from that.

What was synced before the power went is there. Of the rest anything may be: of each file's data nothing, all, a part
that is torn anywhere, or room without content; of each directory's names nothing, all, the first few, or any of them. A
name is safe when its directory was synced, and content when its file was.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from callsvc.recordings.layout import REACHED
from callsvc.recordings.segment_file import SegmentFile

DIRECTORY = -1


@dataclass(frozen=True)
class Data:
    """A change of a file's content; without `content` its length becomes `at`."""

    file: int
    at: int
    content: bytes | None = None


@dataclass(frozen=True)
class Names:
    """A change of names in one directory, in one step: each name and the file it now has, `None` for none."""

    directory: Path
    becomes: Mapping[str, int | None]


@dataclass(frozen=True)
class Synced:
    """All earlier changes of this file's content, or of this directory's names, are safe."""

    what: int | Path


@dataclass(frozen=True)
class Mark:
    """Something that a test wants to know the place of."""

    name: str
    value: int


Step = Data | Names | Synced | Mark
T = TypeVar("T")


class Power:
    """Notes what is done below `root` while it is `noting`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.steps: list[Step] = []
        self._files: dict[Path, int] = {}
        self._opened: dict[int, int | Path] = {}
        self._lock = threading.RLock()
        self._number = 0

    @contextmanager
    def noting(self) -> Iterator[Power]:
        """What is there already counts as safe."""
        for path in sorted(self.root.rglob("*")):
            if path.is_dir():
                self._names(path.parent, {path.name: DIRECTORY})
            else:
                self.steps += [Data(self._new(path), 0, path.read_bytes()), Synced(self._files[path])]
            self.steps.append(Synced(path.parent))
        with pytest.MonkeyPatch.context() as patch:
            for name in ("open", "close", "write", "fsync", "fdatasync", "ftruncate", "posix_fallocate",
                         "replace", "mkdir", "unlink", "rmdir"):  # fmt: skip
                patch.setattr(os, name, self._noted(getattr(self, f"_{name}"), getattr(os, name)))
            # What was bound when the class was made.
            defaults = SegmentFile.__init__.__kwdefaults__
            assert defaults is not None
            patch.setitem(defaults, "sync", os.fdatasync)
            yield self

    def mark(self, name: str, value: int) -> None:
        """Also takes what was written through mappings until now: it may be on disk or not."""
        with self._lock:
            for path, file in self._files.items():
                if path.name == REACHED:
                    self.steps.append(Data(file, 0, path.read_bytes()))
            self.steps.append(Mark(name, value))

    def marked(self, name: str, until: int) -> int:
        """The last value of a mark before a step; 0 when there is none."""
        before = (s.value for s in reversed(self.steps[:until]) if isinstance(s, Mark) and s.name == name)
        return next(before, 0)

    def left(self, cut: int, rng: random.Random, target: Path) -> None:
        """Build in `target` what a disk could hold whose power went before step `cut`."""
        steps = self.steps[:cut]
        safe = {step.what: n for n, step in enumerate(steps) if isinstance(step, Synced)}
        names: dict[Path, dict[str, int]] = {}
        contents: dict[int, bytes] = {}
        for directory in {step.directory for step in steps if isinstance(step, Names)}:
            entries = names.setdefault(directory, {})
            own = [(n, s) for n, s in enumerate(steps) if isinstance(s, Names) and s.directory == directory]
            held = [step for n, step in own if n < safe.get(directory, -1)]
            for step in held + _some([s for n, s in own if n >= safe.get(directory, -1)], rng):
                for name, file in step.becomes.items():
                    entries.pop(name, None)
                    if file is not None:
                        entries[name] = file
        for file in {step.file for step in steps if isinstance(step, Data)}:
            changes = [(n, s) for n, s in enumerate(steps) if isinstance(s, Data) and s.file == file]
            held_data = [step for n, step in changes if n < safe.get(file, -1)]
            rest = _some([step for n, step in changes if n >= safe.get(file, -1)], rng)
            if rest:
                rest[-1] = _torn(rest[-1], rng)
            contents[file] = _content(held_data + rest)
        self._build(self.root, target, names, contents)

    def _build(
        self, source: Path, target: Path, names: dict[Path, dict[str, int]], contents: dict[int, bytes]
    ) -> None:
        target.mkdir()
        for name, file in names.get(source, {}).items():
            if file == DIRECTORY:
                self._build(source / name, target / name, names, contents)
            else:
                (target / name).write_bytes(contents.get(file, b""))

    def _noted(self, note: Callable[..., None], real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **named: Any) -> Any:
            with self._lock:
                done = real(*args, **named)
                if isinstance(args[0], int):
                    if (what := self._opened.get(args[0])) is not None:
                        note(what, done, *args)
                elif Path(args[0]).is_relative_to(self.root):
                    note(Path(args[0]), done, *args)
                return done

        return called

    def _new(self, path: Path) -> int:
        self._number += 1
        self._files[path] = self._number
        self._names(path.parent, {path.name: self._number})
        return self._number

    def _names(self, directory: Path, becomes: Mapping[str, int | None]) -> None:
        self.steps.append(Names(directory, becomes))

    def _open(self, path: Path, fd: int, _path: object, flags: int, *_mode: int) -> None:
        if path.is_dir():
            self._opened[fd] = path
            return
        self._opened[fd] = self._files[path] if path in self._files else self._new(path)
        if flags & os.O_TRUNC:
            self.steps.append(Data(self._files[path], 0))

    def _close(self, _what: int | Path, _done: None, fd: int) -> None:
        del self._opened[fd]

    def _write(self, file: int, done: int, fd: int, content: bytes) -> None:
        self.steps.append(Data(file, os.lseek(fd, 0, os.SEEK_CUR) - done, bytes(content)[:done]))

    def _fsync(self, what: int | Path, *_: object) -> None:
        self.steps.append(Synced(what))

    _fdatasync = _fsync

    def _ftruncate(self, file: int, _done: None, _fd: int, length: int) -> None:
        self.steps.append(Data(file, length))

    def _posix_fallocate(self, file: int, _done: None, _fd: int, at: int, length: int) -> None:
        self.steps.append(Data(file, at, bytes(length)))

    def _replace(self, path: Path, _done: None, _path: object, to: Path) -> None:
        assert path.parent == to.parent
        self._files[to] = self._files.pop(path)
        self._names(to.parent, {path.name: None, to.name: self._files[to]})

    def _mkdir(self, path: Path, *_: object) -> None:
        self._names(path.parent, {path.name: DIRECTORY})

    def _unlink(self, path: Path, *_: object) -> None:
        self._files.pop(path)
        self._names(path.parent, {path.name: None})

    def _rmdir(self, path: Path, *_: object) -> None:
        self._names(path.parent, {path.name: None})


def _some(steps: Sequence[T], rng: random.Random) -> list[T]:
    """Nothing, all, the first few, or any of them, in their order."""
    how = rng.randrange(4)
    if how < 2:
        return list(steps) if how else []
    return list(steps[: rng.randint(0, len(steps))]) if how == 2 else [s for s in steps if rng.random() < 0.5]


def _torn(step: Data, rng: random.Random) -> Data:
    """The last write whole, its first bytes, or room alone: zeros from some byte on."""
    if not step.content or not (how := rng.randrange(3)):
        return step
    kept = step.content[: rng.randint(0, len(step.content))]
    return Data(step.file, step.at, kept if how == 1 else kept + bytes(len(step.content) - len(kept)))


def _content(changes: Sequence[Data]) -> bytes:
    held = bytearray()
    for step in changes:
        if step.content is None:
            held = held[: step.at].ljust(step.at, b"\0")
        else:
            held = held.ljust(step.at, b"\0")
            held[step.at : step.at + len(step.content)] = step.content
    return bytes(held)
