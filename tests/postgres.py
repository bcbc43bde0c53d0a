"""A PostgreSQL server of the tests' own: made in a temporary folder, run by an unprivileged user, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from uuid import uuid4

_PLACES = ("/usr/local/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin")


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`, if they are installed; Debian keeps them off the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    candidates = [*folders, *map(Path, _PLACES), *([Path(found).parent] if found else [])]
    return next((place for place in candidates if (place / "initdb").exists() and (place / "postgres").exists()), None)


class Postgres:
    """One server at a free port of this machine, with password logins. It can be stopped, frozen and started again."""

    password = "s3cret/%"

    def __init__(self, folder: Path, bin: Path) -> None:
        self._bin = bin
        self._folder = folder
        self._user = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        folder.mkdir(parents=True)
        (folder / "password").write_text(self.password)
        if self._user is not None:
            for path in (folder, folder / "password"):
                os.chown(path, self._user, self._user)
        users = ("-U", "ada", "-A", "scram-sha-256", "--pwfile", str(folder / "password"))
        self._run("initdb", "-D", str(folder / "data"), "-E", "UTF8", "--locale=C", *users)

    def _run(self, program: str, *arguments: str) -> None:
        ran = subprocess.run(
            [str(self._bin / program), *arguments], capture_output=True, cwd=self._folder, **self._as_user(), check=False
        )
        assert ran.returncode == 0, ran.stderr.decode()

    def _as_user(self) -> dict[str, int]:
        return {} if self._user is None else {"user": self._user, "group": self._user}

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 60}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(self._folder / "data")]
                + [word for name, value in options.items() for word in ("-c", f"{name}={value}")],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._as_user(),
            )
        # After a crash it syncs its whole folder first, which took more than half a minute on a busy disk.
        until = time.monotonic() + 90
        asking = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while time.monotonic() < until:
            if subprocess.run(asking, check=False).returncode == 0:
                return
            assert self._process.poll() is None, (self._folder / "log").read_text()
            time.sleep(0.1)
        raise AssertionError("PostgreSQL did not start")

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop it: SIGINT ends all sessions in order, SIGQUIT as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def address(self, database: str, password: str | None = None) -> str:
        """The address of one of its databases."""
        secret = (password or self.password).replace("%", "%25").replace("/", "%2F")
        return f"postgresql+psycopg://ada:{secret}@127.0.0.1:{self.port}/{database}"

    def database(self, *options: str) -> str:
        """The address of a new, empty database."""
        name = f"headwater_{uuid4().hex[:12]}"
        said = " ".join(options)
        self.say("postgres", f'CREATE DATABASE "{name}" {said}')
        return self.address(name)

    def say(self, database: str, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the database's owner."""
        import psycopg

        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="ada", password=self.password, dbname=database, autocommit=True
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _unprivileged() -> int | None:
    """The user that runs the server where we are root, which PostgreSQL refuses to be; None where we are not."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise AssertionError("there is no user 'postgres' or 'nobody' to run PostgreSQL as")
