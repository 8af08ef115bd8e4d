"""Replays a history by the clock, through the real tracker and register, and holds them to the truth."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import Headers, HttpClient, Request, Response
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.work import Later
from chalicelib.platform_changes.changes import TELL, WARN, Changes
from chalicelib.platform_changes.model import Finding, PlatformChange, Source, SourceKind, Status
from chalicelib.platform_changes.outage_changes import OutageChanges
from chalicelib.platform_changes.outages import Outages
from chalicelib.platform_changes.source_settings import TRACK, Sources
from chalicelib.platform_changes.source_tellings import SourceTellings
from chalicelib.platform_changes.sources.reader import Reader, Snapshot, reader
from chalicelib.platform_changes.sources.status import Incident, incidents
from chalicelib.platform_changes.tellings import ChangeTellings
from chalicelib.platform_changes.tracker import TELL_SOURCE, Tracker
from chalicelib.platforms.registry import surfaces
from chalicelib.subscriptions import SUBSCRIPTIONS
from tests.conftest import TEMPLATE
from tests.fakes.stage import Stage
from tests.fakes.transport import Answer, Answering, FakeTransport, client, reply
from tests.platform_changes.conftest import Office
from tests.platform_changes.histories.history import History, Planted


class Web:
    """What stands at each address."""

    def __init__(self) -> None:
        self._there: dict[str, Answering] = {}

    def answer(self, url: str, answering: Answering) -> None:
        self._there[url] = answering

    def put(self, url: str, body: bytes, content_type: str) -> None:
        self.answer(url, lambda request: _whole(body, content_type, request))

    def __call__(self, request: Request) -> Answer:
        answering = self._there.get(request.url)
        return answering(request) if answering else reply(404)


def _whole(body: bytes, content_type: str, request: Request) -> Response:
    """The page with its ETag; that nothing has changed, for who has it already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == etag:
        return Response(304, Headers({"ETag": etag}), b"", request.url)
    return Response(200, Headers({"Content-Type": content_type, "ETag": etag}), body, request.url)


class _Noting:
    """A reader that notes what it finds."""

    def __init__(self, kind: SourceKind, found: dict[str, Finding]) -> None:
        self._reader: Reader = reader(kind)
        self._found = found

    def read(self, source: Source, body: bytes, content_type: str) -> Snapshot:
        return self._reader.read(source, body, content_type)

    def compare(self, source: Source, before: Snapshot | None, after: Snapshot, today: date) -> list[Finding]:
        findings = self._reader.compare(source, before, after, today)
        self._found.update({finding.key: finding for finding in findings})
        return findings


