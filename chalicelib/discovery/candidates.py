"""Candidates: what was found is scored, kept once, and asked about once.

Whoever was decided on is asked about again only if the profile shows something else since, and that looks
like us; a claimed one and an impostor never are.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.accounts.model import Account, AccountClass
from chalicelib.accounts.service import Accounts
from chalicelib.core.clock import to_text
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.discovery import store as rows
from chalicelib.discovery.gallery import Gallery, Match
from chalicelib.discovery.model import LASTING, Candidate, Snapshot, Source, State, face_of
from chalicelib.discovery.reasons import Reason, Why
from chalicelib.discovery.scoring import CANDIDATE, with_word
from chalicelib.discovery.settings import DiscoverySettings
from chalicelib.platforms.port import Profile

_JUDGED = frozenset({AccountClass.ROGUE, AccountClass.RETIRED})
_LONGEST = 1_000  # characters of a description that are kept
_MOST_LINKS = 10
_MOST_NOTES = 5


@dataclass(frozen=True)
class Hit:
    """A profile that was come upon, and where; `word` is what somebody of ours says by that, if anything, and
    `note` what they wrote.
    """

    platform: str
    server: str
    profile: Profile
    source: Source
    word: Why | None = None
    word_values: tuple[tuple[str, str], ...] = ()
    note: str = ""


class Candidates:
    def __init__(self, kernel: Kernel, accounts: Accounts, settings: DiscoverySettings) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._settings = settings
        self.store = rows.Store(kernel.database)

    def take(self, hit: Hit, gallery: Gallery, pictures: Callable[[str], tuple[int, ...]]) -> str:
        """Keep what was found, if it is worth asking about, and say what became of it.

        ours: one of our own accounts; known: seen before, and nothing to ask; unlike: not like us; new;
        again: it was decided on, and has changed since. `pictures` fetches and hashes one.
        """
        if gallery.has(hit.platform, hit.server, hit.profile):
            return "ours"
        now = self._kernel.clock.now()
        avatars = pictures(hit.profile.avatar_url) if hit.profile.avatar_url else ()
        match = gallery.best(hit.platform, face_of(hit.profile, avatars), now)
        if hit.word is not None:
            match = replace(match, score=with_word(match.score, hit.word, **dict(hit.word_values)))
        if match.score.value < CANDIDATE:
            return "unlike"
        seen = Snapshot.of(_bounded(hit.profile), avatars)
        for _ in range(2):  # once more if another search found the same one meanwhile
            try:
                return self._kept(hit, match, seen, now)
            except Conflict:
                continue
        return "known"

    def _kept(self, hit: Hit, match: Match, seen: Snapshot, now: datetime) -> str:
        profile = hit.profile
        known = self.store.known(hit.platform, hit.server, profile.handle, profile.external_id)
        if known is not None:
            return self._seen_again(hit, match, seen, known, now)
        listed = self._listed(hit)
        if listed is not None and (listed.is_ours or listed.account_class in _JUDGED):
            return "ours" if listed.is_ours else "known"
        self._add(hit, match, seen, listed)
        return "new"

    def _add(self, hit: Hit, match: Match, seen: Snapshot, listed: Account | None) -> None:
        change = self._kernel.change(BY_JOB)
        found = Candidate(
            candidate_id=new_id("candidate", change.now),
            platform=hit.platform,
            server=hit.server,
            handle=hit.profile.handle,
            external_id=hit.profile.external_id,
            account_id="",
            unit_id=self._unit_of(match),
            score=match.score.hundredths,
            reasons=match.score.reasons,
            profile=seen,
            sources=frozenset({hit.source}),
            first_seen_at=change.now,
            last_seen_at=change.now,
            like_id=match.ours.account_id if match.ours else None,
            notes=(hit.note,) if hit.note else (),
        )
        account = listed or self.list_in(change, found)
        found = replace(found, account_id=account.account_id)
        rows.put_new(change, found)
        change.record(
            f"candidate#{found.candidate_id}", "found", score=found.score, source=hit.source,
            account=found.account_id, reasons=[reason.why for reason in found.reasons],
        )  # fmt: skip
        self._kernel.commit(change)

    def list_in(self, change: Change, found: Candidate) -> Account:
        """Add the register's row of a candidate to a change."""
        return self._accounts.note_in(
            change, found.platform, found.server, found.handle, account_class=AccountClass.CANDIDATE,
            unit_id=self._settings.company().unit_id, **_fields_of(found),
        )  # fmt: skip

    def _seen_again(self, hit: Hit, match: Match, seen: Snapshot, known: Candidate, now: datetime) -> str:
        has_changed = known.profile.differs(seen) or _is_elsewhere(known, hit.profile)
        asks = has_changed and known.state not in LASTING | {State.NEW}
        is_noted = not hit.note or hit.note in known.notes
        is_news = has_changed or hit.source not in known.sources or not is_noted
        if asks or (known.state == State.NEW and is_news):
            change = self._kernel.change(BY_JOB)
            after = replace(
                known,
                handle=hit.profile.handle,
                external_id=hit.profile.external_id or known.external_id,
                score=match.score.hundredths,
                reasons=_merged(match.score.reasons, known.reasons),
                profile=seen,
                sources=known.sources | {hit.source},
                notes=_noted(known, hit.note),
                last_seen_at=now,
            )
            if asks:
                after = self.reopened_in(change, after)
            elif has_changed:
                self._refreshed_in(change, after)
            self._write(change, known, after, asks)
            return "again" if asks else "known"
        self._kernel.database.update(  # a fact that nobody acts on, as an account's own `last_seen_at`
            rows.TABLE,
            rows.candidate_key(known.candidate_id),
            where("SET last_seen_at = :n", n=to_text(now)),
            where("attribute_exists(pk)"),
        )
        return "known"

    def _refreshed_in(self, change: Change, after: Candidate) -> None:
        """Bring the register's row up to what was seen."""
        account = self._accounts.find(after.account_id)
        if account is not None:
            self._accounts.amend(change, account, what="seen again", **_fields_of(after), handle=after.handle)

    def _write(self, change: Change, before: Candidate, after: Candidate, asks: bool) -> None:
        rows.save(change, before, after)
        what = "changed, and asked about again" if asks else "seen again"
        change.record(
            f"candidate#{before.candidate_id}", what, score=after.score, sources=sorted(after.sources)
        )
        self._kernel.commit(change)

    def reopened_in(self, change: Change, candidate: Candidate) -> Candidate:
        """A decided candidate as one that nobody has decided on, its register row along with it."""
        account = self._accounts.find(candidate.account_id) if candidate.account_id else None
        if account is None:
            account = self._accounts.at_address(candidate.platform, candidate.server, candidate.handle)
        if account is None:
            account = self.list_in(change, candidate)
        elif account.account_class == AccountClass.ROGUE:
            why = "the profile has changed since"
            account = self._accounts.amend(change, account, why=why, account_class=AccountClass.CANDIDATE)
        return replace(
            candidate, account_id=account.account_id, state=State.NEW, decided_at=None, decided_by="",
            same_as=None, asked_again=candidate.asked_again + 1,
        )  # fmt: skip

    def _listed(self, hit: Hit) -> Account | None:
        found = self._accounts.at_address(hit.platform, hit.server, hit.profile.handle)
        if found is None and hit.profile.external_id:
            found = self._accounts.of_external(hit.platform, hit.profile.external_id)
        return found

    def _unit_of(self, match: Match) -> str:
        return match.ours.unit_id if match.ours else self._settings.company().unit_id


