"""`make bench`: everything that is promised in numbers, measured on this machine in some minutes.

Prints a table and writes results.md and results.json beside this file.
"""

import argparse
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from bench import (
    capacity,
    changes,
    door,
    holds,
    imports,
    inbox,
    inbox_costs,
    lookalikes,
    package,
    register,
    report,
    storm,
    timetable,
)
from bench.company import BENCH_STAGE, Company, drop_tables, make_bench_stage, stack_for_bench
from bench.deliveries import connect
from infra.deploy import DeployError
from infra.local.processes import StackError
from infra.package import ROOT, PackagingError, build

ACCOUNTS_FOR_ONE = 10
BROKEN = "no number"


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped then, too
    try:
        return run()
    except (DeployError, PackagingError, StackError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1


def run() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=Path(__file__).parent, help="where results are written")
    into = parser.parse_args().into
    about, started = report.machine(), time.monotonic()
    sections: list[report.Section] = []

    def add(what: str, measure: Callable[[], list[report.Section]]) -> None:
        print(f"\n{time.monotonic() - started:5.0f} s  {what}", flush=True)
        for section in _measured(what, measure):
            report.show(section)
            sections.append(section)

    shipped = build("prod")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = imports.unpack(shipped, folder)
        hello = imports.hello_world(ours)
        add("importing each function's module in fresh processes", lambda: [imports.measure(ours, hello)])
        add("look-alikes by their looks alone", lambda: [lookalikes.measure()])
        add("platform changes in recorded histories", lambda: [changes.measure()])
        with stack_for_bench(ROOT / ".local" / "bench") as stack:
            make_bench_stage(stack)
            company = Company.found(stack, BENCH_STAGE, ACCOUNTS_FOR_ONE)
            page = connect(company)["facebook"]
            everybody = Company.found(stack, stack.stage)
            # While no account stands for a network that is not on this machine.
            add("320 accounts, checked and searched for", lambda: register.measure_found(everybody))
            connect(everybody)

            def first_invocations() -> list[report.Section]:
                taken = package.invoke_all(ours, hello, company)
                return [imports.first_invocations(taken), package.measure(shipped, taken)]

            add("each function's first event in fresh processes", first_invocations)
            add("one post from draft to platform", lambda: [capacity.measure(company)])
            add("the inbound door", lambda: [door.measure(everybody, company, ours, hello)])
            add("one message in the inbox", lambda: [inbox_costs.measure_message(company)])
            add(f"{inbox.EVENTS:,} events from the door to the inbox", lambda: [inbox.measure(everybody)])
            everybody.add_accounts(storm.ACCOUNTS)
            add(f"{storm.FEW} due in one second", lambda: [storm.measure_few(everybody)])
            add(f"{storm.MANY:,} due in one second", lambda: [storm.measure_many(everybody)])
            add(f"{storm.MANY:,} due in one second, and a hold", lambda: [holds.measure(everybody)])
            add("an idle tick", lambda: [timetable.measure(company)])
            add("a page of the inbox", lambda: [inbox_costs.measure_page(company, page)])
            add("a day of the register", lambda: [register.measure_costs(company)])
            drop_tables(stack)
    about["took"] = f"{time.monotonic() - started:.0f} s"
    report.write(about, sections, into)
    missed = [line for section in sections for line in section.lines if line.met is False]
    print(f"\n{into / 'results.md'}: {len(missed)} wants not met, {about['took']}")
    return 1 if any(line.found == BROKEN for line in missed) else 0


def _measured(what: str, measure: Callable[[], list[report.Section]]) -> list[report.Section]:
    """What a measurement found; one that broke is a want not met, and the others go on."""
    try:
        return measure()
    except Exception as error:
        traceback.print_exc()
        line = report.Line(what, BROKEN, "a number", False, f"it broke: {type(error).__name__}: {error}")
        return [report.Section(what.capitalize(), "", [line])]


if __name__ == "__main__":
    sys.exit(main())