class Watch:
    """A company that watches sources: everything is real but the web and the postbox."""

    def __init__(
        self,
        office: Office,
        sources: Sequence[Source],
        http: HttpClient | None = None,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        self.office, self.kernel, self.web = office, office.kernel, Web()
        self.sources = {source.key: source for source in sources}
        self.found: dict[str, Finding] = {}
        stage, kernel, mailer = office.stage, office.kernel, office.postbox
        version_of = (versions or {}).get
        self.changes = Changes(kernel, office.org, office.accounts, surfaces, version_of)
        self.outages = Outages(kernel, office.org)
        self._outage_changes = OutageChanges(kernel, self.changes, self.outages)
        looked_at = Sources(kernel, office.org, self.sources)
        self.tracker = Tracker(
            kernel,
            office.org,
            looked_at,
            self.changes,
            office.objects,
            http or client(stage.clock, FakeTransport(self.web)),
            lambda kind: _Noting(kind, self.found),
            incidents,
            self._heard,
        )
        mails: Any = mailer
        tellings = ChangeTellings(kernel, office.org, stage.links, self.changes, mails, stage.settings)
        of_sources = SourceTellings(kernel, office.org, looked_at, mails, stage.settings)
        office.handlers |= {
            TRACK: self.tracker.track_source,
            TELL: tellings.tell_change,
            WARN: tellings.warn_of_change,
            TELL_SOURCE: of_sources.tell_source,
        }

    def _heard(self, source: Source, said: Sequence[Incident]) -> None:
        """What a status page says, and the chore that its events bring about."""
        self.outages.heard(source, said)
        for outage in self.outages.page(limit=5)[0]:
            self._outage_changes.note(self._claim("note_outage", outage.outage_id))

    def _claim(self, kind: str, ref: str) -> Claim:
        now = self.office.now
        return Claim(
            Entry(f"{kind}#{ref}", Lane.CHORES, kind, ref, now), "replay", now + timedelta(minutes=5)
        )

    def look(self, source: Source) -> None:
        """One look, now, as its entry of the timetable brings it about."""
        try:
            self.tracker.track_source(self._claim(TRACK, source.key))
        except Later:
            return
        raise AssertionError(f"{source.key} is not looked at again")

    def follow(self, history: History) -> Source:
        """A source that says, at any moment, what the history said then."""
        source, looks = source_of(history), history.looks

        def answer(request: Request) -> Answer:
            latest = max((look for look in looks if look.at <= self.office.now), key=lambda look: look.at)
            return _whole(latest.body.encode(), history.content_type, request)

        self.web.answer(source.url, answer)
        return source

    def records(self, platform: str) -> list[PlatformChange]:
        return self.changes.store.of_platform(platform, self.office.now - timedelta(days=900))


@dataclass(frozen=True)
class Told:
    """What one finding of the look number `look` made of a record; `is_first` where it began it."""

    look: int
    finding: Finding
    change: PlatformChange
    is_first: bool = True

    def says(self, words: Sequence[str]) -> bool:
        about = self.finding
        said = "\n".join((about.title, about.text, *about.operations, *about.fields, *about.versions))
        return any(each in said.casefold() for each in words)


def source_of(history: History) -> Source:
    return Source(
        key=f"{history.platform}_{history.name}",
        platform=history.platform,
        kind=SourceKind(history.kind),
        name=f"{history.platform.capitalize()}: {history.name}",
        url=history.url,
        every_for=timedelta(hours=6),
        patience_for=timedelta(days=2),
        options=dict(history.options),
    )


def replay(office: Office, history: History) -> list[Told]:
    """Everything that a history makes of the register, with each record as it was after that look."""
    source = source_of(history)
    watch, told, known = Watch(office, [source]), list[Told](), set[str]()
    for unit in (office.root, office.district):
        office.account(history.platform, unit.unit_id, unit_id=unit.unit_id)
    for number, look in enumerate(history.looks, 1):
        office.stage.clock.set(look.at)
        watch.web.put(source.url, look.body.encode(), history.content_type)
        watch.look(source)
        for change in watch.records(history.platform):
            for place, sighting in enumerate(change.sightings):
                if sighting.finding not in known:
                    known.add(sighting.finding)
                    shown = Finding(sighting.finding, change.title, change.text)
                    finding = watch.found.get(sighting.finding, shown)
                    told.append(Told(number, finding, change, place == 0))
    failing = watch.tracker.failing()
    assert not failing, f"{history.name}: {failing[0].failing_why}"
    return told


@dataclass
class Score:
    """What was planted in a history beside what was made of it.

    `records` are those that people see. `false` are records among them that say nothing that was planted
    then; `aside` are such that a rule has put aside; `split` are records more than one of the same planted
    change. `quiet` are breaking ones that were found and not called so.
    """

    history: History
    looks: int = 0
    records: int = 0
    found: list[Planted] = field(default_factory=list)
    missed: list[Planted] = field(default_factory=list)
    false: list[Told] = field(default_factory=list)
    aside: int = 0
    split: int = 0
    quiet: list[Planted] = field(default_factory=list)
    wrong_kind: list[tuple[Planted, str]] = field(default_factory=list)
    wrong_day: list[tuple[Planted, str]] = field(default_factory=list)
    wrong_touching: list[tuple[Planted, tuple[str, ...]]] = field(default_factory=list)

    @property
    def breaking(self) -> tuple[int, int]:
        """Of those that break something: how many were found, and how many there are."""
        found = sum(planted.is_breaking for planted in self.found)
        return found, found + sum(planted.is_breaking for planted in self.missed)


def score(history: History, told: Sequence[Told]) -> Score:
    """Holds what was told to what was planted."""
    seen = {one.change.change_id for one in told if one.change.status != Status.NOT_OURS}
    result = Score(history, len(history.looks), len(seen))
    right: set[int] = set()
    for planted in history.planted:
        then = [(n, one) for n, one in enumerate(told) if one.look == planted.look]
        there = [(n, one) for n, one in then if one.says(planted.says)]
        right.update(n for n, one in then if one.says((*planted.says, *planted.beside)))
        if planted.optional:
            continue
        if there:
            _judge(result, planted, [one for _, one in there])
        else:
            result.missed.append(planted)
    for n, one in enumerate(told):
        if n in right or not one.is_first:
            continue  # what joins a record that people have already tells nobody anything
        if one.change.status == Status.NOT_OURS:
            result.aside += 1
        else:
            result.false.append(one)
    return result


def _judge(result: Score, planted: Planted, there: Sequence[Told]) -> None:
    result.found.append(planted)
    result.split += max(0, len({one.change.change_id for one in there if one.is_first}) - 1)
    kinds = {str(one.change.kind) for one in there}
    if not kinds & set(planted.kinds):
        result.wrong_kind.append((planted, "/".join(sorted(kinds))))
    if planted.is_breaking and not kinds & {"breaking", "deprecation"}:
        result.quiet.append(planted)
    days = {str(one.change.effective_on or "") for one in there}
    if planted.effective_on is not None and planted.effective_on not in days:
        result.wrong_day.append((planted, "/".join(sorted(days))))
    touching = tuple(sorted({name for one in there for name in one.change.touching.surfaces}))
    if planted.touching is not None and planted.touching != bool(touching):
        result.wrong_touching.append((planted, touching))


def measured(history: History) -> Score:
    """A history replayed in a stage of its own."""
    clock = FixedClock(history.looks[0].at - timedelta(hours=1))
    stage = Stage.create(f"h{uuid4().hex[:9]}", TEMPLATE, clock)
    stage.subscriptions = {**SUBSCRIPTIONS, "OutageBegan": (), "OutageEnded": ()}  # nobody has posts here
    return score(history, replay(Office.create(stage), history))
