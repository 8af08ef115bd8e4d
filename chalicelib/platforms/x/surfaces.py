"""The calls of X's API that we make: OpenAPI 2.167, https://api.x.com/2/openapi.json, and its pages.

Limits: https://docs.x.com/x-api/fundamentals/rate-limits. Names of errors:
https://docs.x.com/x-api/fundamentals/response-codes-and-errors.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.platforms import surface_names as names
from chalicelib.platforms.surfaces import HOOK, Signs, Surface, words
from chalicelib.platforms.x.activity import POSTS
from chalicelib.platforms.x.api import REASONS, REFUSALS, said

_READS = 300  # of one app in a quarter of an hour
_ONE = words("data includes errors")
_MANY = words("data includes errors meta")
_USER = words(
    "id username name public_metrics.followers_count public_metrics.tweet_count most_recent_tweet_id "
    "withheld created_at description entities.url.urls entities.description.urls profile_image_url url "
    "verified"
)
_USER_USES = frozenset(f"data.{name}" for name in _USER)

SURFACES = (
    Surface(
        names.READ_PROFILE, "read", "GET", "/2/users/{id}", words("user.fields"), _ONE, _USER_USES, _READS
    ),
    Surface(
        names.FIND_PROFILE, "read", "GET", "/2/users/by/username/{username}",
        words("user.fields"), _ONE, _USER_USES, _READS,
    ),
    Surface(
        names.SEARCH, "search", "GET", "/2/users/search",
        words("query max_results user.fields"), _MANY, _USER_USES,
    ),
    Surface(
        names.SEE_WEBHOOK, "subscription", "GET", "/2/webhooks",
        answers=_MANY, uses=words("data.id data.url data.valid"),
    ),
    Surface(names.MAKE_WEBHOOK, "subscription", "POST", "/2/webhooks", words("url"), _MANY),
    Surface(names.CHECK_WEBHOOK, "subscription", "PUT", "/2/webhooks/{webhook_id}", answers=_MANY),
    Surface(
        names.LIST_MISSED, "webhook", "POST", "/2/webhooks/replay",
        words("webhook_id from_date to_date"), _MANY,
    ),
    Surface(
        names.SEE_SUBSCRIPTION, "subscription", "GET", "/2/activity/subscriptions",
        words("max_results pagination_token"), _MANY,
        words("data.filter.user_id data.webhook_id data.event_type meta.next_token"),
    ),
    Surface(
        names.SUBSCRIBE, "subscription", "POST", "/2/activity/subscriptions",
        words("event_type filter webhook_id"), _MANY,
    ),
    Surface(
        names.RECEIVE, "webhook", HOOK, "activity",
        uses=frozenset(POSTS)
        | words("dm.received dm.sent broadcast.chat post.delete like.create")
        | words("event_uuid event_type payload filter"),
    ),
    Surface(
        names.RECEIVE_ACCOUNT, "webhook", HOOK, "activity of the account",
        uses=words("oauth.revoke profile.update"),
    ),
)  # fmt: skip


def _error_name(answer: Mapping[str, Any]) -> str:
    return "" if "data" in answer else said(answer)[0]


SIGNS = Signs(
    SURFACES,
    _error_name,
    frozenset(name for _, name in REFUSALS)
    | frozenset(REASONS)
    | words(
        "error about:blank invalid-request resource-not-found not-authorized-for-resource "
        "disallowed-resource not-authorized-for-field rule-cap duplicate-rules invalid-rules conflict "
        "operational-disconnect streaming-connection client-disconnected resource-unavailable "
        "noncompliant-rules Unauthorized Forbidden UrlValidationFailed Conflict"
    )
    | {"Not Found Error", "Too Many Requests", "Internal Server Error", "Service Unavailable", "Bad Request"},
    limit_header="x-rate-limit-limit",
)