def _fields_of(candidate: Candidate) -> dict[str, Any]:
    """The fields of a register's row that a candidate fills."""
    profile = candidate.profile
    return {
        "external_id": candidate.external_id,
        "display_name": profile.name,
        "url": profile.url,
        "followers": profile.followers,
        "description": profile.description,
        "avatar_url": profile.avatar_url,
        "avatar_hash": profile.avatar_hash,
        "verified": profile.verified,
        "opened_at": profile.opened_at,
    }


def _is_elsewhere(known: Candidate, profile: Profile) -> bool:
    """Whether the profile has another handle by now, or its handle another profile."""
    is_other = known.external_id and profile.external_id and known.external_id != profile.external_id
    return known.handle.casefold() != profile.handle.casefold() or bool(is_other)


def _noted(known: Candidate, note: str) -> tuple[str, ...]:
    return (*known.notes, note)[:_MOST_NOTES] if note and note not in known.notes else known.notes


def _merged(new: Iterable[Reason], old: Iterable[Reason]) -> tuple[Reason, ...]:
    """The new reasons, after what somebody of ours had said before, which no profile shows."""
    new = tuple(new)
    said = [r for r in old if r.why in (Why.ON_OUR_SITE, Why.REPORTED) and r.why not in {n.why for n in new}]
    return (*said, *new)


def _bounded(profile: Profile) -> Profile:
    """A profile with no more of it than is kept."""
    return replace(
        profile, display_name=profile.display_name[:300], description=profile.description[:_LONGEST],
        url=profile.url[:2000], avatar_url=profile.avatar_url[:2000], links=profile.links[:_MOST_LINKS],
    )  # fmt: skip
