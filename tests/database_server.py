"""A PostgreSQL server of the tests' own, for every test that wants a real one."""

import gc
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from features.store.production import StoreSettings

PASSWORD = "only for: this@test/s #own server"


def server_program(name: str) -> str | None:
    """The server's own programs lie beside the path on Debian."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(debian[-1]) if debian else None)


@pytest.fixture(scope="module")
def server() -> Iterator[StoreSettings]:
    """A cluster of its own in a temporary folder; the server refuses to run as root."""
    initdb, pg_ctl = server_program("initdb"), server_program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("no PostgreSQL server here; on Debian: apt-get install postgresql")
    user = None
    if os.getuid() == 0:
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user `postgres`")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "password").write_text(PASSWORD)
        if user is not None:
            for path in (root, root / "password"):
                shutil.chown(path, user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]

        def run(*command: str) -> None:
            quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run(command, user=user, check=True, cwd=root, **quiet)

        data = str(root / "data")
        run(initdb, "-D", data, "-U", "tijdig", "-A", "scram-sha-256", "--pwfile", "password", "-N")
        options = f"-p {port} -k {root} -c listen_addresses=127.0.0.1 -c fsync=off"
        run(pg_ctl, "-D", data, "-w", "-l", str(root / "log"), "-o", options, "start")
        try:
            yield StoreSettings("postgres", "127.0.0.1", port, "postgres", sslmode="disable")
        finally:
            close_forgotten_connections()
            run(pg_ctl, "-D", data, "-m", "immediate", "stop")


def close_forgotten_connections() -> None:
    """Feast keeps the connections it reads with; open ones would warn in whatever test is next."""
    psycopg = pytest.importorskip("psycopg")
    for each in gc.get_objects():
        if isinstance(each, psycopg.Connection):
            each.close()
