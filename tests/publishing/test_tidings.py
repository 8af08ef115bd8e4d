"""Mails about what went wrong: to whom, in whose language, with what to do; and what they never hold."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.accounts.model import Account
from chalicelib.approvals.model import Policy, Stage
from chalicelib.core.errors import Conflict
from chalicelib.core.timetable import Lane
from chalicelib.org.model import Language, operator
from chalicelib.org.roles import Role
from chalicelib.publishing.model import Post
from tests.fakes.box import Box
from tests.publishing.api import Desk, html_of, text_of

HOSTILE = [
    '<script>alert(1)</script> & "quotes"',
    "a\r\nBcc: evil@example.org",
    "\u202egnp.exe\u2066 \u200b\ufeff",
    "x" * 200,
    "%(channel)s {{ 7*7 }} %s",
    "😀 zażółć سلام",
]


@pytest.fixture
def desk(box: Box) -> Iterator[Desk]:
    with Desk.open(box) as opened:
        yield opened


def status_calls(fault: str) -> Any:
    return lambda r: fault if r.url.endswith("/api/v1/statuses") and r.method == "POST" else None


def ended(desk: Desk, state: str, *targets: Account, **more: Any) -> Post:
    """A post that has come to this end."""
    box = desk.box
    action = {"cancelled": "drop", "held": "hold"}.get(state, "publish")
    post = box.signed(list(targets), in_=60, late={"action": action, "grace_minutes": 30}, **more)
    match state:
        case "refused":
            box.networks.fault = status_calls("422")
        case "unknown":
            box.networks.fault = lambda r: "drop" if "statuses" in r.url else None
        case "late" | "cancelled" | "held":
            box.stage.clock.advance(hours=2)
    box.stage.clock.set(max(post.publish_at, box.now))
    box.run_due()
    return post


@pytest.mark.parametrize(
    ("state", "what", "to_do"),
    [
        ("refused", "refused this post. Nothing was published there.", "Change the post and submit it again"),
        (
            "held",
            "was stopped before it went to",
            "release it: publish it now, give it another time, or drop it",
        ),
        ("late", "The time of this post passed before it could go to", "Give it a new time"),
        ("cancelled", "its late policy drops it", "Nothing needs to be done"),
        ("unknown", "did not say whether this post was published", "Open the account and look"),
    ],
)
def test_the_author_and_the_owner_hear_what_happened_where_and_what_to_do(
    desk: Desk, toots: Account, state: str, what: str, to_do: str
) -> None:
    post = ended(desk, state, toots)
    desk.work()
    desk.box.stage.clock.advance(minutes=2)
    desk.work()
    assert desk.box.states(post) == [state]
    assert sorted(str(m["To"]) for m in desk.mails()) == ["maja@zorza.test", "zofia@zorza.test"]
    (mail,) = desk.mails("maja@")
    for part in (text_of(mail), html_of(mail)):
        words = " ".join(part.split())
        assert what in words
        assert to_do in words
        assert "zorza (mastodon)" in words
        assert post.post_id in words
    assert "zorza (mastodon)" in str(mail["Subject"])
    assert mail["Auto-Submitted"] == "auto-generated"


# Several channels


def test_a_refusal_says_what_is_possible_once_a_sibling_is_out(
    desk: Desk, toots: Account, skies: Account
) -> None:
    """With a sibling out the post cannot be changed, as the mail says; alone it can."""
    alone, among = ended(desk, "refused", toots), ended(desk, "refused", toots, skies)
    assert desk.box.states(among) == ["refused", "published"]
    desk.work()
    of_alone, of_among = (
        next(text_of(m) for m in desk.mails("maja@") if post.post_id in text_of(m)) for post in (alone, among)
    )
    assert "What to do\nChange the post and submit it again.\n" in of_alone.replace("\r", "")
    assert "Once one has it, draft a new post for this channel alone" in of_among
    change = desk.box.services.posts.change
    later = {"text": "inaczej", "publish_at": desk.box.now + timedelta(hours=1)}
    with pytest.raises(Conflict, match="publishing has begun"):
        change(desk.box.author, among.post_id, later)
    assert change(desk.box.author, alone.post_id, later).state == "draft"


def late_approval(desk: Desk, accounts: list[Account]) -> Post:
    """A post whose approval came after its time."""
    box = desk.box
    policy = Policy((Stage("PR", role=Role.APPROVER),), late_approval=True)
    box.services.approvals.policies.set(box.lead, box.unit_id, policy)
    post = box.draft(accounts, in_=60)
    box.services.posts.submit(box.author, post.post_id)
    desk.work()
    link = desk.link("agnieszka@zorza.test")
    box.stage.clock.advance(minutes=5)
    assert desk.press(link, "approve")[0] == 200
    return post


def test_an_approval_that_came_too_late_is_told_once_to_each_with_their_own_channels(desk: Desk) -> None:
    persian = desk.person("Kaveh Rezaei", language=Language.PERSIAN)
    channels = [*desk.owned(persian, "a", "b"), desk.box.account("c")]
    post = late_approval(desk, channels)
    desk.work()
    late = [m for m in desk.mails() if post.post_id in text_of(m)]
    assert sorted(str(m["To"]) for m in late) == [persian.email, "maja@zorza.test", "zofia@zorza.test"]
    named = {
        str(m["To"]): [n for n in ("a", "b", "c") if f"{n} (mastodon)" in text_of(m) and n in html_of(m)]
        for m in late
    }
    assert named == {
        persian.email: ["a", "b"], "maja@zorza.test": ["c"], "zofia@zorza.test": ["a", "b", "c"],
    }  # fmt: skip
    (mail,) = [m for m in late if "maja" in str(m["To"])]
    assert "was approved after its time" in text_of(mail)
    assert "Give it a new time and submit it again, or cancel it." in text_of(mail)


def test_an_author_who_was_quicker_than_the_mail_is_not_told_of_the_late_approval(
    desk: Desk, toots: Account
) -> None:
    post = late_approval(desk, [toots])
    at = desk.box.now + timedelta(hours=1)
    desk.box.services.posts.change(desk.box.author, post.post_id, {"publish_at": at})
    before = len(desk.mails())
    desk.work()
    assert len(desk.mails()) == before


# Whoever reads it


def test_each_reads_it_in_their_own_language_and_zone(desk: Desk) -> None:
    box = desk.box
    backup = desk.person("Kaveh Rezaei", language=Language.PERSIAN)
    account = box.account("zorza")
    change = {"backup_id": backup.person_id}
    box.services.accounts.change(box.lead, account.account_id, change)
    ended(desk, "late", account)
    desk.work()
    english, polish, persian = (desk.mails(to)[0] for to in ("maja@", "zofia@", backup.email))
    assert "Late:" in str(english["Subject"])
    assert "What to do" in text_of(english)
    for mail, language, direction in ((polish, "pl", "ltr"), (persian, "fa", "rtl")):
        assert "What to do" not in text_of(mail)
        assert f'lang="{language}" dir="{direction}"' in html_of(mail)
    assert "13:01" in text_of(polish)  # 12:01 UTC in Warsaw
    assert "۱۳:۰۱" in text_of(persian)


def test_an_unknown_that_is_found_within_two_minutes_troubles_nobody(desk: Desk, toots: Account) -> None:
    desk.box.networks.fault = status_calls("drop_after")
    post = desk.box.signed([toots], in_=1)
    desk.box.stage.clock.advance(seconds=1)
    desk.box.run_due()
    assert desk.box.states(post) == ["unknown"]
    desk.box.run_until_quiet(hours=1)
    assert desk.box.states(post) == ["published"]
    assert desk.mails() == []


def test_whoever_has_left_is_not_mailed(desk: Desk, toots: Account) -> None:
    post = ended(desk, "late", toots)
    desk.box.services.org.mark_left(operator("test", desk.box.now), desk.box.author.person_id)
    desk.work()
    assert [str(m["To"]) for m in desk.mails()] == ["maja@zorza.test"]
    assert desk.box.states(post) == ["late"]


def test_nobody_hears_of_a_variant_that_has_moved_on_since(desk: Desk, toots: Account) -> None:
    post = ended(desk, "late", toots)
    at = desk.box.now + timedelta(hours=1)
    desk.box.services.posts.change(desk.box.author, post.post_id, {"publish_at": at})
    desk.work()
    assert desk.mails() == []


def test_the_owner_hears_once_that_the_account_must_be_connected_again(desk: Desk, toots: Account) -> None:
    desk.box.networks.fault = status_calls("401")
    for n in range(3):
        desk.box.signed([toots], f"post {n}", in_=1)
    desk.box.stage.clock.advance(seconds=1)
    desk.box.run_due()
    desk.work()
    asked = [m for m in desk.mails("maja@") if "Connect again: zorza (mastodon)" in str(m["Subject"])]
    assert len(asked) == 1
    assert "Replace the account's credentials, then release what is held." in text_of(asked[0])


def test_one_address_that_fails_does_not_keep_the_others_from_their_mail_nor_double_it(
    desk: Desk, toots: Account
) -> None:
    ended(desk, "late", toots)
    busy = [True]

    def refuse(params: Any, **_: Any) -> None:
        if busy and "zofia@zorza.test" in str(params["body"]):
            raise EndpointConnectionError(endpoint_url="https://email.test")

    events = desk.box.stage.ses.meta.events
    events.register("before-call.sesv2.SendEmail", refuse)
    try:
        desk.work()
        assert [str(m["To"]) for m in desk.mails()] == ["maja@zorza.test"]
        busy.clear()
        desk.box.stage.clock.advance(seconds=31)
        desk.work()
    finally:
        events.unregister("before-call.sesv2.SendEmail", refuse)
    assert sorted(str(m["To"]) for m in desk.mails()) == ["maja@zorza.test", "zofia@zorza.test"]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_title_or_text_breaks_no_header_and_no_page(desk: Desk, toots: Account, title: str) -> None:
    author = desk.api(desk.box.author)
    body = desk.body([toots], text=title, title=title, in_=600)
    status, post = author("POST", "/v1/posts", body)
    assert status == 201, post
    desk.box.services.posts.submit(desk.box.author, post["post_id"])
    desk.work()
    signed = desk.press(desk.link("agnieszka@"), "approve")
    assert signed[0] == 200
    desk.box.stage.clock.advance(hours=3)
    desk.box.run_due()
    desk.work()
    mails = desk.mails()
    assert len(mails) == 4  # to two approvers, the author and the owner
    for mail in mails:
        assert set(mail.keys()) <= {
            "To", "From", "Subject", "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version",
            "Content-Type",
        }  # fmt: skip
        assert "\u202e" not in str(mail["Subject"])
        assert "<script>" not in html_of(mail)
        assert "7*7" in html_of(mail) or "7*7" not in title
    assert "<script>" not in signed[1]


def test_no_text_no_token_and_no_address_is_in_the_logs(
    desk: Desk, toots: Account, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, "chalicelib")
    author = desk.api(desk.box.author)
    secret = "Tajny tekst przed premierą"
    _, post = author("POST", "/v1/posts", desk.body([toots], text=secret, in_=60))
    desk.approve(post["post_id"])
    token = desk.link("agnieszka@zorza.test")
    for fault in ("429", "drop"):
        desk.box.networks.fault = status_calls(fault)
        desk.box.stage.clock.advance(seconds=130)
        desk.box.run_due()
    desk.box.run_until_quiet(hours=1)
    desk.box.run_due(Lane.CHORES)
    said = "\n".join(f"{r.getMessage()} {r.__dict__}" for r in caplog.records) + "".join(capsys.readouterr())
    assert "entry starts" in said
    for hidden in (secret, token, author.token, "token-zorza", "zofia@zorza.test", "agnieszka@zorza.test"):
        assert hidden not in said
