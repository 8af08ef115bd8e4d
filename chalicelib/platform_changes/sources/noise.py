"""What changes on a page without anybody meaning it: stamps, tallies, builds, notices of cookies, buttons.

A line is noise by its whole, never by a part: "Updated: May 3" is, "Updated the limit to 50 calls" is not.
"""

import re

from chalicelib.platform_changes.sources.dates import dates_in, without_dates

_STAMP_CHARS_MOST = 100
_TALLY_CHARS_MOST = 70
_TALLY_WORDS_MOST = 9
_SAID_OF_PAGE = r"(?:updated|modified|reviewed|edited|published|changed)"
_COOKIES = (
    r"(?:(?:we|this\s(?:web)?site|our\s\w{1,20}|by\s(?:using|continuing|clicking)).{0,80}\bcookies?\b.{0,400}"
    r"|.{0,40}\bcookies?\s(?:policy|preferences|settings|notice|consent).{0,100}"
    r"|(?:accept|reject|allow|manage)\s(?:all\s)?cookies?\W?)"
)
_NOISE = re.compile(
    rf"(?:article\s*\W\s*)?(?:this\s)?(?:page\s)?(?:was\s)?last\s{_SAID_OF_PAGE}\b.{{0,60}}"
    r"|.{0,60}\b\d{1,3}\s?(?:min|mins|minutes?)(?:\sto)?\sread(?:ing)?(?:\stime)?\W?"
    r"|\W{0,3}(?:about\s|in\s)?\d{1,3}\s?(?:min|mins|minutes?)\W?"
    r"|rated\s.{0,30}\b(?:people|users|readers|members)\W?"
    r"|[\d.,]{1,12}\s?[km]?\s(?:people|users|readers|members)\s(?:found|liked?|rated?|viewed)\b.{0,40}"
    r"|(?:was|is|did)\s(?:this|you)\b.{0,40}\b(?:helpful|useful|looking\sfor)\b.{0,40}"
    rf"|{_COOKIES}|accept(?:\sall)?|reject(?:\sall)?|skip\sto\s(?:main\s)?content"
    r"|in\sthis\sarticle|on\sthis\spage|table\sof\scontents|share(?:\svia|\sthis)?\W?.{0,40}|feedback|yes|no|print|edit"
    r"|(?:note\s)?access\sto\sthis\spage\srequires\sauthorization.{0,200}"
    r"|this\sbrowser\sis\sno\slonger\ssupported.{0,300}|upgrade\sto\smicrosoft\sedge.{0,200}"
    r"|(?:copyright\b|\u00a9).{0,200}|all\srights\sreserved\W?|previous|next|copy(?:\spage)?|learn\smore(?:\shere)?\W?"
    r"|article|(?:today\sis\s)?(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s.{0,40}"
    r"|(?:build|revision|commit|deploy(?:ment)?|(?:version|request|trace|page|build|document)[\s_-]id|etag|sha)"
    r"\s?(?:no\.?|number|id)?\s?[:#=]?\s?(?=[\w.-]{0,64}\d)[\w.-]{1,64}"
    r"|(?=[a-f]{0,64}\d)(?:[0-9a-f]{8,64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"\b(?:article|page|date|posted|created|{_SAID_OF_PAGE}|generated|first|last|on|at|by|utc|gmt|am|pm|z|t|today"
    r"|yesterday|just\snow|\d{1,3}\s(?:second|minute|hour|day|week|month|year)s?\sago"
    r"|(?:an?)\s(?:minute|hour|day|week|month|year)\sago|(?:mon|tues|wednes|thurs|fri|satur|sun)(?:day)?)\b"
    r"|\b\d{1,2}:\d\d(?::\d\d)?(?:\.\d{1,6})?(?:z\b)?|\b[01]?\d/[0-3]?\d/20\d\d\b",
    re.IGNORECASE,
)
_NUMBER = r"\d[\d.,]{0,11}\s?(?:k|m|%|\+)?"
_TALLY = re.compile(
    rf"(?:\S+\s){{0,5}}?\W?{_NUMBER}\s(?:\S+\s){{0,1}}?(?:people|persons?|users|readers?|developers|visitors|viewers?|members|"
    r"views?|visits|reads|likes?|loves?|claps|votes?|upvotes?|stars?|ratings?|reviews?|reactions?|comments?|replies|"
    r"answers?|questions?|followers?|subscribers?|contributors?|shares?|bookmarks?|downloads?|watch(?:ers|ing)|forks?|"
    r"times|results?|notes?|entries|articles?|topics?)\b(?:\s\S+){0,4}"
    rf"|(?:rated|ratings?|score|views?|viewed|likes?|votes?|comments?|downloads?|shares?)\W{{0,3}}{_NUMBER}"
    rf"(?:\s?(?:/|of|out\sof)\s?\d{{1,3}})?(?:\s\(?{_NUMBER}\)?)?\W?"
    rf"|(?:showing\s|page\s)?{_NUMBER}(?:\s?-\s?{_NUMBER})?\s(?:of|/)\s{_NUMBER}",
    re.IGNORECASE,
)
_RULES = re.compile(
    r"\b(?:limit|quota|max|maximum|minimum|up\sto|at\s(?:most|least)|per|each|every|an?|one|only|allow|must|may|can|could"
    r"|should|need|require|will|was|were|is|are|from|until|effective|calls?|requests?|hold|has|have|had|tak(?:e|en)"
    r"|contain|include|accept|support|get|return|answered|give|show|deprecat\w*|remov\w*|not|no|never|instead"
    r"|within|seconds?|minutes?|hours?|days?|weeks?|months?|characters?)s?\b|[`_]|20\d\d-",
    re.IGNORECASE,
)
_OF_LIMITS = re.compile(
    r"\b(?:limit|quota|rate|maxim|minim|allow|restrict|throttl|price|size|length)", re.IGNORECASE
)
_OF_ENDS = re.compile(
    r"\b(?:sunset|effective|ends?|end-of|expir|remov|retire|deadline|until|deprecat|shut|discontinu|breaking)"
    r"|\b(?:from|by|on)\W{0,3}$",
    re.IGNORECASE,
)


_BETWEEN = re.compile(r"\s*[\u00b7\u2022|]\s*|\s[\u2013\u2014]\s")
_BYLINE_PARTS_MOST = 8


def is_noise(text: str) -> bool:
    """Whether a paragraph is noise wherever it stands."""
    return bool(_NOISE.fullmatch(text[:600]))


def is_stamp(text: str, label: str) -> bool:
    """Whether a paragraph only says when something was written; `label` is what stands over and before it."""
    if len(text) > _STAMP_CHARS_MOST or _OF_ENDS.search(label):
        return False
    rest = _LABEL.sub(" ", without_dates(text))
    return rest != text and not any(sign.isalnum() for sign in rest)


def is_tally(text: str, heading: str) -> bool:
    """Whether a paragraph only counts who read, rated or answered; what stands under limits never does."""
    if len(text) > _TALLY_CHARS_MOST or len(text.split()) > _TALLY_WORDS_MOST or dates_in(text):
        return False
    return bool(_TALLY.fullmatch(text) and not _RULES.search(text) and not _OF_LIMITS.search(heading))


def is_byline(text: str, label: str, heading: str) -> bool:
    """Whether a paragraph is a row of stamps and tallies: "Feb 10, 2026 | 3 days ago | 1,204 views"."""
    parts = [part for part in _BETWEEN.split(text[: _BYLINE_PARTS_MOST * _TALLY_CHARS_MOST]) if part]
    return 1 < len(parts) <= _BYLINE_PARTS_MOST and all(
        is_noise(part) or is_stamp(part, label) or is_tally(part, heading) for part in parts
    )
