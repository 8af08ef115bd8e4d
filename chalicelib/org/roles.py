"""What each role may do: one table, and who may hand which role to whom.

A right is held on a unit, and then on everything below it, or on one account. Approvers decide by their
emailed link, not by a right: the role only says whom an approval stage may ask.
"""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    LEAD = "lead"
    DISTRICT_MANAGER = "district_manager"
    AUTHOR = "author"
    APPROVER = "approver"
    RESPONDER = "responder"
    ANALYST = "analyst"
    OPS = "ops"
    AUDITOR = "auditor"


class Right(StrEnum):
    PEOPLE_READ = "people.read"
    PEOPLE_WRITE = "people.write"
    GRANTS_WRITE = "grants.write"
    TOKENS_ISSUE = "tokens.issue"
    UNITS_READ = "units.read"
    UNITS_WRITE = "units.write"
    POLICY_WRITE = "policy.write"
    ACCOUNTS_READ = "accounts.read"
    ACCOUNTS_WRITE = "accounts.write"
    POSTS_READ = "posts.read"
    POSTS_WRITE = "posts.write"
    MEDIA_WRITE = "media.write"
    HOLDS_READ = "holds.read"
    HOLDS_WRITE = "holds.write"
    INBOX_READ = "inbox.read"
    INBOX_WRITE = "inbox.write"
    INBOX_MANAGE = "inbox.manage"
    REGISTER_READ = "register.read"
    REGISTER_WRITE = "register.write"
    TAKEDOWNS_WRITE = "takedowns.write"
    CHANGES_READ = "changes.read"
    CHANGES_WRITE = "changes.write"
    HISTORY_READ = "history.read"
    OPS_WRITE = "ops.write"


_READS = frozenset(
    {
        Right.PEOPLE_READ,
        Right.UNITS_READ,
        Right.ACCOUNTS_READ,
        Right.POSTS_READ,
        Right.HOLDS_READ,
        Right.CHANGES_READ,
    }
)
_WRITES_POSTS = frozenset({Right.POSTS_WRITE, Right.MEDIA_WRITE})
_ANSWERS = frozenset({Right.INBOX_READ, Right.INBOX_WRITE})

ROLE_RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.LEAD: frozenset(Right),
    Role.DISTRICT_MANAGER: _READS
    | _WRITES_POSTS
    | _ANSWERS
    | {Right.GRANTS_WRITE, Right.UNITS_WRITE, Right.POLICY_WRITE, Right.ACCOUNTS_WRITE, Right.HOLDS_WRITE}
    | {Right.INBOX_MANAGE, Right.REGISTER_READ, Right.REGISTER_WRITE, Right.TAKEDOWNS_WRITE},
    Role.AUTHOR: _READS | _WRITES_POSTS,
    Role.APPROVER: _READS,
    Role.RESPONDER: _READS | _ANSWERS,
    Role.ANALYST: _READS | {Right.INBOX_READ, Right.REGISTER_READ},
    Role.OPS: _READS | {Right.REGISTER_READ, Right.HISTORY_READ, Right.OPS_WRITE, Right.CHANGES_WRITE},
    Role.AUDITOR: _READS | {Right.REGISTER_READ, Right.HISTORY_READ},
}

FOR_ONE_ACCOUNT = frozenset({Role.AUTHOR, Role.APPROVER, Role.RESPONDER, Role.ANALYST})
"""The roles that make sense on a single account; the others are about units and people."""

HANDED_OUT: Mapping[Role, Mapping[Role, int]] = {
    Role.LEAD: dict.fromkeys(Role, 0),
    Role.DISTRICT_MANAGER: {**dict.fromkeys(FOR_ONE_ACCOUNT, 0), Role.DISTRICT_MANAGER: 1},
}
"""Who may grant and revoke what, and how many levels below their own unit at least: a district manager has
no say over the district managers beside them."""


def roles_with(right: Right) -> list[Role]:
    """The roles that hold a right, in the order of the table."""
    return [role for role, rights in ROLE_RIGHTS.items() if right in rights]
