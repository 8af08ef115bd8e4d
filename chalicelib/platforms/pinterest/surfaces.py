"""The calls of Pinterest's API v5 that we make.

https://github.com/pinterest/api-description, v5/openapi.json 5.23.0. The numbers of its errors are not listed
there.
"""

from chalicelib.platforms import surface_names as names
from chalicelib.platforms.surfaces import Signs, Surface, words

_ACCOUNT = words("id username business_name follower_count about profile_image website_url")

SURFACES = (
    Surface(
        names.READ_PROFILE, "read", "GET", "/user_account",
        answers=_ACCOUNT
        | words("account_type board_count following_count monthly_views pin_count"),
        uses=_ACCOUNT,
    ),
    Surface(
        names.LIST_POSTS, "read", "GET", "/pins", words("page_size"), words("items bookmark"),
        words("items.created_at items.parent_pin_id"),
    ),
)  # fmt: skip
SIGNS = Signs(SURFACES)
