"""Who PostgreSQL runs as. It refuses to be root; then it becomes a user of its own, right before it starts.

The data directory and the programs may lie below a directory that only root can enter (a clone in /root). The user
then keeps one capability, to read and enter directories that it otherwise could not (CAP_DAC_READ_SEARCH), and none
to write: what it may write it owns.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callsvc.errors import MissingPart

NAME: Final = "callsvc"

# linux/prctl.h, linux/securebits.h, linux/capability.h
PR_SET_PDEATHSIG: Final = 1
PR_CAPBSET_READ: Final = 23
PR_SET_SECUREBITS: Final = 28
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2
# Without it access(2), which PostgreSQL asks about its own program, leaves capabilities out of account.
SECBIT_NO_SETUID_FIXUP: Final = 1 << 2
CAP_DAC_READ_SEARCH: Final = 2
CAPABILITY_VERSION_3: Final = 0x20080522

_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class SystemUser:
    name: str
    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()


def current() -> SystemUser:
    """Who we are. Raises `MissingPart` when the machine has no name for us: PostgreSQL needs one."""
    try:
        entry = pwd.getpwuid(os.geteuid())
    except KeyError:
        raise MissingPart(
            "User {user} has no name on this machine, and PostgreSQL needs one.",
            hint="Add the user to /etc/passwd, or set database.url to a server elsewhere.",
            user=os.geteuid(),
        ) from None
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def for_postgres() -> SystemUser:
    """Ourselves; if we are root, the system user `callsvc`, made when it is missing."""
    if os.geteuid() != 0:
        return current()
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        entry = _add()
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _add() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise MissingPart(
            "PostgreSQL cannot run as root, and there is no `useradd` to make a user for it.",
            hint="Make a system user named {user}, or run the service as an ordinary user.",
            user=NAME,
        )
    command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", NAME]
    made = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return pwd.getpwnam(NAME)  # also when another process was first
    except KeyError:
        raise MissingPart(
            "The system user {user} could not be made: {why}.",
            hint="Make it with `useradd --system {user}`, or run the service as an ordinary user.",
            user=NAME,
            why=made.stderr.strip(),
        ) from None


def reaches(user: SystemUser, path: Path) -> bool:
    """Whether `user` can enter every directory above `path`, and above what it is a link to, by its own rights."""
    ways = {*path.absolute().parents, *path.resolve().parents}
    return all(_enters(user, directory) for directory in ways)


def _enters(user: SystemUser, directory: Path) -> bool:
    try:
        about = directory.stat()
    except FileNotFoundError:
        return True  # not there yet; made by us and handed over
    if about.st_uid == user.uid:
        return bool(about.st_mode & 0o100)
    if about.st_gid == user.gid:
        return bool(about.st_mode & 0o010)
    return bool(about.st_mode & 0o001)


def before_exec(user: SystemUser, paths: Iterable[Path]) -> Callable[[], None]:
    """What a child does between fork and exec: die with us, and become `user`, able to reach `paths`.

    Raises `MissingPart` when the paths cannot be reached and we may not give the capability.
    """
    parent = os.getpid()
    keep = not user.is_us and not all(reaches(user, path) for path in paths)
    if keep and _LIBC.prctl(PR_CAPBSET_READ, CAP_DAC_READ_SEARCH, 0, 0, 0) != 1:
        hidden = next(path for path in paths if not reaches(user, path))
        raise MissingPart(
            "The user {user} cannot reach {hidden}.",
            hint="Give others the right to enter the directories above it (chmod o+x), or run as an ordinary user.",
            user=user.name,
            hidden=hidden,
        )
    set_capabilities = _capability_setter(1 << CAP_DAC_READ_SEARCH if keep else 0)
    groups = [] if user.is_us else os.getgrouplist(user.name, user.gid)

    def prepare() -> None:
        if not user.is_us:
            if keep and _LIBC.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0:
                os._exit(126)
            os.setgroups(groups)
            os.setresgid(user.gid, user.gid, user.gid)
            os.setresuid(user.uid, user.uid, user.uid)
            if set_capabilities() != 0:
                os._exit(126)
            if keep and _LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) != 0:
                os._exit(126)
        # After the change of user, which clears it.
        die_with_parent(parent, signal.SIGINT)

    return prepare


def die_with_parent(parent: int, number: signal.Signals) -> None:
    """In a child, before exec: have the kernel send `number` when the process `parent` ends."""
    _LIBC.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:  # it ended meanwhile
        os._exit(126)


def _capability_setter(mask: int) -> Callable[[], int]:
    """A call of capset(2) with exactly these capabilities; all of its memory is allocated here, before the fork."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(
        mask, mask, mask, 0, 0, 0
    )  # effective, permitted, inheritable; low then high
    capset = _LIBC.capset

    def set_them() -> int:
        return int(capset(header, data))

    return set_them
