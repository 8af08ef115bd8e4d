"""The calls of LinkedIn's versioned API that we make.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management. LinkedIn adds fields to what it
answers without a word, and its pages show only some, so an unknown one means nothing.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.platforms import surface_names as names
from chalicelib.platforms.linkedin.configuration import ACTIONS
from chalicelib.platforms.linkedin.rest import REFUSALS
from chalicelib.platforms.surfaces import HOOK, Signs, Surface, words

_VERSIONED = words("LinkedIn-Version X-Restli-Protocol-Version")
_SUBSCRIPTION = "/rest/eventSubscriptions/{key}"
_NOTIFICATION = words(
    "notificationId organizationalEntity action sourcePost generatedActivity decoratedGeneratedActivity "
    "decoratedSourcePost lastModifiedAt subscriber"
)

SURFACES = (
    Surface(
        names.READ_PROFILE, "read", "GET", "/rest/organizations/{id}", _VERSIONED,
        uses=words(
            "id vanityName primaryOrganizationType localizedName localizedDescription localizedWebsite "
            "logoV2.cropped logoV2.original"
        ),
    ),
    Surface(
        names.FIND_PROFILE, "read", "GET", "/rest/organizations", words("q vanityName") | _VERSIONED,
        uses=words("elements.id"),
    ),
    Surface(
        names.READ_FOLLOWERS, "read", "GET", "/rest/networkSizes/{urn}", words("edgeType") | _VERSIONED,
        uses=words("firstDegreeSize"),
    ),
    Surface(
        names.LIST_POSTS, "read", "GET", "/rest/posts", words("q author count sortBy") | _VERSIONED,
        uses=words("elements.publishedAt elements.createdAt elements.reshareContext"),
    ),
    Surface(
        names.READ_PICTURE, "read", "GET", "/rest/images/{urn}", _VERSIONED, uses=words("downloadUrl")
    ),
    Surface(
        names.SEE_SUBSCRIPTION, "subscription", "GET", _SUBSCRIPTION, _VERSIONED,
        uses=words("webhook expiresAt"),
    ),
    Surface(names.SUBSCRIBE, "subscription", "PUT", _SUBSCRIPTION, words("webhook") | _VERSIONED),
    Surface(
        names.LIST_MISSED, "webhook", "GET", "/rest/organizationalEntityNotifications",
        words("q actions organizationalEntity timeRange count start") | _VERSIONED,
        uses=frozenset(f"elements.{name}" for name in _NOTIFICATION) | words("paging.links"),
    ),
    Surface(
        names.RECEIVE, "webhook", HOOK, "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS",
        uses=frozenset(ACTIONS) | _NOTIFICATION,
    ),
)  # fmt: skip
_VERSION_ERRORS = words("VERSION_MISSING NONEXISTENT_VERSION")


def _error_name(answer: Mapping[str, Any]) -> str:
    code = answer.get("code")
    return code if isinstance(code, str) else ""


SIGNS = Signs(
    SURFACES,
    _error_name,
    frozenset(name for _, name in REFUSALS)
    | _VERSION_ERRORS
    # https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling and the calls' pages
    | words(
        "ACCESS_DENIED EMPTY_ACCESS_TOKEN INVALID_ACCESS_TOKEN EXPIRED_ACCESS_TOKEN REVOKED_ACCESS_TOKEN "
        "UNAUTHORIZED FORBIDDEN NOT_FOUND RESOURCE_NOT_FOUND BAD_REQUEST INVALID_URN_TYPE INVALID_URN_ID "
        "MISSING_FIELD FIELD_LENGTH_TOO_LONG ILLEGAL_ARGUMENT PARAM_INVALID QUERY_PARAM_NOT_ALLOWED "
        "TOO_MANY_REQUESTS INTERNAL_SERVER_ERROR SERVICE_UNAVAILABLE GATEWAY_TIMEOUT CONFLICT "
        "UNPROCESSABLE_ENTITY"
    ),
    _VERSION_ERRORS,
)
