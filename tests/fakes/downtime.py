"""Platforms that are down: the fact alone, as whoever sends reads it; and time that passes meanwhile."""

from dataclasses import replace
from datetime import timedelta

from chalicelib.accounts.outages import Pause, read_pauses
from chalicelib.core.timetable import Lane
from tests.fakes.box import Box


def goes_down(box: Box, platform: str, for_: timedelta = timedelta(hours=24), name: str = "o1") -> None:
    """From now on the platform has an outage, for so long."""
    database = box.services.kernel.database
    title, url = f"{platform} is down", "https://status.test"
    pause = Pause(f"outage_{name}", title, url, box.now, box.now + for_)
    database.transact([read_pauses(database).write(platform, pause)])


def comes_back(box: Box, platform: str) -> None:
    """The platform's outage is over now, if it had one."""
    database = box.services.kernel.database
    pauses = read_pauses(database)
    if pauses.on(platform, box.now) is not None:
        pause = replace(pauses.by_platform[platform], until_at=box.now)
        database.transact([pauses.write(platform, pause)])


def publish_for(box: Box, **for_: float) -> None:
    """Let the publishing worker run for so long, at each moment that something is due."""
    until = box.now + timedelta(**for_)
    while True:
        box.run_due()
        ahead = [at for _, at in box.services.kernel.timetable.due(Lane.PUBLISH, until)]
        if not ahead:
            box.stage.clock.set(until)
            return
        box.stage.clock.set(max(min(ahead), box.now + timedelta(milliseconds=1)))
