"""The rows of briefings and of the radar in the `platform_changes` table.

pk               sk              listing
briefing         <week>          -         a briefing as it was written
briefing#<week>  mail#<person>   -         that somebody's mail was begun, and how that ended
radar            <prospect id>   -         a new platform
"""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.platform_changes.briefing_model import Briefing
from chalicelib.platform_changes.radar_model import Prospect

TABLE = "platform_changes"
_MAILS_KEPT_FOR = timedelta(days=90)
_MEANWHILE = Conflict("somebody else changed this just now; look again and repeat your change")


class BriefingStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    # Briefings

    def find(self, week: str) -> Briefing | None:
        item = self._database.get(TABLE, {"pk": "briefing", "sk": week})
        return from_item(Briefing, item) if item else None

    def kept(self, limit: int, before: str = "~") -> list[Briefing]:
        """The latest briefings that come before a week, the latest first."""
        key = where("pk = :p AND sk < :b", p="briefing", b=before)
        items = self._database.query(TABLE, key, limit=limit, forward=False).items
        return [from_item(Briefing, item) for item in items]

    def put_new(self, change: Change, briefing: Briefing) -> None:
        """The commit raises Conflict if the week has one."""
        item = {**to_item(briefing), "pk": "briefing", "sk": briefing.week}
        change.put(TABLE, item, where("attribute_not_exists(pk)"))

    # Their mails

    def mailed(self, week: str) -> dict[str, str]:
        """Each person whose mail was begun, and how that ended: `begun` if nobody knows."""
        items = self._database.query_all(TABLE, where("pk = :p", p=f"briefing#{week}"))
        return {item["sk"].removeprefix("mail#"): item["state"] for item in items}

    def begin_mail(self, change: Change, week: str, person_id: str) -> None:
        """The commit raises Conflict if it was begun before, and is not known to have failed."""
        free = where("attribute_not_exists(pk) OR state = :failed", failed="failed")
        swept_at = int((change.now + _MAILS_KEPT_FOR).timestamp())
        row = {"state": "begun", "begun_at": to_text(change.now), "swept_at": swept_at}
        change.put(TABLE, {**_mail(week, person_id), **row}, free)

    def end_mail(self, week: str, person_id: str, state: str, now: datetime) -> None:
        """Note that a mail is `sent`, or has `failed` and may be tried again."""
        update = where("SET state = :s, ended_at = :n", s=state, n=to_text(now))
        self._database.update(TABLE, _mail(week, person_id), update)

    # The radar

    def prospects(self) -> list[Prospect]:
        """All of them, in the order in which they were added."""
        items = self._database.query_all(TABLE, where("pk = :p", p="radar"))
        return [from_item(Prospect, item) for item in items]

    def prospect(self, prospect_id: str) -> Prospect:
        """Raises NotFound."""
        item = self._database.get(TABLE, _prospect(prospect_id))
        if item is None:
            raise NotFound(f"there is nothing on the radar with the number {prospect_id}")
        return from_item(Prospect, item)

    def save_prospect(self, change: Change, prospect: Prospect, seen: int) -> Prospect:
        """As saved. The commit raises Conflict unless `seen` is the latest version; 0: it is new."""
        saved = replace(prospect, version=seen + 1)
        when = where("version = :seen", seen=seen) if seen else where("attribute_not_exists(pk)")
        change.put(TABLE, {**to_item(saved), **_prospect(saved.prospect_id)}, when, _MEANWHILE)
        return saved

    def drop_prospect(self, change: Change, prospect: Prospect) -> None:
        when = where("version = :seen", seen=prospect.version)
        change.delete(TABLE, _prospect(prospect.prospect_id), when, _MEANWHILE)


def _mail(week: str, person_id: str) -> Item:
    return {"pk": f"briefing#{week}", "sk": f"mail#{person_id}"}


def _prospect(prospect_id: str) -> Item:
    return {"pk": "radar", "sk": prospect_id}
