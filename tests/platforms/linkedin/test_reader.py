"""A LinkedIn page as one of its administrators reads it."""

from datetime import UTC, date, datetime

import pytest

from chalicelib.core.http import NotSent, Request
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.linkedin.configuration import VERSION
from chalicelib.platforms.port import Activity, Profile
from tests.fakes.transport import Answer, reply
from tests.platforms.readers import Bench, recorded, ref
from tests.platforms.subscriptions import HTML, TOKEN, raised

URN = "urn:li:organization:2414183"
ACCOUNT = ref("linkedin", "linkedin-devtestco", URN, access_token=TOKEN)
LAST = datetime.fromtimestamp(1794480000, UTC)
POSTS = f"GET /rest/posts?q=author&author={URN}&count=10&sortBy=LAST_MODIFIED"
SIZE = f"GET /rest/networkSizes/{URN}?edgeType=COMPANY_FOLLOWED_BY_MEMBER"
SHARED = {"publishedAt": 1795200000000, "reshareContext": {"parent": "urn:li:share:1"}}


def linkedin(**changes: Answer) -> object:
    """Answers by what is asked for; `changes` replace the answers of a resource."""
    names = {
        "organizations": "organization",
        "networkSizes": "network_size",
        "posts": "posts",
        "images": "image",
    }

    def answering(request: Request) -> Answer:
        if "q=vanityName" in request.url:
            return changes.get("vanity", recorded("linkedin", "by_vanity_name"))
        resource = request.url.split("/rest/")[1].split("/")[0].split("?")[0]
        return changes.get(resource, recorded("linkedin", names[resource]))

    return answering


def bench(account_changes: dict[str, object] | None = None, **changes: Answer) -> Bench:
    return Bench(ACCOUNT, linkedin(**changes), **(account_changes or {}))  # type: ignore[arg-type]


def refused(status: int, code: str = "", message: str = "Not enough permissions") -> Answer:
    return reply(status, {"status": status, "code": code, "message": message, "serviceErrorCode": 100})


def test_a_page_is_four_calls() -> None:
    page = bench()
    assert page.profile() == Profile(
        external_id=URN,
        handle="linkedin-devtestco",
        display_name="LinkedIn DevTestCo",
        url="https://www.linkedin.com/company/linkedin-devtestco",
        followers=219145,
        last_post_at=LAST,
        status="active",
        description="A page for tests.",
        avatar_url="https://media.licdn.com/dms/image/C4D0BAQFg8PKyzpqJuA/image?e=1691539200&v=beta&t=x",
        verified=None,
        opened_at=None,
        links=("https://www.linkedin.com",),
    )
    assert page.calls() == [
        "GET /rest/organizations/2414183",
        SIZE,
        POSTS,
        "GET /rest/images/urn:li:image:C4D0BAQFg8PKyzpqJuA",
    ]
    page.check_token()


def test_the_last_post_is_one_call_and_neither_a_share_nor_an_old_post_that_was_changed() -> None:
    page = bench()
    assert page.activity() == Activity(LAST, None, "active")
    assert page.calls() == [POSTS]
    assert page.transport.requests[0].headers["LinkedIn-Version"] == VERSION


@pytest.mark.parametrize(
    ("elements", "last"),
    [
        ([], None),
        ([SHARED], None),
        ([SHARED] * 10, datetime.fromtimestamp(1795200000, UTC)),
        ([{"createdAt": 1794480000000}], LAST),
    ],
)
def test_who_only_shares_never_posted_unless_there_may_be_more(
    elements: list[object], last: datetime | None
) -> None:
    assert bench(posts=reply(200, {"elements": elements})).activity().last_post_at == last


def test_an_unknown_number_is_found_by_the_end_of_the_address() -> None:
    page = bench({"external_id": ""})
    assert page.profile().external_id == URN
    assert page.calls()[0] == "GET /rest/organizations?q=vanityName&vanityName=linkedin-devtestco"


