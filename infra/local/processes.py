"""Background processes that outlive the command that starts them, and are found again by a later one.

Each keeps a lock on its pid file for as long as it lives, so a pid that the system has given to another
program is never mistaken for ours, and never signalled.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.package import ROOT

LOOPBACK = "127.0.0.1"
START_FOR, STOP_FOR, ASK_EVERY = 60.0, 30.0, 0.05


class StackError(Exception):
    """The stack cannot be started or used; the message says why and what to do."""


@dataclass(frozen=True)
class Service:
    """A background process; `ports` are by the variable that moves each, any answer at `ready_url` is up."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ports: Mapping[str, int]
    ready_url: str
    folder: Path

    @property
    def log_file(self) -> Path:
        return self.folder / "log" / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "run" / f"{self.name}.pid"

    def pid(self) -> int | None:
        """The process's id while it lives, else None."""
        try:
            with self._pid_file.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return int(self._pid_file.read_text())
        return None

    def refuse_taken_ports(self) -> None:
        """Raises StackError when another program has one of the ports."""
        for variable, port in self.ports.items():
            if not _is_free(port):
                raise StackError(
                    f"port {port}, which {self.name} needs, is taken by another program: "
                    f"stop that program or choose another port with {variable}"
                )

    def start(self) -> None:
        """Starts the process and returns before it is ready."""
        for file in (self._pid_file, self.log_file):
            file.parent.mkdir(parents=True, exist_ok=True)
        with self._pid_file.open("a+") as pid_file, self.log_file.open("ab") as log:
            fcntl.flock(pid_file, fcntl.LOCK_EX)
            process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[pid_file.fileno()],
            )
            pid_file.truncate(0)
            pid_file.write(str(process.pid))

    def wait_until_ready(self) -> None:
        """Returns when the process answers. Raises StackError with the end of its log when it does not."""
        end_at = time.monotonic() + START_FOR
        while time.monotonic() < end_at:
            if self.pid() is None:
                raise StackError(f"{self.name} stopped as it started; {self._last_words()}")
            if answers(self.ready_url):
                return
            time.sleep(ASK_EVERY)
        raise StackError(f"{self.name} did not answer within {START_FOR:.0f} seconds; {self._last_words()}")

    def stop(self, patience: float = STOP_FOR) -> bool:
        """Asks the process to end, after `patience` seconds makes it; whether there was one."""
        pid = self.pid()
        if pid is None:
            return False
        for sign in (signal.SIGTERM, signal.SIGKILL):
            os.kill(pid, sign)
            end_at = time.monotonic() + patience
            while time.monotonic() < end_at:
                if self.pid() is None:
                    return True
                time.sleep(ASK_EVERY)
        raise StackError(f"{self.name} (process {pid}) does not stop")

    def _last_words(self) -> str:
        lines = self.log_file.read_text(errors="replace").splitlines()[-8:]
        return f"the end of {self.log_file}:\n" + "\n".join(lines)


def answers(url: str) -> bool:
    """Whether a server is there: any HTTP answer will do."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # nosec B310 - our own loopback addresses
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def emptied(folder: Path) -> Path:
    """The folder, made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
