"""The calls of Meta's Graph API that we make for Facebook, Instagram, Threads and WhatsApp.

https://developers.facebook.com/docs/graph-api/reference and developers.facebook.com/documentation. An answer
has the fields that were asked for and no others. No header says how large a limit is.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.platforms import surface_names as names
from chalicelib.platforms.meta.configuration import PAGE_FIELDS
from chalicelib.platforms.meta.graph import CODES
from chalicelib.platforms.surfaces import HOOK, Signs, Surface, words

_PROOF = words("appsecret_proof")
_NODE = words("fields") | _PROOF
_EDGE = words("data paging error")
_NEXT = words("paging.next paging.cursors.after")
_WRITTEN = words("data.id data.from data.message data.created_time data.permalink_url")

_PAGE = words(
    "id followers_count is_published published_posts username name link about website verification_status "
    "picture"
)
_IG_USER = words("id username followers_count media_count media name biography website profile_picture_url")
_THREADS_USER = words("id username name threads_profile_picture_url threads_biography is_verified")

# From the guide of errors; what the tables of graph.py do not name is refused for good there: 3 capability,
# 100 a parameter, 506 the same text twice; 12 and 2635 are of calls and versions that have ended.
_VERSION_ERRORS = words("12 2635")
_ERRORS = frozenset(map(str, CODES)) | words("3 100 104 110 506 1609005") | _VERSION_ERRORS


def _error_name(answer: Mapping[str, Any]) -> str:
    error = answer.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return str(code) if isinstance(code, int) else ""


def _subscription(node: str, fields: bool = True) -> tuple[Surface, ...]:
    """The subscribed apps of a node, which are read and added to."""
    edge = f"/{{{node}}}/subscribed_apps"
    uses = words("data.id data.whatsapp_business_api_data.id") | _NEXT
    return (
        Surface(
            names.SEE_SUBSCRIPTION, "subscription", "GET", edge, words("after") | _PROOF, _EDGE,
            uses | words("data.subscribed_fields") if fields else uses,
        ),
        Surface(
            names.SUBSCRIBE, "subscription", "POST", edge,
            _PROOF | (words("subscribed_fields") if fields else frozenset()),
            words("success error"), words("success"),
        ),
    )  # fmt: skip


def _signs(*surfaces: Surface) -> Signs:
    return Signs(surfaces, _error_name, _ERRORS, _VERSION_ERRORS)


FACEBOOK = _signs(
    Surface(
        names.READ_PROFILE, "read", "GET", "/{page-id}", _NODE, _PAGE | {"error"},
        _PAGE | words("published_posts.created_time picture.data.url"),
    ),
    Surface(
        names.LIST_MISSED, "webhook", "GET", "/{page-id}/feed", words("limit after") | _NODE, _EDGE,
        _WRITTEN | _NEXT | words("data.comments"),
    ),
    Surface(
        names.LIST_MISSED_COMMENTS, "webhook", "GET", "/{post-id}/comments",
        words("filter since limit after") | _NODE, _EDGE, _WRITTEN | _NEXT | words("data.parent.id"),
    ),
    *_subscription("page-id"),
    Surface(
        names.RECEIVE, "webhook", HOOK, "page",
        uses=frozenset(PAGE_FIELDS) - words("messaging_policy_enforcement business_integrity"),
    ),
    Surface(
        names.RECEIVE_ACCOUNT, "webhook", HOOK, "page and permissions",
        uses=words("messaging_policy_enforcement business_integrity permissions"),
    ),
)  # fmt: skip
INSTAGRAM = _signs(
    Surface(
        names.READ_PROFILE, "read", "GET", "/{ig-user-id}", _NODE, _IG_USER | words("user_id data error"),
        _IG_USER | words("user_id media.timestamp"),
    ),
    Surface(
        names.READ_PAGE, "read", "GET", "/{page-id}", _NODE, words("id instagram_business_account error"),
        frozenset(f"instagram_business_account.{name}" for name in _IG_USER),
    ),
    *_subscription("ig-user-id"),
    Surface(
        names.RECEIVE, "webhook", HOOK, "instagram",
        uses=words("comments live_comments mentions messages message_reactions messaging_postbacks"),
    ),
    Surface(names.RECEIVE_ACCOUNT, "webhook", HOOK, "permissions", uses=words("permissions")),
)  # fmt: skip
THREADS = _signs(
    Surface(
        names.READ_PROFILE, "read", "GET", "/{threads-user-id}", _NODE,
        _THREADS_USER | {"error"}, _THREADS_USER,
    ),
    Surface(
        names.LIST_POSTS, "read", "GET", "/{threads-user-id}/threads", words("limit") | _NODE, _EDGE,
        words("data.id data.media_type data.timestamp data.username") | _NEXT,
    ),
    Surface(
        names.READ_FOLLOWERS, "read", "GET", "/{threads-user-id}/threads_insights", words("metric") | _PROOF,
        _EDGE, words("data.total_value.value followers_count"),
    ),
    Surface(
        names.RECEIVE, "webhook", HOOK, "moderate and interaction",
        uses=words("replies mentions publish delete"),
    ),
)  # fmt: skip
WHATSAPP = _signs(
    *_subscription("waba-id", fields=False),
    Surface(names.RECEIVE, "webhook", HOOK, "whatsapp_business_account", uses=words("messages statuses")),
    Surface(
        names.RECEIVE_ACCOUNT, "webhook", HOOK, "news of the business account",
        uses=words(
            "account_update account_alerts account_review_update phone_number_quality_update "
            "phone_number_name_update"
        ),
    ),
)  # fmt: skip
