"""The calls of TikTok's API v2 that we make, and what it sends.

https://developers.tiktok.com/doc/tiktok-api-v2-get-user-info, /tiktok-api-v2-video-list and /webhooks-events;
names of errors: /tiktok-api-v2-error-handling. Tokens: /oauth-user-access-token-management.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.platforms import surface_names as names
from chalicelib.platforms.surfaces import HOOK, Signs, Surface, words
from chalicelib.platforms.tiktok.reader import REFUSALS

_ANSWER = words("data error")

SURFACES = (
    Surface(
        names.RENEW_SESSION, "connect", "POST", "/v2/oauth/token/",
        words("client_key client_secret grant_type refresh_token"),
        words(
            "access_token expires_in refresh_token refresh_expires_in open_id scope token_type error "
            "error_description log_id"
        ),
        words("access_token refresh_token expires_in"),
    ),
    Surface(
        names.READ_PROFILE, "read", "GET", "/v2/user/info/", words("fields"), _ANSWER,
        words(
            "data.user.open_id data.user.avatar_url data.user.avatar_large_url data.user.display_name "
            "data.user.bio_description data.user.profile_deep_link data.user.is_verified data.user.username "
            "data.user.follower_count"
        ),
    ),
    Surface(
        names.LIST_POSTS, "read", "POST", "/v2/video/list/", words("fields max_count"), _ANSWER,
        words("data.videos.create_time data.has_more"),
    ),
    Surface(
        names.RECEIVE_VIDEOS, "webhook", HOOK, "post.publish",
        uses=words(
            "post.publish.failed post.publish.complete post.publish.publicly_available "
            "post.publish.no_longer_publicaly_available post.publish.no_longer_publicly_available "
            "video.upload.failed video.publish.completed"
        ),
    ),
    Surface(names.RECEIVE_ACCOUNT, "webhook", HOOK, "authorization", uses=words("authorization.removed")),
)  # fmt: skip


def _error_name(answer: Mapping[str, Any]) -> str:
    error = answer.get("error")
    code = error.get("code") if isinstance(error, dict) else error  # a text where tokens are renewed
    return code if isinstance(code, str) and code != "ok" else ""


SIGNS = Signs(
    SURFACES,
    _error_name,
    frozenset(name for _, name in REFUSALS)
    | words("access_token_invalid internal_error invalid_file_upload invalid_params rate_limit_exceeded")
    # https://developers.tiktok.com/doc/oauth-error-handling
    | words("access_denied invalid_client invalid_grant invalid_request invalid_scope")
    | words("unauthorized_client unsupported_grant_type unsupported_response_type server_error"),
)
