from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platforms.links import Address, recognise

CHANNEL = "UCabcdefghijklmnopqrstuv"
DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"

KNOWN = [
    ("https://www.facebook.com/ZorzaPolska/", "facebook", "", "zorzapolska"),
    ("https://m.facebook.com/zorza.polska?ref=share", "facebook", "", "zorza.polska"),
    ("https://pl-pl.facebook.com/zorza", "facebook", "", "zorza"),
    ("https://www.facebook.com/profile.php?id=100064123456789", "facebook", "", "100064123456789"),
    ("https://www.facebook.com/pages/Zorza/112233445566", "facebook", "", "112233445566"),
    ("https://www.facebook.com/people/Zorza-Krak%C3%B3w/100064123456789/", "facebook", "", "100064123456789"),
    ("https://www.facebook.com/p/Zorza-Krak%C3%B3w-100064123456789/", "facebook", "", "100064123456789"),
    ("fb.com/zorza", "facebook", "", "zorza"),
    ("https://instagram.com/zorza_pl/?hl=pl", "instagram", "", "zorza_pl"),
    ("https://www.instagram.com/stories/zorza/31/", "instagram", "", "zorza"),
    ("https://www.threads.net/@zorza", "threads", "", "zorza"),
    ("https://www.threads.com/@zorza/post/C8", "threads", "", "zorza"),
    ("https://x.com/Zorza", "x", "", "zorza"),
    ("http://mobile.twitter.com/zorza/status/1", "x", "", "zorza"),
    ("https://twitter.com/intent/user?screen_name=zorza", "x", "", "zorza"),
    ("https://www.linkedin.com/company/zorza-polska/about/", "linkedin", "", "zorza-polska"),
    ("https://pl.linkedin.com/school/zorza", "linkedin", "", "zorza"),
    ("https://linkedin.com/in/zorza", "linkedin", "", "in:zorza"),
    ("https://www.tiktok.com/@zorza.pl/video/7", "tiktok", "", "zorza.pl"),
    ("https://youtube.com/@Zorza", "youtube", "", "zorza"),
    (f"https://m.youtube.com/channel/{CHANNEL}/videos", "youtube", "", CHANNEL),
    ("https://www.youtube.com/user/zorza", "youtube", "", "user:zorza"),
    ("https://www.youtube.com/c/Zorza", "youtube", "", "c:zorza"),
    ("https://pl.pinterest.com/zorza/_created/", "pinterest", "", "zorza"),
    ("https://www.pinterest.co.uk/zorza/", "pinterest", "", "zorza"),
    ("https://bsky.app/profile/zorza.bsky.social", "bluesky", "", "zorza.bsky.social"),
    (f"https://bsky.app/profile/{DID}/post/3k", "bluesky", "", DID),
    (f"at://{DID}/app.bsky.feed.post/3k", "bluesky", "", DID),
    ("@zorza.bsky.social", "bluesky", "", "zorza.bsky.social"),
    ("https://mastodon.social/@Zorza", "mastodon", "https://mastodon.social", "zorza"),
    ("https://mastodon.social/@zorza@pol.social", "mastodon", "https://pol.social", "zorza"),
    ("https://social.zorza.pl/users/zorza", "mastodon", "https://social.zorza.pl", "zorza"),
    ("https://mastodon.social/web/@zorza", "mastodon", "https://mastodon.social", "zorza"),
    ("@zorza@pol.social", "mastodon", "https://pol.social", "zorza"),
]  # fmt: skip

NOBODYS = [
    "", " ", "zorza", "@zorza", "https://zorza.pl", "https://zorza.pl/kontakt", "mailto:biuro@zorza.pl",
    "biuro@zorza.pl", "javascript:alert(1)", "https://www.facebook.com/sharer/sharer.php?u=x",
    "https://www.facebook.com/groups/112233", "https://instagram.com/p/C8abc/", "https://x.com/intent/tweet?text=",
    "https://x.com/search?q=zorza", "https://www.youtube.com/watch?v=abc", "https://youtu.be/abc",
    "https://www.youtube.com/channel/short",
    "https://www.linkedin.com/jobs/view/1", "https://pinterest.com/pin/12/",
    "https://medium.com/@zorza", "https://blog.medium.com/@zorza", "https://developers.facebook.com/zorza",
    "https://support.x.com/zorza", "https://facebook.com.evil.example/zorza", "https://evilx.com/zorza",
    "https://user:pw@x.com/zorza", "https://x.com:8443/zorza", "ftp://x.com/zorza", "https://[::1]/@zorza",
    "https://127.0.0.1/@zorza", "https://localhost/@zorza", "https://x.com/%ff%fe",
    "https://x.com/" + "a" * 5000,
    "https://www.tiktok.com/zorza", "https://bsky.app/search?q=zorza", "https://x.com/a b",
]  # fmt: skip


@pytest.mark.parametrize(("text", "platform", "server", "handle"), KNOWN)
def test_an_address_says_whose_profile_it_is(text: str, platform: str, server: str, handle: str) -> None:
    assert recognise(text) == Address(platform, server, handle)


@pytest.mark.parametrize("text", NOBODYS)
def test_what_is_nobodys_profile_is_not_taken_for_one(text: str) -> None:
    assert recognise(text) is None


def test_a_member_and_a_company_of_the_same_name_are_two() -> None:
    assert recognise("linkedin.com/in/zorza") != recognise("linkedin.com/company/zorza")


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_is_not(text: str) -> None:
    found = recognise(text)
    assert found is None or (found.handle and found.platform)


@given(st.sampled_from(KNOWN), st.text(max_size=60))
def test_what_follows_an_address_never_breaks_it(known: tuple[str, str, str, str], more: str) -> None:
    for text in (known[0] + more, known[0] + "?" + quote(more), known[0] + "#" + more):
        recognise(text)


NAMES = st.from_regex(r"[a-z][a-z0-9_]{3,14}", fullmatch=True).filter(
    lambda name: (
        recognise(f"https://x.com/{name}") is not None and name not in ("explore", "direct", "stories")
    )
)
HOMES = {
    "facebook": "https://www.facebook.com/{}", "instagram": "https://www.instagram.com/{}",
    "threads": "https://www.threads.net/@{}", "x": "https://x.com/{}", "tiktok": "https://www.tiktok.com/@{}",
    "linkedin": "https://www.linkedin.com/company/{}", "youtube": "https://www.youtube.com/@{}",
    "pinterest": "https://www.pinterest.com/{}/", "bluesky": "https://bsky.app/profile/{}.bsky.social",
    "mastodon": "https://mastodon.social/@{}",
}  # fmt: skip


@given(
    st.sampled_from(sorted(HOMES)),
    NAMES,
    st.sampled_from(["", "/", "?utm_source=mail", "/#top"]),
    st.booleans(),
)
def test_case_scheme_slash_and_tracking_make_no_other_profile(
    platform: str, name: str, after: str, upper: bool
) -> None:
    plain = HOMES[platform].format(name.replace("_", "x") if platform in ("facebook", "bluesky") else name)
    found = recognise(plain)
    assert found is None or found.platform == platform
    changed = plain.removeprefix("https://") + after
    assert recognise(changed.upper() if upper else changed) == found
