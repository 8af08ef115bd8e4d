"""One PDS from npm and one stack for all tests of this folder, on ports and in a folder of their own.

Between the app and the PDS lies a wire that can be cut; it stands on a port that the stack lets the app call.
"""

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from infra.bluesky.pds import INSTALLED, Pds, install, start
from infra.local.stack import Machine
from tests.bluesky.office import Channel, Office
from tests.bluesky.wire import Cut, Wire

FOLDER = INSTALLED.with_name("bluesky-test")
# Not a developer's SIGNALBOX_PORT_BASE: their stack may be up.
PORT_BASE = os.environ.get("SIGNALBOX_BLUESKY_PORT_BASE", "4870")
LOST_TEXT = "Zaginiony w drodze 📮 {} سلام #Zorza"


@dataclass(frozen=True)
class Lost:
    """A post whose call was cut."""

    channel: Channel
    post_id: str


@pytest.fixture(scope="session")
def installed() -> None:
    reason = install()
    if reason:
        pytest.skip(f"The Bluesky server was not run: {reason}")


@pytest.fixture(scope="session")
def machine(installed: None) -> Iterator[Machine]:
    """A new one each time, stopped first if an earlier run was killed."""
    machine = Machine(FOLDER, {"SIGNALBOX_PORT_BASE": PORT_BASE})
    machine.down()
    # Functions leave thousands of files, which some disks take a minute to remove: meanwhile, then.
    old = FOLDER.with_name("bluesky-test-old")
    shutil.rmtree(old, ignore_errors=True)
    FOLDER.rename(old)
    removing = threading.Thread(target=shutil.rmtree, args=(old,))
    removing.start()
    yield machine
    machine.down()
    removing.join()


@pytest.fixture(scope="session")
def pds(machine: Machine) -> Iterator[Pds]:
    behind_the_wire = max(machine.ports.values()) + 1
    with start(FOLDER, behind_the_wire, machine.ports["SIGNALBOX_PLC_PORT"]) as pds:
        yield pds


@pytest.fixture(scope="session")
def wire(machine: Machine, pds: Pds) -> Iterator[Wire]:
    pds_port = int(pds.base_url.rpartition(":")[2])
    with Wire(machine.ports["SIGNALBOX_PDS_PORT"], pds_port) as wire:
        yield wire


@pytest.fixture(scope="session")
def office(machine: Machine, wire: Wire) -> Office:
    stack, _ = machine.up(sample_company=False)
    wire.workers_of = machine.services[0].pid()
    return Office.opened(stack, FOLDER, wire.url)


@pytest.fixture(scope="session", autouse=True)
def losses(office: Office, pds: Pds, wire: Wire) -> dict[Cut, Lost]:
    """Posts that are cut as they are sent. What comes of them is looked at last.

    Begun before any other test, because a dead worker's claim stands for two minutes. That worker's post is
    due alone: the others of its batch would die with it.
    """
    cuts = [Cut.BEFORE_THE_SERVER, Cut.AFTER_THE_SERVER]
    if sys.platform == "linux":
        cuts.insert(0, Cut.WITH_THE_WORKER)
    lost: dict[Cut, Lost] = {}
    for where in cuts:
        channel = office.add(Channel.on(pds, where.name.lower().replace("_", "-")[:18]))
        cut = wire.cut(channel.did, where)
        ahead_for = timedelta(seconds=20 if where is cuts[0] else 15)
        post = office.draft(channel, LOST_TEXT.format(where.name.lower()), ahead_for=ahead_for)
        lost[where] = Lost(channel, office.sign(post))
        if where is Cut.WITH_THE_WORKER:
            assert cut.wait(60), "the post was not sent"
    return lost
