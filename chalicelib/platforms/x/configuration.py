"""What X may change under us, in one place. https://docs.x.com/x-api/activity/introduction

Every delivered post is billed, so only what somebody has to answer is subscribed to, and our own posts, which
show what was answered elsewhere; `events` of an account's credentials replaces the list, divided by commas.
"""

from datetime import timedelta

EVENTS = (
    "post.create",
    "post.mention.create",
    "post.reply.create",
    "post.quote.create",
    "dm.received",
    "dm.sent",
)
PAGE_OF = 1_000  # the most subscriptions that one call lists
PAGES_MOST = 150  # a partner's 150,000, which is the most there can be
LIMIT_FOR = timedelta(minutes=15)  # X's window, for a 429 that does not say when it ends

# A replay's window, by the Account Activity API's words; those of `POST /2/webhooks/replay` give none. Its
# beginning is at most 24 hours ago (with a margin for clocks) and at least 31 minutes, its end at least 10.
REPLAYED_FROM_MOST = timedelta(hours=23, minutes=50)
REPLAYED_FROM_LEAST = timedelta(minutes=31)
REPLAYED_UNTIL_LEAST = timedelta(minutes=10)

# X's data dictionary and examples have this field of a user; OpenAPI 2.167, of the same day, calls it
# `most_recent_post_id` and does not list it among those that can be asked for.
LAST_POST_FIELD = "most_recent_tweet_id"
LAST_POST_NAMES = (LAST_POST_FIELD, "most_recent_post_id")
FOUND_AT_ONCE = 20  # each profile that is found is billed as one that is read, $0.010 in August 2026
