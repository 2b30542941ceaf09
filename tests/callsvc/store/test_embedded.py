"""The embedded PostgreSQL, from Debian and from the wheel: made, run, killed, upgraded against, short of space."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from callsvc.errors import ConfigurationError, MissingPart
from callsvc.store.embedded import binaries, cluster, system_user
from callsvc.store.embedded.binaries import Binaries
from callsvc.store.embedded.cluster import ADMIN, Cluster
from callsvc.store.embedded.system_user import SystemUser
from tests.support.database import FAST, start, stop

pytestmark = pytest.mark.call


@pytest.fixture
def fresh(seed: Path, tmp_path: Path) -> Cluster:
    """A cluster that was made, and is not running. It loses nothing: every commit is on the disk."""
    shutil.copytree(seed, tmp_path / "data")
    one = Cluster(tmp_path / "data", tmp_path / "run")
    one.prepare()
    return one


@pytest.fixture(scope="module")
def running(seed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that runs, for those who only look."""
    base = tmp_path_factory.mktemp("running")
    shutil.copytree(seed, base / "data")
    one = Cluster(base / "data", base / "run", settings=FAST)
    one.prepare()
    process = start(one, base / "log")
    one.ensure_database()
    yield one
    stop(one, process)


def test_it_is_made_and_answers_in_the_owners_name(running: Cluster, version: Binaries) -> None:
    with psycopg.connect(running.conninfo()) as conn:
        assert conn.info.server_version // 10000 == version.major
        row = conn.execute(
            "select current_user, current_database(), usesuper from pg_user where usename = user"
        )
        assert row.fetchone() == ("callsvc", "callsvc", False)


def test_swedish_words_keep_their_letters_even_where_the_machine_speaks_c(
    version: Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    one = Cluster(tmp_path / "data", tmp_path / "run", settings=FAST)
    one.prepare()
    process = start(one, tmp_path / "log")
    try:
        one.ensure_database()
        with psycopg.connect(one.conninfo()) as conn:
            asked = {
                "to_tsvector('swedish', 'Våld') @@ to_tsquery('swedish', 'våld')": True,
                "to_tsvector('swedish', 'VÅLD') @@ to_tsquery('swedish', 'våld')": True,
                "to_tsvector('swedish', 'vald') @@ to_tsquery('swedish', 'våld')": False,
                "to_tsvector('swedish', 'kvinnorna') @@ to_tsquery('swedish', 'kvinna')": True,
                "to_tsvector('swedish', 'samtalen') @@ to_tsquery('swedish', 'samtal')": True,
                "to_tsvector('swedish', 'våldet') @@ to_tsquery('swedish', 'våld:*')": True,
                "lower('ÅÄÖÉ') = 'åäöé'": True,
                "'Ö' ~ '[[:alpha:]]'": True,
            }
            for question, answer in asked.items():
                row = conn.execute(f"select {question}".encode()).fetchone()
                assert row == (answer,), question
    finally:
        stop(one, process)


def test_nothing_listens_on_the_network(running: Cluster) -> None:
    with psycopg.connect(running.conninfo()) as conn:
        assert conn.execute("show listen_addresses").fetchone() == ("",)
    assert running.socket_dir.stat().st_mode & 0o777 == 0o700


def test_the_service_may_not_run_programs_or_read_files_through_the_database(
    running: Cluster,
) -> None:
    for statement in ("copy (select 1) to program 'true'", "select pg_read_file('/etc/passwd')"):
        with psycopg.connect(running.conninfo()) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement.encode())


