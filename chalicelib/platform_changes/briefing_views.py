"""What the API answers about briefings and the radar."""

from datetime import date, datetime

from pydantic import BaseModel

from chalicelib.core.words import Words
from chalicelib.platform_changes import briefing_words as plain
from chalicelib.platform_changes.briefing_model import Briefing, Work
from chalicelib.platform_changes.model import Kind, Status
from chalicelib.platform_changes.radar_model import Decision, Level, Prospect


class TaskView(BaseModel):
    """Something to do; `on` is null for what has no date, `owner` empty where nobody does it yet."""

    work: Work
    on: date | None
    platform: str
    title: str
    to_do: str
    means: str
    owner: str
    is_late: bool


class ToldView(BaseModel):
    """A change as it stood then; `abilities` are what we need the touched calls for."""

    change_id: str
    platform: str
    kind: Kind
    title: str
    text: str
    url: str
    status: Status
    seen_at: datetime
    effective_on: date | None
    due_on: date | None
    touches: bool
    abilities: list[str]
    accounts: int
    units: int
    versions: list[str]
    owner: str


class EndingView(BaseModel):
    """A version that we use; `set_in` is the setting that names it."""

    platform: str
    version: str
    ends_on: date
    accounts: int
    units: int
    newest: str
    set_in: str


class DownView(BaseModel):
    """An outage; `ended_at` is null while it lasts."""

    platform: str
    title: str
    began_at: datetime
    ended_at: datetime | None


class SilentView(BaseModel):
    """A source that cannot be read."""

    key: str
    platform: str
    name: str
    url: str
    since: datetime
    why: str


class OnRadarView(BaseModel):
    prospect_id: str
    name: str
    url: str
    what: str
    decision: Decision
    why: str
    review_on: date | None
    owner: str


class BriefingView(BaseModel):
    """`minute` is what to say in a minute, in your language; `tasks` are by date. `left_out` counts changes
    that did not fit.
    """

    week: str
    platform: str
    since: datetime
    until: datetime
    written_at: datetime
    is_quiet: bool
    minute: list[str]
    tasks: list[TaskView]
    changed: list[ToldView]
    left_out: int
    versions: list[EndingView]
    outages: list[DownView]
    silent: list[SilentView]
    radar: list[OnRadarView]

    @classmethod
    def of(cls, briefing: Briefing, language: str) -> "BriefingView":
        words = Words(language)
        tasks = [
            TaskView(
                work=line.task.work,
                on=line.task.on,
                platform=line.platform,
                title=line.name,
                to_do=line.to_do,
                means=line.means,
                owner=line.who,
                is_late=line.is_late,
            )
            for line in plain.lines(words, briefing)
        ]
        minute = [plain.said(words, line) for line in plain.minute(words, briefing)]
        names = cls.model_fields.keys() - {"tasks", "minute"}
        given = {name: getattr(briefing, name) for name in names}
        return cls.model_validate({**given, "tasks": tasks, "minute": minute}, from_attributes=True)


class JudgedView(BaseModel):
    level: Level
    words: str


class ProspectView(BaseModel):
    """A platform that we are not on, how it was judged, and what was decided."""

    prospect_id: str
    name: str
    url: str
    what: str
    audience: JudgedView
    policy: JudgedView
    effort: JudgedView
    risk: JudgedView
    decision: Decision
    why: str
    review_on: date | None
    owner_id: str
    added_at: datetime
    judged_at: datetime
    judged_by: str
    version: int

    @classmethod
    def of(cls, prospect: Prospect) -> "ProspectView":
        return cls.model_validate(prospect, from_attributes=True)


class RadarView(BaseModel):
    prospects: list[ProspectView]
