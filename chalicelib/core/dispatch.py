"""The tick: reads what is due and sends each entry's id to its lane's queue, delayed to its second.

It also counts what is parked, so that the alarm stays on until somebody has dealt with it.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from chalicelib.core import log as metrics
from chalicelib.core.kernel import Kernel, delay_until
from chalicelib.core.timetable import Lane

# A rule of one minute may fire some seconds late; what falls between two ticks must already be on its way.
HORIZON_FOR = timedelta(seconds=90)


class Dispatcher:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def dispatch(self) -> dict[str, int]:
        """Wake the workers for everything due within the horizon; safe to run twice at once, or to miss."""
        summary = {}
        for lane in Lane:
            now = self._kernel.clock.now()
            wakes = [
                (entry_id, delay_until(due_at, now))
                for entry_id, due_at in self._kernel.timetable.due(lane, now + HORIZON_FOR)
            ]
            batches = [wakes[start : start + 10] for start in range(0, len(wakes), 10)]
            with ThreadPoolExecutor(max_workers=8) as pool:
                sent = sum(pool.map(lambda batch, lane=lane: self._kernel.queues.wake(lane, batch), batches))
            summary[str(lane)] = sent
        metrics.count("ticks")
        metrics.count("parked", self._kernel.timetable.count_parked())
        return summary
