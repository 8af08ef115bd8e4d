"""Reading a Pinterest account with its own token: nobody else's profile is shown by this API.

https://github.com/pinterest/api-description, v5/openapi.json 5.23.0: `user_account/get` and `pins/list`.
"""

from datetime import timedelta
from typing import Any

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request, Response
from chalicelib.platforms.asking import Asking, bounded, refusal
from chalicelib.platforms.calls import ANY, Refusals, time_of
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, ReadTraits, SessionStore
from chalicelib.platforms.reading import count, link, links, past, words

_CALL_FOR = timedelta(seconds=15)
_ANSWER_BYTES = 4 * 2**20  # a pin carries the addresses of its pictures in every size
_WAIT_FOR = timedelta(minutes=5)
_PAGE = 25

REFUSALS: Refusals = {
    (400, ANY): (Rejected, "Pinterest refused the request: {}."),
    (401, ANY): (AuthExpired, "Pinterest no longer accepts this account's access; connect it again."),
    (403, ANY): (AuthExpired, "Pinterest does not let Signalbox read this account: {}."),
    (404, ANY): (Rejected, "Pinterest does not know what was asked for: {}."),
}


class PinterestReader:
    # Trial access; standard access allows 100 calls a second for each account.
    read_traits = ReadTraits(
        platform="pinterest",
        name="Pinterest",
        default_server="https://api.pinterest.com",
        anyone=False,
        rates=(Rate("calls", 1_000, timedelta(days=1)),),
        version="v5",
        version_set_in="the paths in chalicelib/platforms/pinterest/reader.py",
    )

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._http = http
        self._clock = clock
        self._asking = Asking(http, "Pinterest", self._sort)

    def profile(self, account: AccountRef) -> Profile:
        """`GET /v5/user_account`, which says neither when the profile was made nor whether it is verified."""
        about = self._ask(account, "/v5/user_account")
        external_id, handle = words(about.get("id")), words(about.get("username"))
        if not external_id or not handle:
            raise self._asking.unclear()
        return Profile(
            external_id=external_id,
            handle=handle,
            display_name=words(about.get("business_name")),
            url=link(f"https://www.pinterest.com/{handle}/"),
            followers=count(about.get("follower_count")),
            last_post_at=None,
            status="active",
            description=words(about.get("about")),
            avatar_url=link(about.get("profile_image")),
            links=links([about.get("website_url")]),
        )

    def activity(self, account: AccountRef) -> Activity:
        """The newest of one page of `GET /v5/pins`, whose order Pinterest does not document.

        A pin that was saved from another one (`parent_pin_id`) counts only where there is none of its own.
        """
        pins = self._ask(account, f"/v5/pins?page_size={_PAGE}").get("items")
        if not isinstance(pins, list):
            raise self._asking.unclear()
        known = [pin for pin in pins if isinstance(pin, dict)]
        own = [pin for pin in known if not pin.get("parent_pin_id")]
        now = self._clock.now()
        made = [past(time_of(pin.get("created_at")), now) for pin in own or known]
        return Activity(max(filter(None, made), default=None), None, "active")

    def _ask(self, account: AccountRef, path: str) -> dict[str, Any]:
        token = account.credentials.get("access_token", "")
        if not token:
            raise AuthExpired("There is no access token for this Pinterest account; connect it again.")
        headers = {"Authorization": f"Bearer {token}"}
        url = account.server.rstrip("/") + path
        request = Request("GET", url, headers, deadline_for=_CALL_FOR, max_bytes=_ANSWER_BYTES)
        return self._asking.ask(request)

    def _sort(self, response: Response) -> AdapterError | None:
        if response.status == 429:
            now = self._clock.now()
            return RateLimited(bounded(self._http.retry_at(response) or now + _WAIT_FOR, now))
        answer = response.json()
        if response.status < 400 or not isinstance(answer, dict) or "code" not in answer:
            return None
        return refusal(REFUSALS, response.status, ANY, answer.get("message"))
