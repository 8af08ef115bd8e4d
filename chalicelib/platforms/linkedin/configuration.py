"""What LinkedIn may change under us, in one place.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-social-action-notifications
"""

from datetime import timedelta

VERSION = "202609"  # served until 2027-09-15; `api_version` of an account's credentials goes before it
PROTOCOL = "2.0.0"
ACTIONS = ("LIKE", "COMMENT", "SHARE", "SHARE_MENTION", "ADMIN_COMMENT", "COMMENT_EDIT", "COMMENT_DELETE")
KEPT_FOR = timedelta(days=60)
PAGE_OF = 100
PAGES_MOST = 100