@pytest.mark.parametrize(
    ("kind", "place"), [("BRAND", "showcase"), ("SCHOOL", "school"), ("NONE", "company")]
)
def test_the_address_is_that_of_the_kind_of_page(kind: str, place: str) -> None:
    page = bench(organizations=recorded("linkedin", "organization", primaryOrganizationType=kind))
    assert page.profile().url == f"https://www.linkedin.com/{place}/linkedin-devtestco"


def test_what_only_an_administrator_may_read_is_left_out_for_others() -> None:
    profile = bench(
        networkSizes=refused(403, "ACCESS_DENIED"), images=refused(403, "ACCESS_DENIED")
    ).profile()
    assert (profile.followers, profile.avatar_url, profile.last_post_at) == (None, "", LAST)
    unknown = bench(networkSizes=refused(404, "NOT_FOUND"), images=refused(404, "NOT_FOUND")).profile()
    assert unknown == profile
    without_logo = bench(organizations=recorded("linkedin", "organization", logoV2=5))
    assert without_logo.profile().avatar_url == ""
    assert len(without_logo.calls()) == 3


def test_a_page_that_is_gone_says_so() -> None:
    gone = refused(404, "RESOURCE_NOT_FOUND", "Could not find entity")
    assert bench(posts=gone).activity() == Activity(None, None, "not found")
    profile = bench(organizations=gone).profile()
    assert (profile.external_id, profile.handle, profile.status) == (URN, "linkedin-devtestco", "not found")
    nobody = bench({"external_id": ""}, vanity=reply(200, {"elements": []}))
    assert nobody.profile().status == "not found"


REFUSALS: dict[str, tuple[Answer, type[AdapterError]]] = {
    "an ended token": (refused(401, "REVOKED_ACCESS_TOKEN"), AuthExpired),
    "no administrator": (refused(403, "ACCESS_DENIED"), AuthExpired),
    "a version that ended": (refused(426, "NONEXISTENT_VERSION"), VersionGone),
    "429": (refused(429), RateLimited),
    "400": (refused(400, "ILLEGAL_ARGUMENT"), Rejected),
    "500": (reply(500, body=HTML), Unavailable),
    "no connection": (NotSent("…"), Unavailable),
    "nothing": (reply(200), Unavailable),
    "no list": (reply(200, {"elements": 5}), Unavailable),
    "posts without a time": (reply(200, {"elements": [{"id": "urn:li:share:1"}]}), Unavailable),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_whatever_cannot_be_read_is_one_of_the_classes(case: str) -> None:
    answer, kind = REFUSALS[case]
    page = bench(posts=answer, organizations=answer)
    for error in (raised(page.activity), raised(page.profile)):
        assert type(error) is kind
        assert TOKEN not in error.message


@pytest.mark.parametrize("said", [{}, {"elements": 5}, {"elements": [5]}, {"elements": [{"id": "x"}]}])
def test_a_search_for_the_number_that_cannot_be_read_is_none(said: object) -> None:
    assert type(raised(bench({"external_id": ""}, vanity=reply(200, said)).profile)) is Unavailable


@pytest.mark.parametrize("number", [None, "x", -1, 10**20, True])
def test_a_page_without_its_number_is_none(number: object) -> None:
    page = bench(organizations=recorded("linkedin", "organization", id=number))
    assert type(raised(page.profile)) is Unavailable


def test_a_limit_on_the_way_is_told() -> None:
    assert type(raised(bench(networkSizes=refused(429)).profile)) is RateLimited


def test_the_version_comes_from_the_credentials() -> None:
    page = bench({"credentials": {"access_token": TOKEN, "api_version": "202612"}})
    page.activity()
    assert page.transport.requests[0].headers["LinkedIn-Version"] == "202612"
    assert page.reader.read_traits.version_ends_on == date(2027, 9, 15)  # type: ignore[attr-defined]


def test_an_account_that_lacks_what_is_needed_is_not_asked_for() -> None:
    def kind(**changes: object) -> list[type[AdapterError]]:
        page = bench(changes)
        errors = [type(raised(page.profile)), type(raised(page.activity))]
        assert page.transport.requests == []
        return errors

    assert kind(credentials={}) == [AuthExpired] * 2
    assert kind(external_id="2414183") == [Rejected] * 2
    assert kind(external_id="", handle="a/b") == [Rejected] * 2
