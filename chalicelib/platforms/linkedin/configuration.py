"""What LinkedIn may change under us, in one place.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-social-action-notifications
"""

from datetime import date, timedelta

VERSION = "202609"  # `api_version` of an account's credentials goes before it
VERSION_ENDS_ON = date(2027, 9, 15)
PROTOCOL = "2.0.0"
ACTIONS = ("LIKE", "COMMENT", "SHARE", "SHARE_MENTION", "ADMIN_COMMENT", "COMMENT_EDIT", "COMMENT_DELETE")
KEPT_FOR = timedelta(days=60)
PAGE_OF = 100
PAGES_MOST = 100

# Posts come by when they were last changed, so that one which was written long ago can stand first.
NEWEST_POSTS = 10
# From memory: that a logo's asset is an image of the same id, which tells where it can be fetched.
ASSET, IMAGE = "urn:li:digitalmediaAsset:", "urn:li:image:"
