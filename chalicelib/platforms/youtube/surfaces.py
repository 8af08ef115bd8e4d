"""The calls of YouTube's Data API v3, its feeds and its hub that we make.

https://www.googleapis.com/discovery/v1/apis/youtube/v3/rest; names of errors:
https://developers.google.com/youtube/v3/docs/errors. A hub's answer has no fields.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.platforms import surface_names as names
from chalicelib.platforms.surfaces import HOOK, Signs, Surface, words
from chalicelib.platforms.youtube.reader import DAY_OVER, REFUSALS, TOO_FAST, reasons

_PAGE = words(
    "kind etag items pageInfo nextPageToken prevPageToken eventId visitorId tokenPagination regionCode error"
)
_KEY = words("X-Goog-Api-Key")
_COMMENT = words("id snippet.publishedAt snippet.updatedAt snippet.textDisplay snippet.textOriginal")

SURFACES = (
    Surface(
        names.READ_PROFILE, "read", "GET", "/youtube/v3/channels",
        words("part id mine forHandle maxResults") | _KEY, _PAGE,
        words(
            "items.id items.snippet.title items.snippet.description items.snippet.customUrl "
            "items.snippet.publishedAt items.snippet.thumbnails items.statistics.subscriberCount "
            "items.statistics.hiddenSubscriberCount items.status.privacyStatus"
        ),
    ),
    Surface(
        names.LIST_POSTS, "read", "GET", "/youtube/v3/playlistItems",
        words("part playlistId maxResults fields") | _KEY, _PAGE,
        words("items.contentDetails.videoPublishedAt"),
    ),
    Surface(
        names.SEARCH, "search", "GET", "/youtube/v3/search",
        words("part type q maxResults fields") | _KEY, _PAGE, words("items.id.channelId"),
    ),
    Surface(
        names.LIST_COMMENTS, "poll", "GET", "/youtube/v3/commentThreads",
        words("allThreadsRelatedToChannelId part order maxResults textFormat pageToken") | _KEY, _PAGE,
        words(
            "nextPageToken items.id items.snippet.videoId items.snippet.totalReplyCount "
            "items.snippet.topLevelComment items.replies.comments"
        ),
    ),
    Surface(
        names.LIST_ANSWERS, "poll", "GET", "/youtube/v3/comments",
        words("parentId part maxResults textFormat pageToken") | _KEY, _PAGE,
        words("nextPageToken") | frozenset(f"items.{name}" for name in _COMMENT),
    ),
    Surface(
        names.LIST_MISSED, "webhook", "GET", "/feeds/videos.xml", words("channel_id"),
        uses=words("entry.id entry.videoId entry.channelId entry.title entry.published entry.updated"),
    ),
    Surface(
        names.SEE_SUBSCRIPTION, "subscription", "GET", "/xml/feeds/videos.xml", words("channel_id"),
        uses=words("link"),
    ),
    Surface(
        names.SUBSCRIBE, "subscription", "POST", "/subscribe",
        words("hub.mode hub.topic hub.callback hub.secret hub.lease_seconds hub.verify"),
    ),
    Surface(
        names.RECEIVE_VIDEOS, "webhook", HOOK, "videos.xml",
        uses=words("entry.videoId entry.channelId entry.title entry.published entry.updated deleted-entry"),
    ),
)  # fmt: skip


def _error_name(answer: Mapping[str, Any]) -> str:
    error = answer.get("error")
    return next(iter(reasons(error)), "") if isinstance(error, dict) else ""


SIGNS = Signs(
    SURFACES,
    _error_name,
    frozenset(name for _, name in REFUSALS)
    | DAY_OVER
    | TOO_FAST
    | words(
        "backendError internalError badRequest invalid invalidParameter required forbidden notFound "
        "authError unauthorized processingFailure commentsDisabled commentThreadNotFound commentNotFound "
        "videoNotFound insufficientPermissions insufficientScopes ACCESS_TOKEN_SCOPE_INSUFFICIENT "
        "RATE_LIMIT_EXCEEDED CREDENTIALS_MISSING ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_TYPE_UNSUPPORTED "
        "invalidChannelId invalidFilters invalidCriteria invalidPageToken missingRequiredParameter "
        "playlistItemsNotAccessible channelForbidden playlistForbidden quotaExceeded"
    ),
)
