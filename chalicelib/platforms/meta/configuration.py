"""What Meta may change under us, in one place.

https://developers.facebook.com/docs/graph-api/changelog/versions. `api_version` and `subscribed_fields` of an
account's credentials go before what stands here.
"""

from datetime import date, timedelta

GRAPH_VERSION = "v25.0"
# After this day Meta serves the next version under this name, and no answer says so.
GRAPH_VERSION_ENDS_ON = date(2028, 7, 29)
GRAPH_VERSION_SET_IN = "GRAPH_VERSION in chalicelib/platforms/meta/configuration.py"

THREADS_VERSION = "v1.0"  # the only one there has been

# Fields of a page as `subscribed_apps` names them; those of messages need the permission pages_messaging.
PAGE_FIELDS = (
    "feed",
    "mention",
    "ratings",
    "messages",
    "message_echoes",
    "message_reactions",
    "messaging_postbacks",
    "messaging_policy_enforcement",
    "business_integrity",
)
# One field is enough for Instagram to send all that the app is subscribed to: one of its own, or of its page.
INSTAGRAM_FIELDS = ("comments", "messages")
INSTAGRAM_PAGE_FIELDS = ("feed",)

LIMIT_FOR = timedelta(hours=1)  # Meta counts calls by the hour; for a limit that does not say when it ends

# From memory: that the comments of a list of posts can be asked for with `since`, and how many at once.
RECENT_POSTS = 100
POSTS_AT_ONCE = 25
COMMENTS_AT_ONCE = 100
COMMENTS_MOST = 2_000  # of one post

# Of the newest posts of an account, so that one which is pinned, or was written for an earlier day, is not
# taken for the last. Of Threads more, since its list has what was shared among what was written.
NEWEST_POSTS = 5
NEWEST_THREADS = 25
