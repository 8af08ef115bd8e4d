"""Background processes: found again, stopped for certain, and never mistaken for somebody else's."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.processes import Service, StackError


def a_service(folder: Path, script: str, port: int = 0) -> Service:
    return Service(
        name="sleeper",
        command=[sys.executable, "-c", script],
        environment=dict(os.environ),
        ports={"SLEEPER_PORT": port} if port else {},
        ready_url="http://127.0.0.1:9/",
        folder=folder,
    )


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Service]:
    service = a_service(tmp_path, "import time; time.sleep(60)")
    service.start()
    yield service
    service.stop()


def test_a_process_is_found_by_a_later_command(sleeper: Service, tmp_path: Path) -> None:
    later = a_service(tmp_path, "")
    assert later.pid() == sleeper.pid() is not None


def test_a_stopped_process_is_gone(sleeper: Service) -> None:
    pid = sleeper.pid()
    assert pid is not None
    assert sleeper.stop()
    assert sleeper.pid() is None
    assert not sleeper.stop()


def test_a_process_that_ignores_the_request_is_ended(tmp_path: Path) -> None:
    service = a_service(
        tmp_path,
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
    )
    service.start()
    while "deaf" not in service.log_file.read_text():
        assert service.pid() is not None
    assert service.stop(patience=0.2)
    assert service.pid() is None


def test_a_pid_that_now_belongs_to_another_program_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        service = a_service(tmp_path, "")
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "sleeper.pid").write_text(str(other.pid))
        assert service.pid() is None
        assert not service.stop()
        assert other.poll() is None
        other.kill()


def test_a_taken_port_is_named_with_the_variable_that_moves_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port}, which sleeper needs.*SLEEPER_PORT"):
            a_service(tmp_path, "", port).refuse_taken_ports()


def test_a_process_that_stops_as_it_starts_is_reported_with_its_last_words(tmp_path: Path) -> None:
    service = a_service(tmp_path, "raise SystemExit('no disk left')")
    service.start()
    with pytest.raises(StackError, match="no disk left"):
        service.wait_until_ready()