def test_what_goes_wrong_in_a_statement_is_logged_without_its_words(
    running: Cluster,
) -> None:
    with psycopg.connect(running.conninfo(), autocommit=True) as conn:
        conn.execute("create table t (word text primary key)")
        conn.execute("insert into t values ('kanariefågel')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            conn.execute("insert into t values ('kanariefågel')")
    said = (running.directory.parent / "log").read_text()
    assert "duplicate key" in said
    assert "kanariefågel" not in said


def test_killed_it_comes_back_with_every_committed_row(fresh: Cluster, tmp_path: Path) -> None:
    one = fresh
    process = start(one, tmp_path / "log")
    one.ensure_database()
    with psycopg.connect(one.conninfo(), autocommit=True) as conn:
        conn.execute("create table t as select generate_series(1, 1000)")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    one.prepare()
    again = start(one, tmp_path / "log")
    try:
        with psycopg.connect(one.conninfo()) as conn:
            assert conn.execute("select count(*) from t").fetchone() == (1000,)
    finally:
        stop(one, again)


def test_it_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib, time\n"
        "from callsvc.store.embedded.cluster import Cluster\n"
        "from tests.support.database import FAST, start\n"
        "base = pathlib.Path(sys.argv[1])\n"
        "one = Cluster(base / 'data', base / 'run', settings=FAST)\n"
        "one.prepare()\n"
        "print(start(one, base / 'log').pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        descriptor = os.pidfd_open(pid)
        try:
            parent.kill()
            assert cluster._ended(descriptor, 60)
        finally:
            os.close(descriptor)
    assert "fast shutdown" in (tmp_path / "log").read_text()


def test_a_pid_file_that_names_somebody_else_does_not_keep_it_from_starting(
    fresh: Cluster, tmp_path: Path
) -> None:
    one = fresh
    # Process 1 is alive on every machine, and no PostgreSQL.
    (one.directory / "postmaster.pid").write_text(f"1\n{one.directory}\n1\n5432\n\n*\n")
    one.prepare()
    process = start(one, tmp_path / "log")
    stop(one, process)


def test_a_server_left_behind_is_stopped_before_the_next_one_starts(fresh: Cluster, tmp_path: Path) -> None:
    process = start(fresh, tmp_path / "log")
    fresh.prepare()
    process.wait(0)
    assert process.returncode == 0


def test_making_it_that_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    half = tmp_path / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    one = Cluster(tmp_path / "data", tmp_path / "run", settings=FAST)
    one.prepare()
    assert not half.exists()
    stop(one, start(one, tmp_path / "log"))


def test_a_deep_directory_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    one = Cluster(deep / "data", deep / "run", settings=FAST)
    assert len(str(one.socket_dir)) < 60
    one.prepare()
    process = start(one, tmp_path / "log")
    try:
        assert one.ready()
    finally:
        stop(one, process)
    assert not one.socket_dir.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="ONLY ROOT CHANGES USERS: not tested as an ordinary user")
def test_as_root_it_runs_as_a_user_of_its_own_below_a_directory_of_roots(
    version: Binaries, tmp_path: Path
) -> None:
    home = tmp_path / "root"
    home.mkdir(mode=0o700)
    programs = home / "venv"
    one = Cluster(home / "data", home / "run", settings=FAST)
    if version.major == 18:  # the wheel's may lie anywhere, and find their libraries from where they lie
        package = version.directory.parent.parent
        for part in (package, package.with_name(package.name + ".libs")):
            shutil.copytree(part, programs / part.name, symlinks=True)
        one.binaries = Binaries(programs / version.directory.relative_to(package.parent), 18)
    one.prepare()
    process = start(one, tmp_path / "log")
    try:
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            if ":\t" in line
        )
        owner = pwd.getpwnam(system_user.NAME)
        assert status["Uid"].split() == [str(owner.pw_uid)] * 4
        # One capability and no other: to read and to enter directories.
        assert int(status["CapEff"], 16) == 1 << system_user.CAP_DAC_READ_SEARCH
        assert (home / "data").stat().st_uid == owner.pw_uid
        assert home.stat().st_mode & 0o777 == 0o700
    finally:
        stop(one, process)


