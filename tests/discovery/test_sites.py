"""Our web pages' links, and pages that want to hurt whoever reads them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.discovery.sites import links_in
from chalicelib.platforms.links import Address

HERE = "https://www.zorza.pl/kontakt/"


def addresses(html: str) -> list[tuple[str, str, bool]]:
    return [(link.address.platform, link.address.handle, link.says_me) for link in links_in(html, HERE)]


def test_links_of_every_spelling_are_read_once_and_rel_me_is_kept() -> None:
    html = """
      <A HREF='https://x.com/zorza' class=icon>X</A> <a class="b" href=https://www.tiktok.com/@zorza>T</a>
      <link rel="me nofollow" href="https://mastodon.social/@zorza">
      <a href="//instagram.com/zorza?a=1&amp;b=2">I</a>
      <a href="https://x.com/Zorza" rel="me">again</a> <area href="https://www.youtube.com/@zorza">
      <a data-href="https://x.com/not_this" href="/o-nas">no</a> <a title="a > b" href="https://x.com/lost">odd</a>
      <!-- <a href="https://x.com/old">old</a> --> <script>var a = "<b href='https://x.com/no'>";</script>
    """
    assert addresses(html) == [
        ("x", "zorza", True),
        ("tiktok", "zorza", False),
        ("mastodon", "zorza", True),
        ("instagram", "zorza", False),
        ("youtube", "zorza", False),
    ]


def test_a_relative_link_is_not_taken_for_a_profile_elsewhere() -> None:
    assert links_in('<a href="/@zorza">', "https://www.zorza.pl/")[0].address == Address(
        "mastodon", "https://zorza.pl", "zorza"
    )
    assert addresses('<a href="/zorza">') == []


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "<a ",
        "</",
        "<![CDATA[",
        "<a href='",
        '<a href="x" ',
        "&#",
        "<a href=x ",
        "<link rel=",
        "href=' ",
        "<" * 9,
    ],
)
def test_no_page_takes_long_to_read(piece: str) -> None:
    html = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    links_in(html, HERE)
    assert time.perf_counter() - started < 3


@given(st.text(max_size=500), st.text(max_size=50))
def test_any_page_can_be_read(html: str, url: str) -> None:
    links_in(f'{html}<a href="{html}">', url)
