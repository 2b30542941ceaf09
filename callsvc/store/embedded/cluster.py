"""The embedded database: its files, its settings, and the command that runs it.

Only a unix socket is listened on. Who may come in is decided by the kernel's word on who is at the other end (peer):
the user that runs the service, as `callsvc` (owns the data, no superuser) or as `callsvc_admin`. No password exists.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from callsvc.errors import CallsvcError, ConfigurationError, Unavailable
from callsvc.store.embedded import binaries, system_user
from callsvc.store.embedded.system_user import SystemUser

ADMIN: Final = "callsvc_admin"
OWNER: Final = "callsvc"
DATABASE: Final = "callsvc"
PORT: Final = 5432  # only a part of the socket's name
SOCKET_PATH_MAX: Final = 107  # sun_path, unix(7), without its final NUL
# What PostgreSQL says is never about somebody: no statements, no row's values.
SERVER_SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_min_messages": "warning",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
}


class ClusterFault(CallsvcError):
    """The embedded database could not be made."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A command and what it needs to be started with."""

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    before_exec: Callable[[], None]


class Cluster:
    """A PostgreSQL data directory and how to run it. One at a time: the caller holds the data directory's lock.

    `directory` is the data directory, `run_dir` where the socket lies if its path is short enough.
    """

    def __init__(self, directory: Path, run_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory.absolute()
        self.binaries = binaries.choose(_major(self.directory))
        self.user: SystemUser = system_user.for_postgres()
        self._settings = {**SERVER_SETTINGS, **(settings or {})}
        self._own_socket_dir = False
        self.socket_dir = run_dir.absolute() / "postgres"
        if len(os.fsencode(self._socket(self.socket_dir))) > SOCKET_PATH_MAX:
            self.socket_dir = Path(tempfile.mkdtemp(prefix="callsvc-"))
            self._own_socket_dir = True

    @staticmethod
    def _socket(directory: Path) -> Path:
        return directory / f".s.PGSQL.{PORT}"

    @property
    def hba_file(self) -> Path:
        return self.directory / "callsvc_hba.conf"

    def conninfo(self, dbname: str = DATABASE, user: str = OWNER) -> str:
        """How to connect; holds no secret."""
        return make_conninfo("", host=str(self.socket_dir), port=PORT, dbname=dbname, user=user)

    def prepare(self) -> None:
        """Make the data directory if it is not there, and hand over what the database's user must own."""
        self._hand_over()
        if _major(self.directory) is None:
            self._init()
        self._write_access_rules()
        self._end_leftover()

    def launch(self) -> Launch:
        """The server itself, to be run as a direct child: SIGINT stops it cleanly, and so does our death."""
        options = {
            **self._settings,
            "unix_socket_directories": str(self.socket_dir),
            "hba_file": str(self.hba_file),
            "ident_file": str(self.directory / "callsvc_ident.conf"),
        }
        command = [str(self.binaries.postgres), "-D", str(self.directory)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return Launch(command, _environment(), self.directory, self._before_exec())

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            with psycopg.connect(self.conninfo("postgres", ADMIN), connect_timeout=2) as conn:
                conn.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def ensure_database(self, name: str = DATABASE) -> None:
        """The owner's role and the database, made where they are missing. Raises `Unavailable`."""
        try:
            with psycopg.connect(
                self.conninfo("postgres", ADMIN), connect_timeout=5, autocommit=True
            ) as conn:
                if not conn.execute("select 1 from pg_roles where rolname = %s", [OWNER]).fetchone():
                    conn.execute(sql.SQL("create role {} login").format(sql.Identifier(OWNER)))
                if not conn.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                    conn.execute(
                        sql.SQL("create database {} owner {}").format(
                            sql.Identifier(name), sql.Identifier(OWNER)
                        )
                    )
        except psycopg.OperationalError as error:
            raise Unavailable("The embedded database does not answer.") from error

    def forget_socket(self) -> None:
        """Remove the socket's directory if it was made for us alone."""
        if self._own_socket_dir:
            shutil.rmtree(self.socket_dir, ignore_errors=True)

    def _before_exec(self) -> Callable[[], None]:
        return system_user.before_exec(
            self.user, [self.directory / "PG_VERSION", self.binaries.postgres, self._socket(self.socket_dir)]
        )

    def _hand_over(self) -> None:
        self.directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._own(self.socket_dir)
        if self.directory.exists():
            self._own(self.directory)

    def _own(self, directory: Path) -> None:
        owner = directory.stat().st_uid
        if owner == self.user.uid:
            return
        if os.geteuid() != 0:
            raise ConfigurationError(
                "{directory} belongs to user {owner}, and we run as {user}.",
                hint="Run the service as the user it was run as before, or choose another --data-dir.",
                directory=directory,
                owner=owner,
                user=self.user.name,
            )
        for path in [directory, *directory.rglob("*")]:
            os.chown(path, self.user.uid, self.user.gid, follow_symlinks=False)

    def _init(self) -> None:
        # Beside its place and then moved, so that what was cut off half-way is never taken for a database.
        fresh = self.directory.with_name(self.directory.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._own(fresh)
        if self.binaries.major >= 17:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        else:
            locale = ["--locale-provider=libc", "--locale=C.UTF-8"]
        command = [
            str(self.binaries.initdb),
            "-D",
            str(fresh),
            "-U",
            ADMIN,
            "-E",
            "UTF8",
            "-T",
            "swedish",
            "-k",
        ]
        command += ["--auth-local=peer", "--auth-host=scram-sha-256", "--no-instructions", *locale]
        made = subprocess.run(
            command,
            env=_environment(),
            cwd=fresh,
            preexec_fn=self._before_exec(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if made.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            lines = [line for line in made.stderr.splitlines() if "error" in line or "FATAL" in line]
            raise ClusterFault(
                "The embedded database could not be made: {why}.",
                hint="Look at the free space and the rights of the data directory, then start again.",
                why=(lines or [made.stderr.strip()])[-1],
            )
        if self.directory.exists():
            self.directory.rmdir()  # empty, or it would have had a version
        fresh.rename(self.directory)

    def _write_access_rules(self) -> None:
        us = system_user.current().name
        ident = "".join(f'callsvc "{us}" {role}\n' for role in (ADMIN, OWNER))
        for name, text in {
            self.hba_file.name: "local all all peer map=callsvc\n",
            "callsvc_ident.conf": ident,
        }.items():
            file = self.directory / name
            file.write_text(text, encoding="utf-8")
            file.chmod(0o600)
            if not self.user.is_us:
                os.chown(file, self.user.uid, self.user.gid)

    def _end_leftover(self) -> None:
        """Stop a server that an earlier service left behind, and drop a pid file that names somebody else.

        PostgreSQL believes such a file as long as any process has that number.
        """
        file = self.directory / "postmaster.pid"
        try:
            pid = int(file.read_text(encoding="ascii", errors="replace").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not self._runs_here(pid):
            file.unlink(missing_ok=True)
            return
        descriptor = os.pidfd_open(pid)
        try:
            for number, wait_s in ((signal.SIGINT, 20), (signal.SIGQUIT, 10)):
                signal.pidfd_send_signal(descriptor, number)
                if _ended(descriptor, wait_s):
                    return
        finally:
            os.close(descriptor)
        raise Unavailable(
            "The database left behind by an earlier service (process {pid}) does not stop.", pid=pid
        )

    def _runs_here(self, pid: int) -> bool:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self.directory) in command


def _ended(pidfd: int, wait_s: float) -> bool:
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(wait_s * 1000))


def _major(directory: Path) -> int | None:
    try:
        return int((directory / "PG_VERSION").read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
    except ValueError:
        raise ConfigurationError(
            "{file} holds no version number.",
            hint="Restore the directory from its backup.",
            file=directory / "PG_VERSION",
        ) from None


def _environment() -> dict[str, str]:
    """Nothing of ours but the way to programs: no locale, no PG* variable that would change where it looks."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
