"""Who may see which conversation, and where to look for those that somebody may see."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.core.errors import NotFound
from chalicelib.inbox.model import Conversation, State
from chalicelib.inbox.store import InboxStore, group_of
from chalicelib.org.model import Actor
from chalicelib.org.roles import ROLE_RIGHTS, Right
from chalicelib.org.service import Org

Paths = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Wanted:
    """Which conversations are asked for; a unit means all below it too."""

    group: str = "todo"
    state: State | None = None
    unit_id: str | None = None
    account_id: str | None = None
    assignee_id: str | None = None
    tag: str | None = None
    kind: str | None = None

    def fits(self, c: Conversation, paths: Paths) -> bool:
        """Whether it is among them as it stands now; an index may still say where it stood."""
        return (
            c.merged_into is None
            and group_of(c.state) == self.group
            and self.state in (None, c.state)
            and (self.unit_id is None or self.unit_id in paths.get(c.unit_id, ()))
            and self.account_id in (None, c.account_id)
            and self.assignee_id in (None, c.assignee_id)
            and (self.tag is None or self.tag in c.tags)
            and self.kind in (None, c.kind)
        )


class Access:
    def __init__(self, store: InboxStore, org: Org) -> None:
        self._store = store
        self._org = org

    def visible(self, actor: Actor, conversation_id: str) -> Conversation:
        """The conversation, or the one that it was merged into.

        Raises NotFound, also for one they may not see, so that ids tell nothing.
        """
        conversation = self._store.get(conversation_id)
        if not self.may(actor, Right.INBOX_READ, conversation):
            raise NotFound(f"there is no conversation {conversation_id}")
        return conversation

    def require(self, actor: Actor, conversation_id: str, right: Right) -> Conversation:
        """The same for somebody who wants to do something with it. Raises NotFound and NotAllowed."""
        conversation = self.visible(actor, conversation_id)
        path = self._org.unit(conversation.unit_id).path
        actor.require_on(right, path, conversation.account_id)
        return conversation

    def may(self, actor: Actor, right: Right, conversation: Conversation) -> bool:
        """Whether they hold the right on the conversation's unit or account."""
        return actor.may(right, self._org.unit(conversation.unit_id).path, conversation.account_id)

    def paths(self) -> Paths:
        """Each unit's path, by its id."""
        return {unit.unit_id: unit.path for unit in self._org.units()}

    def listings(self, actor: Actor, wanted: Wanted, paths: Paths) -> list[tuple[str, str]]:
        """The index partitions that hold what is wanted: as few as will do. Raises NotFound for a unit."""
        if wanted.unit_id is not None and wanted.unit_id not in paths:
            raise NotFound(f"there is no unit {wanted.unit_id}")
        group = wanted.group
        if wanted.assignee_id is not None:
            return [("by_assignee", f"person#{wanted.assignee_id}#{group}")]
        if wanted.account_id is not None:
            return [("by_account", f"account#{wanted.account_id}#{group}")]
        units = [
            ("listing", f"unit#{unit_id}#{group}")
            for unit_id, path in paths.items()
            if actor.may(Right.INBOX_READ, path) and (wanted.unit_id is None or wanted.unit_id in path)
        ]
        accounts = {
            g.account_id for g in actor.grants if g.account_id and Right.INBOX_READ in ROLE_RIGHTS[g.role]
        }
        return units + [("by_account", f"account#{account_id}#{group}") for account_id in sorted(accounts)]

    def sees(self, actor: Actor, conversation: Conversation, paths: Paths) -> bool:
        """Whether they may read it, by the units' paths as they were read."""
        path = paths.get(conversation.unit_id)
        return path is not None and actor.may(Right.INBOX_READ, path, conversation.account_id)
