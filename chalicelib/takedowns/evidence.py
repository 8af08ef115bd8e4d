"""Evidence: pictures, profiles, links and notes, each kept with its hash and never changed.

A picture is uploaded by a presigned form, checked on its real bytes, and kept under the hash of those bytes.
"""

from dataclasses import dataclass
from typing import Any

from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.files import inspect
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Kernel
from chalicelib.core.objects import Objects
from chalicelib.core.records import to_item
from chalicelib.org.model import Actor
from chalicelib.org.service import Org
from chalicelib.takedowns import store as rows
from chalicelib.takedowns.chain import broken_at, canonical, sha256
from chalicelib.takedowns.looks import Looks, There, is_there
from chalicelib.takedowns.model import Case, Evidence, EvidenceKind
from chalicelib.takedowns.service import Takedowns

UPLOAD_FOR = 900  # seconds a presigned form works
SHOWN_FOR = 600  # seconds the address of a picture works
MAX_BYTES = 16_777_216
MAX_PIXELS = 100_000_000  # a screen that was photographed whole, page by page
SCREENS = ("image/png", "image/jpeg", "image/webp", "image/gif")
MAX_ITEMS = 500


@dataclass(frozen=True)
class Intact:
    """Where the log or the evidence of a case no longer bears out its hashes; None where it does."""

    log: int | None
    evidence: int | None

    @property
    def is_whole(self) -> bool:
        return self.log is None and self.evidence is None


class EvidenceRoom:
    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        accounts: Accounts,
        takedowns: Takedowns,
        objects: Objects,
        looks: Looks,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._takedowns = takedowns
        self._objects = objects
        self._looks = looks

    def add(self, actor: Actor, case_id: str, kind: EvidenceKind, text: str) -> Evidence:
        """Keep a link or a note. Raises NotFound, NotAllowed, Conflict when the case changed meanwhile."""
        return self._keep(actor, self._roomy(actor, case_id), kind, sha256(text), text=text)

    def snapshot(self, actor: Actor, case_id: str) -> Evidence:
        """Keep what the network says of the profile now.

        Raises CannotLook where only a person can, NotFound when it is gone, and RateLimited, Unavailable.
        """
        case = self._roomy(actor, case_id)
        profile = self._looks.profile(self._accounts.get(case.account_id))
        if is_there(profile) == There.GONE:
            raise NotFound(f"{case.handle} is not on {case.platform} any more; say that it was removed")
        record = canonical(to_item(profile))
        kind = EvidenceKind.PROFILE
        return self._keep(actor, case, kind, sha256(record), text=record, name=case.platform)

    def begin_screen(
        self, actor: Actor, case_id: str, mime: str, name: str
    ) -> tuple[rows.Upload, dict[str, Any]]:
        """A form to upload a picture with. Raises InvalidInput for a type that we do not take."""
        case = self._roomy(actor, case_id)
        if mime not in SCREENS:
            taken = ", ".join(SCREENS)
            raise InvalidInput([Problem("mime", f"{mime} is not taken; use one of {taken}")])
        change = self._org.begin(actor)
        upload = rows.Upload(new_id("upload", change.now), case_id, mime, name, actor.person_id)
        rows.put_upload(change, upload)
        change.record(f"case#{case.case_id}", "upload begun", upload=upload.upload_id)
        self._kernel.commit(change)
        return upload, self._objects.upload_form(_upload_key(upload), mime, MAX_BYTES, UPLOAD_FOR)

    def finish_screen(self, actor: Actor, case_id: str, upload_id: str) -> Evidence:
        """Keep the uploaded picture as evidence.

        Raises InvalidInput with everything that is wrong with its bytes, NotFound when nothing was uploaded
        yet, and Conflict when it was kept already.
        """
        case = self._roomy(actor, case_id)
        upload = self._takedowns.store.upload(case_id, upload_id)
        body = self._objects.read(_upload_key(upload), MAX_BYTES + 1)
        found = inspect(body, upload.mime, MAX_BYTES, MAX_PIXELS)
        if found.problems:
            raise InvalidInput([Problem("upload", problem) for problem in found.problems])
        self._objects.write(screen_key(found.digest), body, upload.mime)
        change = self._org.begin(actor)
        rows.drop_upload(change, upload)
        about = {"name": upload.name, "mime": upload.mime, "size": len(body)}
        about |= {"width": found.width, "height": found.height}
        kept = self._takedowns.note(change, case, EvidenceKind.SCREEN, found.digest, **about)
        self._kernel.commit(change)
        return kept

    def view_url(self, evidence: Evidence) -> str:
        """An address that shows a screen for ten minutes; empty for other kinds."""
        if evidence.kind != EvidenceKind.SCREEN:
            return ""
        return self._objects.view_url(screen_key(evidence.sha256), SHOWN_FOR)

    def intact(self, whole: rows.Whole, with_pictures: bool = False) -> Intact:
        """Whether log and evidence still bear out their hashes; `with_pictures` reads every picture too."""
        case = whole.case
        in_log = broken_at(whole.steps, case.log_head, case.steps)
        in_evidence = broken_at(whole.evidence, case.evidence_head, case.evidence)
        changed = (e.place for e in whole.evidence if not self._is_as_kept(e, with_pictures))
        places = [place for place in (in_evidence, next(changed, None)) if place is not None]
        return Intact(in_log, min(places, default=None))

    def _is_as_kept(self, evidence: Evidence, with_pictures: bool) -> bool:
        if evidence.kind != EvidenceKind.SCREEN:
            return sha256(evidence.text) == evidence.sha256
        if not with_pictures:
            return True
        try:
            return sha256(self._objects.read(screen_key(evidence.sha256))) == evidence.sha256
        except NotFound:
            return False

    def _roomy(self, actor: Actor, case_id: str) -> Case:
        case = self._takedowns.require(actor, case_id)
        if case.evidence >= MAX_ITEMS:
            raise Conflict(f"a case keeps at most {MAX_ITEMS} items of evidence; name the others in a note")
        return case

    def _keep(self, actor: Actor, case: Case, kind: EvidenceKind, digest: str, **about: Any) -> Evidence:
        change = self._org.begin(actor)
        kept = self._takedowns.note(change, case, kind, digest, **about)
        self._kernel.commit(change)
        return kept


def screen_key(digest: str) -> str:
    return f"evidence/{digest}"


def _upload_key(upload: rows.Upload) -> str:
    return f"uploads/{upload.upload_id}"