@pytest.mark.skipif(os.geteuid() != 0, reason="ONLY ROOT CHANGES USERS: not tested as an ordinary user")
def test_as_root_it_keeps_no_capability_where_it_needs_none() -> None:
    with tempfile.TemporaryDirectory() as made:
        base = Path(made)
        base.chmod(0o755)
        one = Cluster(base / "data", base / "run", settings=FAST)
        if not system_user.reaches(one.user, one.binaries.postgres):
            pytest.skip("THE PROGRAMS LIE BELOW A DIRECTORY OF ROOT'S: not tested here")
        one.prepare()
        process = start(one, base / "log")
        try:
            assert "CapEff:\t0000000000000000" in Path(f"/proc/{process.pid}/status").read_text()
        finally:
            stop(one, process)


def test_a_link_reaches_no_further_than_what_it_names() -> None:
    somebody = SystemUser("somebody", 60_001, 60_001)
    with tempfile.TemporaryDirectory() as made:
        base = Path(made)
        base.chmod(0o755)
        closed = base / "closed"
        closed.mkdir(mode=0o700)
        (closed / "program").touch()
        (base / "link").symlink_to(closed / "program")
        (base / "open").touch()
        assert system_user.reaches(somebody, base / "open")
        assert not system_user.reaches(somebody, closed / "program")
        assert not system_user.reaches(somebody, base / "link")


@pytest.mark.skipif(os.geteuid() != 0, reason="ALREADY AN ORDINARY USER: everything here shows it")
def test_an_ordinary_user_runs_it_as_oneself(version: Binaries) -> None:
    script = (
        "import os, sys, pathlib\n"
        "from callsvc.store.embedded.cluster import Cluster\n"
        "from tests.support.database import FAST, start, stop\n"
        "base = pathlib.Path(sys.argv[1])\n"
        "one = Cluster(base / 'data', base / 'run', settings=FAST)\n"
        "one.prepare()\n"
        "process = start(one, base / 'log')\n"
        "print(os.stat(f'/proc/{process.pid}').st_uid)\n"
        "stop(one, process)\n"
    )
    nobody = pwd.getpwnam("nobody")
    if not system_user.reaches(SystemUser("nobody", nobody.pw_uid, nobody.pw_gid), Path(sys.executable)):
        pytest.skip("THE PROGRAMS LIE BELOW A DIRECTORY OF ROOT'S: not tested as an ordinary user")
    with tempfile.TemporaryDirectory() as made:
        os.chown(made, nobody.pw_uid, nobody.pw_gid)
        ran = subprocess.run(
            [sys.executable, "-c", script, made],
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ran.stdout, ran.stderr) == (f"{nobody.pw_uid}\n", "")


def test_a_database_of_another_major_version_is_refused_and_left_alone(
    version: Binaries, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(ConfigurationError, match=f"made by PostgreSQL 17; .* only {version.major}"):
        Cluster(data, tmp_path / "run")
    assert [file.name for file in data.iterdir()] == ["PG_VERSION"]
    assert not (tmp_path / "run").exists()


def test_of_several_versions_the_one_that_made_the_database_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(binaries.VARIABLE, raising=False)
    if not {15, 18} <= {found.major for found in binaries.candidates()}:
        pytest.skip("POSTGRESQL 15 AND 18 ARE NOT BOTH ON THIS MACHINE: not tested")
    assert binaries.choose().major == 15
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("18\n")
    assert Cluster(data, tmp_path / "run").binaries.major == 18


def test_programs_that_the_environment_names_and_are_not_there_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(binaries.VARIABLE, str(tmp_path))
    with pytest.raises(ConfigurationError, match=binaries.VARIABLE):
        binaries.choose()


def test_a_machine_without_postgresql_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "candidates", list)
    with pytest.raises(MissingPart) as refused:
        binaries.choose()
    assert "apt-get install" in refused.value.hint


def test_user_admin_role_is_for_the_supervisor_alone(running: Cluster) -> None:
    with psycopg.connect(running.conninfo("postgres", ADMIN)) as conn:
        assert conn.execute("select usesuper from pg_user where usename = user").fetchone() == (True,)
    with psycopg.connect(running.conninfo()) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(f"set session authorization {ADMIN}".encode())
