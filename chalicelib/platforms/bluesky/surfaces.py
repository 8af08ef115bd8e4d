"""The calls of a Bluesky server and of the AppView that we make.

Lexicons com.atproto.* and app.bsky.* of https://github.com/bluesky-social/atproto; limits:
https://docs.bsky.app/docs/advanced-guides/rate-limits.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.platforms import surface_names as names
from chalicelib.platforms.bluesky import reader, xrpc
from chalicelib.platforms.surfaces import Signs, Surface, words

_CALLS = 3_000  # of one address in five minutes
_SIGN_INS = 30  # of one account in five minutes
_SESSION = words("accessJwt refreshJwt handle did didDoc email emailConfirmed emailAuthFactor active status")
_SESSION_USES = words("did handle accessJwt refreshJwt")
_PROFILE = words(
    "did handle displayName description pronouns website avatar banner followersCount followsCount "
    "postsCount associated joinedViaStarterPack indexedAt createdAt viewer labels pinnedPost verification "
    "status debug"
)
_PROFILE_USES = words(
    "did handle displayName description website avatar followersCount createdAt verification.verifiedStatus "
    "verification.trustedVerifierStatus"
)

SURFACES = (
    Surface(
        names.SIGN_IN, "connect", "POST", "/xrpc/com.atproto.server.createSession",
        words("identifier password"), _SESSION, _SESSION_USES, _SIGN_INS,
    ),
    Surface(
        names.RENEW_SESSION, "connect", "POST", "/xrpc/com.atproto.server.refreshSession",
        answers=_SESSION, uses=_SESSION_USES,
    ),
    Surface(
        names.PUBLISH, "publish", "POST", "/xrpc/com.atproto.repo.putRecord",
        words("repo collection rkey record swapRecord"),
        words("uri cid commit validationStatus"), words("uri cid"),
    ),
    Surface(
        names.UPLOAD, "publish", "POST", "/xrpc/com.atproto.repo.uploadBlob",
        answers=words("blob"), uses=words("blob"),
    ),
    Surface(
        names.LOOK_UP_MENTION, "publish", "GET", "/xrpc/com.atproto.identity.resolveHandle",
        words("handle"), words("did"), words("did"), _CALLS,
    ),
    Surface(
        names.FIND_POST, "publish", "GET", "/xrpc/com.atproto.repo.getRecord",
        words("repo collection rkey"), words("uri cid value"),
        words("cid value.text value.createdAt value.reply"), _CALLS,
    ),
    Surface(
        names.READ_OURS, "read", "GET", "/xrpc/com.atproto.server.getSession",
        answers=_SESSION, uses=words("did handle active status"), most=_CALLS,
    ),
    Surface(
        names.READ_PROFILE, "read", "GET", "/xrpc/app.bsky.actor.getProfile",
        words("actor"), _PROFILE, _PROFILE_USES, _CALLS,
    ),
    Surface(
        names.LIST_POSTS, "read", "GET", "/xrpc/com.atproto.repo.listRecords",
        words("repo collection limit"), words("cursor records"),
        words("records.value.createdAt records.value.reply"), _CALLS,
    ),
    Surface(
        names.LIST_OTHERS_POSTS, "read", "GET", "/xrpc/app.bsky.feed.getAuthorFeed",
        words("actor filter limit"), words("cursor feed"),
        words("feed.post.indexedAt feed.post.record.createdAt feed.reason.indexedAt"), _CALLS,
    ),
    Surface(
        names.SEE_ACTIVE, "read", "GET", "/xrpc/com.atproto.sync.getRepoStatus",
        words("did"), words("did active status rev"), words("active status"), _CALLS,
    ),
    Surface(
        names.SEARCH, "search", "GET", "/xrpc/app.bsky.actor.searchActors",
        words("q limit"), words("cursor actors"),
        frozenset(f"actors.{name}" for name in _PROFILE_USES), _CALLS,
    ),
    Surface(
        names.LIST_NOTIFICATIONS, "poll", "GET", "/xrpc/app.bsky.notification.listNotifications",
        words("limit cursor priority"), words("cursor notifications priority seenAt"),
        words(
            "cursor notifications.uri notifications.cid notifications.reason notifications.indexedAt "
            "notifications.author notifications.record"
        ),
        _CALLS,
    ),
)  # fmt: skip
_ENDED = words("MethodNotImplemented XRPCNotSupported")


def _error_name(answer: Mapping[str, Any]) -> str:
    name = answer.get("error")
    return name if isinstance(name, str) else ""


SIGNS = Signs(
    SURFACES,
    _error_name,
    frozenset(name for _, name in (*xrpc.REFUSALS, *reader.REFUSALS))
    # What XRPC and these lexicons document besides.
    | words(
        "InvalidRequest AuthenticationRequired Forbidden RateLimitExceeded InternalServerError "
        "UpstreamFailure UpstreamTimeout NotEnoughResources RepoNotFound RepoTakendown RepoSuspended "
        "RepoDeactivated BadQueryString HandleNotFound UnableToResolveHandle InvalidMimeType "
        "PayloadTooLarge BlobTooLarge InvalidRecord BlockedActor BlockedByActor ActorNotFound "
        "UnsupportedDomain"
    ),
    _ENDED,
    "RateLimit-Limit",
)
