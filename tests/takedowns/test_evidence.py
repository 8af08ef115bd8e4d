"""Evidence is kept with the hash of its bytes, checked when it comes, and never changed."""

import hashlib
import json
from typing import Any

import pytest

from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.org.roles import Role
from chalicelib.takedowns.looks import CannotLook
from chalicelib.takedowns.model import Case, EvidenceKind
from tests.publishing.pictures import WHOLE, png
from tests.takedowns.desk import Desk


def upload(desk: Desk, case: Case, body: bytes | None, mime: str = "image/png") -> str:
    """A picture, uploaded as a browser would by the form."""
    begun, form = desk.room.begin_screen(desk.actor(desk.manager), case.case_id, mime, "zrzut.png")
    assert form["fields"]["Content-Type"] == mime
    if body is not None:
        key = form["fields"]["key"]
        desk.stage.s3.put_object(Bucket=desk.stage.settings.media_bucket, Key=key, Body=body)
    return begun.upload_id


def finish(desk: Desk, case: Case, upload_id: str) -> Any:
    return desk.room.finish_screen(desk.actor(desk.manager), case.case_id, upload_id)


def test_a_screen_is_kept_under_the_hash_of_its_bytes(desk: Desk) -> None:
    case = desk.open()
    body = png(64, 48)
    kept = finish(desk, case, upload(desk, case, body))
    assert kept.sha256 == hashlib.sha256(body).hexdigest()
    assert (kept.width, kept.height, kept.size, kept.mime) == (64, 48, len(body), "image/png")
    assert (kept.captured_by, kept.captured_at) == (desk.manager.person_id, desk.stage.clock.now())
    assert f"evidence/{kept.sha256}" in desk.room.view_url(kept)
    whole = desk.takedowns.store.whole(case.case_id)
    assert desk.room.intact(whole, with_pictures=True).is_whole
    assert kept.sha256 in desk.page.show(desk.token(desk.owner), "en").html


@pytest.mark.parametrize(
    ("body", "mime", "why"),
    [
        (b"<!doctype html>", "image/png", "of no type we know"),
        (WHOLE["image/jpeg"], "image/png", "the bytes are image/jpeg, not image/png"),
        (WHOLE["image/png"][:-8], "image/png", "it is cut off"),
        (WHOLE["image/png"] + b"PK\x03\x04", "image/png", "something else is attached"),
        (png(20000, 20000), "image/png", "pixels; the most is"),
    ],
)
def test_bytes_that_are_not_a_whole_picture_are_no_evidence(
    desk: Desk, body: bytes, mime: str, why: str
) -> None:
    case = desk.open()
    with pytest.raises(InvalidInput, match=why):
        finish(desk, case, upload(desk, case, body, mime))
    assert desk.case(case).evidence == 1


def test_a_picture_is_kept_once(desk: Desk) -> None:
    case = desk.open()
    upload_id = upload(desk, case, png(8, 8))
    finish(desk, case, upload_id)
    with pytest.raises(NotFound, match="there is no upload"):
        finish(desk, case, upload_id)
    assert desk.case(case).evidence == 2


def test_an_upload_that_has_not_come_or_is_of_another_case_is_not_kept(desk: Desk) -> None:
    case, other = desk.open(desk.account("a")), desk.open(desk.account("b"))
    waiting = upload(desk, case, None)
    with pytest.raises(NotFound, match="nothing was uploaded yet"):
        finish(desk, case, waiting)
    with pytest.raises(NotFound, match="there is no upload"):
        finish(desk, other, waiting)


def test_only_pictures_are_taken(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="image/svg"):
        upload(desk, desk.open(), None, "image/svg+xml")


def test_a_picture_that_is_replaced_in_the_bucket_shows(desk: Desk) -> None:
    case = desk.open()
    kept = finish(desk, case, upload(desk, case, png(8, 8)))
    key = f"evidence/{kept.sha256}"
    desk.stage.s3.put_object(Bucket=desk.stage.settings.media_bucket, Key=key, Body=png(9, 9))
    whole = desk.takedowns.store.whole(case.case_id)
    assert desk.room.intact(whole, with_pictures=True).evidence == kept.place
    desk.stage.s3.delete_object(Bucket=desk.stage.settings.media_bucket, Key=key)
    assert desk.room.intact(whole, with_pictures=True).evidence == kept.place


def test_a_snapshot_is_the_profile_as_the_network_shows_it(desk: Desk) -> None:
    account = desk.account()
    desk.on_network(account)
    case = desk.open(account)
    kept = desk.room.snapshot(desk.actor(desk.manager), case.case_id)
    assert json.loads(kept.text)["handle"] == "zorza_pomoc"
    assert kept.sha256 == hashlib.sha256(kept.text.encode()).hexdigest()
    del desk.network.profiles["zorza_pomoc"]
    with pytest.raises(NotFound, match="is not on bluesky any more"):
        desk.room.snapshot(desk.actor(desk.manager), case.case_id)


def test_where_we_cannot_read_a_snapshot_says_why(desk: Desk) -> None:
    facebook, x = desk.open(desk.account("a", "facebook")), desk.open(desk.account("b", "x"))
    with pytest.raises(CannotLook, match="only the account's own profile"):
        desk.room.snapshot(desk.actor(desk.manager), facebook.case_id)
    with pytest.raises(CannotLook, match="credentials are missing"):
        desk.room.snapshot(desk.actor(desk.manager), x.case_id)
    path = desk.stage.settings.secret_path("apps", "x")
    desk.stage.secrets.put(path, {"bearer_token": "t"})
    desk.on_network(desk.accounts.get(x.account_id))
    assert desk.room.snapshot(desk.actor(desk.manager), x.case_id).name == "x"


def test_links_and_notes_are_kept_in_order(desk: Desk) -> None:
    case = desk.open()
    actor = desk.actor(desk.manager)
    desk.room.add(actor, case.case_id, EvidenceKind.LINK, "https://zorza-oszustwo.example/")
    desk.room.add(actor, case.case_id, EvidenceKind.NOTE, "Klienci dzwonią.")
    kept = desk.takedowns.store.whole(case.case_id).evidence
    assert [(e.place, str(e.kind)) for e in kept] == [(1, "profile"), (2, "link"), (3, "note")]
    assert [e.previous for e in kept[1:]] == [e.chain for e in kept[:-1]]
    assert desk.history(case).count("evidence kept") == 2


def test_who_may_only_read_keeps_no_evidence(desk: Desk) -> None:
    case = desk.open()
    auditor = desk.actor(desk.person("Anna Audyt", Role.AUDITOR))
    with pytest.raises(NotAllowed):
        desk.room.add(auditor, case.case_id, EvidenceKind.NOTE, "x")


def test_two_who_add_evidence_at_once_do_not_overwrite_each_other(desk: Desk) -> None:
    case = desk.open()
    change = desk.kernel.change(desk.operator.by)
    desk.takedowns.note(change, case, EvidenceKind.NOTE, "0" * 64, text="slow")
    desk.room.add(desk.actor(desk.manager), case.case_id, EvidenceKind.NOTE, "fast")
    with pytest.raises(Conflict):
        desk.kernel.commit(change)
    assert [e.text for e in desk.takedowns.store.whole(case.case_id).evidence][1:] == ["fast"]
