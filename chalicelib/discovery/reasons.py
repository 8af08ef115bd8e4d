"""The evidence that two profiles have to do with each other, and how each piece of it is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.core.words import Words, mark


class Why(StrEnum):
    """One piece of evidence."""

    HANDLE_SAME = "handle_same"
    HANDLE_DRAWN = "handle_drawn"
    HANDLE_ADDED = "handle_added"
    HANDLE_MISSPELLED = "handle_misspelled"
    HANDLE_WITHIN = "handle_within"
    NAME_SAME = "name_same"
    NAME_DRAWN = "name_drawn"
    NAME_ADDED = "name_added"
    NAME_MISSPELLED = "name_misspelled"
    NAME_WITHIN = "name_within"
    AVATAR = "avatar"
    DESCRIPTION = "description"
    LINKS_TO_US = "links_to_us"
    LURE = "lure"
    NEW = "new"
    FEW_FOLLOWERS = "few_followers"
    ON_OUR_SITE = "on_our_site"
    REPORTED = "reported"
    SAYS_FAN = "says_fan"
    OTHER_AVATAR = "other_avatar"
    OTHER_SUBJECT = "other_subject"
    OLDER = "older"
    MORE_FOLLOWERS = "more_followers"


SENTENCES: Mapping[Why, str] = {
    Why.HANDLE_SAME: mark("Its handle is the same as ours: %(theirs)s"),
    Why.HANDLE_DRAWN: mark("Its handle %(theirs)s is written with characters that look like our %(ours)s"),
    Why.HANDLE_ADDED: mark("Its handle %(theirs)s is our %(ours)s with something added"),
    Why.HANDLE_MISSPELLED: mark("Its handle %(theirs)s is a letter or two away from our %(ours)s"),
    Why.HANDLE_WITHIN: mark("Its handle %(theirs)s has a part in common with our %(ours)s"),
    Why.NAME_SAME: mark("Its name is the same as ours: %(theirs)s"),
    Why.NAME_DRAWN: mark("Its name %(theirs)s is written with characters that look like our %(ours)s"),
    Why.NAME_ADDED: mark("Its name %(theirs)s is our %(ours)s with something added"),
    Why.NAME_MISSPELLED: mark("Its name %(theirs)s is a letter or two away from our %(ours)s"),
    Why.NAME_WITHIN: mark("Its name %(theirs)s has a part in common with our %(ours)s"),
    Why.AVATAR: mark("Its picture is ours, or nearly: %(same)s of 64 marks agree"),
    Why.DESCRIPTION: mark("Its description shares words with ours: %(words)s"),
    Why.LINKS_TO_US: mark("It links to our own site %(site)s"),
    Why.LURE: mark("It speaks of prizes, money, or writing to it elsewhere: %(words)s"),
    Why.NEW: mark("The profile is new: made on %(day)s"),
    Why.FEW_FOLLOWERS: mark("It has few followers: %(theirs)s, and ours has %(ours)s"),
    Why.ON_OUR_SITE: mark("Our own site %(site)s links to it"),
    Why.REPORTED: mark("Somebody reported it"),
    Why.SAYS_FAN: mark("It says itself that it is not official: %(words)s"),
    Why.OTHER_AVATAR: mark("Its picture is another one"),
    Why.OTHER_SUBJECT: mark("Its description is about something else"),
    Why.OLDER: mark("It is older than ours: made on %(day)s"),
    Why.MORE_FOLLOWERS: mark("It has more followers than ours: %(theirs)s"),
}

AGAINST = frozenset({Why.SAYS_FAN, Why.OTHER_AVATAR, Why.OTHER_SUBJECT, Why.OLDER, Why.MORE_FOLLOWERS})


@dataclass(frozen=True)
class Reason:
    """A piece of evidence, how much it counted in hundredths, and what fills the places of its sentence."""

    why: Why
    counts: int = 0
    values: dict[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The message of the catalogue, its places not filled."""
        return SENTENCES[self.why]

    @property
    def is_against(self) -> bool:
        return self.why in AGAINST

    def said(self, words: Words) -> str:
        """The reason in the reader's language."""
        return words.say(self.sentence, **self.values)
