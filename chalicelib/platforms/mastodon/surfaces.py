"""The calls of a Mastodon server that we make: https://docs.joinmastodon.org/methods/.

Every server may add fields of its own, so an unknown one means nothing. Limits:
https://docs.joinmastodon.org/api/rate-limits/.
"""

from chalicelib.platforms import surface_names as names
from chalicelib.platforms.surfaces import HOOK, Signs, Surface, words

_CALLS = 300  # of one account, or of one address, in five minutes
_UPLOADS = 30  # of one account in half an hour
_ACCOUNT = words(
    "id acct display_name note url fields followers_count last_status_at created_at avatar avatar_static "
    "suspended limited moved"
)
_STATUS = words(
    "id url uri created_at content spoiler_text visibility in_reply_to_id media_attachments "
    "account.followers_count account.suspended account.limited account.moved"
)

SURFACES = (
    Surface(
        names.PUBLISH, "publish", "POST", "/api/v1/statuses",
        words("status media_ids visibility in_reply_to_id spoiler_text sensitive language Idempotency-Key"),
        uses=words("id url uri"), most=_CALLS,
    ),
    Surface(
        names.UPLOAD, "publish", "POST", "/api/v2/media", words("file description"),
        uses=words("id"), most=_UPLOADS,
    ),
    Surface(names.SEE_UPLOAD, "publish", "GET", "/api/v1/media/{id}", most=_CALLS),
    Surface(
        names.READ_ANSWERED, "reply", "GET", "/api/v1/statuses/{id}", uses=words("visibility"), most=_CALLS
    ),
    Surface(
        names.READ_LIMITS, "publish", "GET", "/api/v2/instance",
        uses=words("configuration.statuses configuration.media_attachments"), most=_CALLS,
    ),
    Surface(
        names.READ_OURS, "read", "GET", "/api/v1/accounts/verify_credentials", uses=_ACCOUNT, most=_CALLS
    ),
    Surface(
        names.FIND_PROFILE, "read", "GET", "/api/v1/accounts/lookup", words("acct"),
        uses=_ACCOUNT, most=_CALLS,
    ),
    Surface(names.READ_PROFILE, "read", "GET", "/api/v1/accounts/{id}", uses=_ACCOUNT, most=_CALLS),
    Surface(
        names.LIST_POSTS, "read", "GET", "/api/v1/accounts/{id}/statuses",
        words("limit exclude_reblogs exclude_replies max_id"), uses=_STATUS, most=_CALLS,
    ),
    Surface(
        names.SEARCH, "search", "GET", "/api/v2/search", words("q type limit"),
        uses=frozenset(f"accounts.{name}" for name in _ACCOUNT), most=_CALLS,
    ),
    Surface(
        names.LIST_NOTIFICATIONS, "poll", "GET", "/api/v1/notifications",
        words("limit min_id include_filtered exclude_types[]"),
        uses=words("id type created_at account status moderation_warning"), most=_CALLS,
    ),
    Surface(
        names.RECEIVE, "webhook", HOOK, "admin webhook",
        uses=words("event object status.created status.updated account.updated"),
    ),
)  # fmt: skip
SIGNS = Signs(SURFACES, limit_header="X-RateLimit-Limit")
