"""What kind of change a sentence of a changelog is: by rules that are data, in their order."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform_changes.model import Finding, Kind
from chalicelib.platform_changes.rules import Rule, built_in, fits, judged, phrase_problems

BREAKING, OUTAGE, DEPRECATION = Kind.BREAKING, Kind.OUTAGE, Kind.DEPRECATION
LIMIT, POLICY, METRIC, NEW = Kind.LIMIT, Kind.POLICY, Kind.METRIC, Kind.NEW

SENTENCES: list[tuple[Kind, str, str]] = [
    # what stops, or is answered otherwise
    (BREAKING, "Version 202505 sunset", "Calls that still name 202505 get 426 from 15 May 2026."),
    (BREAKING, "The v1.1 media endpoint shuts down on June 9", "Move your uploads to v2 before that day."),
    (BREAKING, "Reply settings", "The parameter reply_settings no longer accepts the value everyone."),
    (BREAKING, "Scopes", "From March, POST /2/tweets requires the scope media.write if it carries media."),
    (BREAKING, "Removed fields", "page_impressions_unique was removed from the Page node."),
    (BREAKING, "Access tokens", "Tokens that were issued before May will expire on 30 June."),
    (BREAKING, "Webhook signatures", "SHA-1 signatures stop working; verify the SHA-256 header."),
    (BREAKING, "Renaming", "The event post.mention was renamed to mention.created."),
    (BREAKING, "createSession", "Requests without a proof header will be rejected."),
    (BREAKING, "Pagination", "The offset parameter is no longer supported; use cursors."),
    (BREAKING, "Breaking change: ids are strings now", ""),
    (BREAKING, "Graph v20.0", "v20.0 has expired. Calls to it are served by v21.0."),
    (BREAKING, "Video upload", "Chunked upload by URL has been discontinued."),
    (BREAKING, "API key auth", "Basic authentication is retired at the end of the quarter."),
    (BREAKING, "Replay", "The replay endpoint will be turned off on 25 March."),
    (BREAKING, "Privacy level", "privacy_level is now required when a video is initialised."),
    (BREAKING, "Header", "All calls must include the Api-Version header."),
    (BREAKING, "Reading lists", "A new scope is required for private ones."),
    (BREAKING, "Sorting", "Collections can no longer be sorted by name."),
    (BREAKING, "Searching for people", "Calls without a token will be refused as of May."),
    (BREAKING, "Reading replies", "The list no longer answers replies."),
    (BREAKING, "Keys", "Clients with open keys will receive a 403 error."),
    (BREAKING, "Mentions", "Webhooks of mentions need the permission manage_mentions by September."),
    (NEW, "Sign-in", "A developer account is no longer needed. Added guest access."),
    (BREAKING, "Reading mentions", "From May the call will no longer answer."),
    (BREAKING, "Stories", "The event story.seen is no longer emitted."),
    (BREAKING, "Alt text", "A picture without it is refused when it is sent by an app."),
    (BREAKING, "Names of people", "This breaks apps that read the first name."),
    (BREAKING, "Ids", "The longer ids will break clients that keep them as 32 bits."),
    (BREAKING, "Ordering", "Integrations that rely on the old order break on Monday."),
    (BREAKING, "Moderation", "Your app needs the manage_replies permission by 1 June."),
    (BREAKING, "Groups", "Apps need to be granted the permission groups_read before autumn."),
    (BREAKING, "Sessions", "Access tokens will live for one hour instead of a day."),
    (BREAKING, "Refreshing", "Refresh tokens are valid for 30 days from then on; it was a year."),
    (BREAKING, "Shorter lives", "The lifetime of tokens is cut to seven days."),
    (BREAKING, "Sign-in codes", "Codes expire after one minute."),
    (BREAKING, "Embeds", "The old player ceases on Friday."),
    (BREAKING, "Feeds", "The XML feed goes away in spring."),
    (BREAKING, "Old hosts", "graph-old.example stops answering in July."),
    (BREAKING, "Likes", "Calls for the likes of others will return an empty list."),
    (BREAKING, "Errors", "A missing header is answered with 400 from now on."),
    (BREAKING, "Timestamps", "created_time is answered as a number and no longer as text."),
    (BREAKING, "Callbacks", "We will not deliver callbacks to plain HTTP any more."),
    (BREAKING, "Open reading", "Anonymous calls are not answered anymore."),
    (BREAKING, "Polls", "Posts with polls fail with an error 422 until the field is set."),
    (BREAKING, "Keys", "Keys without an owner are revoked in March."),
    (BREAKING, "Tiers", "The free tier loses access to search."),
    (BREAKING, "Hooks", "You have to verify your domain by 30 May, or hooks are not delivered."),
    (NEW, "Editing", "This does not break existing apps. Added editing of posts."),
    (NEW, "Scopes", "Reading polls needs no new permission. Polls can now be read."),
    (NEW, "Tokens", "Tokens will live longer. Introduced a way to renew them."),
    (NEW, "Added drafts", "Nothing is refused that was taken before."),
    (NEW, "New player", "The old player does not go away."),
    (NEW, "Added stories", "A story goes away after a day."),
    (NEW, "Larger ids", "Ids do not break. Added a field with the id as text."),
    (BREAKING, "Type of view_count", "view_count changed type from integer to string."),
    (BREAKING, "End-of-life for the legacy poster", "The legacy posting API reaches end-of-life in May."),
    (BREAKING, "Mentions", "Annotations will not be supported after the next version."),
    (BREAKING, "Upgrade", "You must upgrade to a supported version by 15 September."),
    (BREAKING, "Deprecated and removed", "deleteRepo is deprecated and will be removed in August."),
    (BREAKING, "Posting", "The old endpoint will be removed; the other one takes 100 requests per minute."),
    (BREAKING, "Avoid an outage of your integration", "v1 is sunset on 1 June."),
    (BREAKING, "Rate limits and versions", "Rate limits were raised. 202505 will be retired."),
    (BREAKING, "What is in v25.0", "Ad accounts get labels. Page posts: the field targeting was removed."),
    # what ends, and works for now
    (DEPRECATION, "Deprecating the ugcPosts interface", "Plan your move to posts."),
    (DEPRECATION, "Field marked as deprecated", "GET /pins/{id}: pin_metrics is deprecated."),
    (DEPRECATION, "Legacy tokens", "We recommend that you migrate to short-lived tokens."),
    (DEPRECATION, "Old timeline", "The home timeline of the first generation is being phased out."),
    (DEPRECATION, "Notes on the statuses endpoint", "Use of the visibility alias is discouraged."),
    (DEPRECATION, "Uploads", "The single-part upload is superseded by the resumable one."),
    (DEPRECATION, "In maintenance mode", "The hub of the first generation gets no features."),
    # how much and how often
    (LIMIT, "Rate limits for reading profiles were lowered", "From 900 to 300 in 15 minutes."),
    (LIMIT, "Quota", "A search costs 200 quota units from Monday; the daily quota stays."),
    (LIMIT, "Longer captions", "The character limit of captions is now 2,200."),
    (LIMIT, "Posting", "Accounts are limited to 25 posts in 24 hours."),
    (LIMIT, "Uploads", "The maximum file size of a video is 4 GB."),
    (LIMIT, "Stricter rate limits on sign-in", "30 sign-ins in 5 minutes."),
    (LIMIT, "Increasing rate limits", "We're raising the rate limit of createRecord to 5000 points an hour."),
    (LIMIT, "Carousels", "The maximum number of pictures in a carousel is 20."),
    (LIMIT, "Free tier", "The free tier gets a usage cap of 500 writes in a month."),
    (LIMIT, "Searching for places", "The limit of a search is 500 calls in 24 hours. It was 1,000 before."),
    (LIMIT, "Comments", "An app may write 60 comments an hour, down from 200."),
    (LIMIT, "Groups", "Limits per app: 50 an hour (previously 80)."),
    (LIMIT, "Titles", "The limit for a title is 120 characters."),
    (LIMIT, "Bulk reading", "At most 25 ids at a time, instead of 100."),
    (LIMIT, "Drafts", "No more than 10 drafts in an account."),
    (LIMIT, "Lists", "The page size is capped at 50."),
    (LIMIT, "We now throttle bursts", "More than ten calls in a second are slowed down."),
    # terms
    (POLICY, "Updates to our Developer Agreement", "Read what changes for automated accounts."),
    (POLICY, "Platform Terms", "Data of people who deleted their account must not be kept."),
    (POLICY, "App review", "Apps that publish for others are reviewed every year."),
    (POLICY, "Labels", "Our policies now ask you to disclose content made by AI."),
    (POLICY, "Data Use Checkup is due", "Confirm by 31 January how your app uses data."),
    (POLICY, "Automation", "Bulk following by apps is prohibited."),
    (POLICY, "Replies by programs", "They are only permitted when the author was mentioned first."),
    (POLICY, "Data of members", "Our terms now say that profiles may be stored for a day."),
    (POLICY, "Automated likes", "Programs may only like what a person has chosen."),
    (POLICY, "Scraping", "It is not allowed to collect posts for training."),
    (POLICY, "Bots", "Accounts run by programs must be labelled as such under the new rules."),
    (POLICY, "Storage", "Deleted posts may not be kept for longer than 24 hours."),
    (POLICY, "Contests", "Giveaways are allowed only if the terms are linked."),
    (POLICY, "Consent", "The agreement asks for the consent of minors' parents."),
    (POLICY, "Community Guidelines", "We rewrote the part about impersonation."),
    # numbers
    (METRIC, "Views become the main metric", "Impressions and plays are shown as views from now on."),
    (METRIC, "How reach is counted", "People who saw a story twice are counted as one."),
    (METRIC, "Insights", "Follower counts are rounded to three digits."),
    (METRIC, "Video views", "A view is counted after three seconds of playing."),
    (METRIC, "Engagement rate", "Saves count towards it."),
    # something new
    (NEW, "Introducing polls", "Posts can carry a poll with up to four answers."),
    (NEW, "Scheduled posts are now available", "Use scheduled_at."),
    (NEW, "v26.0 released", "See what it brings."),
    (NEW, "New endpoint: GET /2/communities/search", ""),
    (NEW, "Added alt text for videos", ""),
    (NEW, "Quote posts", "The API now supports quote posts."),
    (NEW, "Beta", "Long posts enter public beta."),
    (NEW, "Verified links", "Added a field for them; no action is required for apps."),
    (NEW, "No breaking changes in 4.5", "This release adds collections of accounts."),
    (NEW, "Video", "Existing uploads will not be removed. Added support for captions."),
    # something is down
    (OUTAGE, "Elevated error rates on publishing", "We are investigating."),
    (OUTAGE, "Webhooks", "Delays in delivering webhooks are being looked at: delayed event delivery."),
    (OUTAGE, "Partial outage of the API", ""),
    (OUTAGE, "Sign-in", "Some apps are experiencing intermittent issues."),
    (OUTAGE, "Media", "Uploads are temporarily unavailable."),
]  # fmt: skip
NOISE: list[tuple[str, str]] = [
    ("Marketing API: new objectives", "Ad sets can be optimised for app installs."),
    ("Conversions API requires an event id", "Events without it will be rejected."),
    ("Custom audiences", "The retention of matched audiences was removed."),
    ("Lead Sync", "Lead forms get a new question."),
    ("Dynamic ads for retail", "Catalog ads now show a price."),
    ("Ads insights breakdowns deprecated", "Use the new breakdowns for ad accounts."),
    ("Campaign budget", "Advertisers can set a bid strategy per ad set."),
    ("Join our developer conference", "Seats are limited."),
    ("Fixed a typo in the guide", ""),
    ("Meet the team in Lisbon", "We are at a conference in November."),
    ("Hackathon winners", "See what was built."),
    ("iOS SDK 17 released", "Swift 6 support."),
    ("Instant Games: leaderboards removed", ""),
    ("Custom feeds that we like", "Five feeds by people from all over the world."),
    ("Our favorite apps of the month", "All of them were made by you."),
    ("We are hiring", "Join our team: engineers wanted. Deadlines are strict."),
    ("Join us in Berlin", "An evening with the people behind the protocol."),
    ("Open positions in trust and safety", ""),
    ("Community spotlight: a reader for the blind", "How it was built, in its maker's words."),
    ("A look back at our year", "Thank you for everything that you built."),
    ("Interview with a maker of feeds", "What was removed, and why."),
    ("Happy holidays", "We are back in January."),
    ("Careers at the platform", ""),
    ("Podcast: how we built search", ""),
    ("Watch the recording of our livestream", ""),
    ("Upcoming events for developers", "See you in Kraków."),
    ("Behind the scenes of moderation", ""),
    ("Welcome our new head of safety", ""),
]
OURS_ALL_THE_SAME: list[tuple[str, str]] = [
    ("Community Management and advertising", "Comments of organizations require a new permission."),
    ("Ad accounts and page posts", "Promoted page posts lose their link preview."),
    ("All API versions before 202509", "They are sunset, for advertising too."),
    ("Meet the team, and what is deprecated", "The first endpoint will be removed."),
    ("Events of webhooks", "The event like.create was added."),
    ("A look back at v1", "It is deprecated, and sunset in June."),
    ("Jobs of uploads", "An upload is a job; its state can be asked for."),
    ("The team endpoint", "GET /team answers with roles."),
    ("Upcoming events of accounts", "The webhook sends them before they happen."),
]


def verdict(title: str, text: str = "", **more: object) -> Kind:
    return judged(Finding("k", title, text, **more), "x", ()).kind  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "title", "text"), SENTENCES)
def test_a_sentence_of_a_changelog_is_of_its_kind(kind: Kind, title: str, text: str) -> None:
    found = judged(Finding("k", title, text), "x", ())
    assert (found.kind, found.is_ours) == (kind, True), found


@pytest.mark.parametrize(("title", "text"), NOISE)
def test_what_we_do_not_use_is_not_ours(title: str, text: str) -> None:
    assert not judged(Finding("k", title, text), "x", ()).is_ours


@pytest.mark.parametrize(("title", "text"), OURS_ALL_THE_SAME)
def test_what_is_about_more_than_advertising_stays_ours(title: str, text: str) -> None:
    assert judged(Finding("k", title, text), "x", ()).is_ours


def test_enough_sentences_are_tried_of_every_kind() -> None:
    assert len(SENTENCES) >= 60
    assert {kind for kind, _, _ in SENTENCES} == set(Kind)
    assert len({(title, text) for _, title, text in SENTENCES}) == len(SENTENCES)


def test_what_no_rule_knows_is_what_its_source_says_or_new() -> None:
    assert judged(Finding("k", "Ciekawostka"), "x", ()).by == "source"
    assert verdict("Ciekawostka") == NEW
    assert verdict("Ciekawostka", hint=LIMIT) == LIMIT


def test_a_source_is_only_made_more_urgent() -> None:
    assert verdict("Added a required field", hint=BREAKING) == BREAKING
    assert verdict("x was removed", hint=NEW) == BREAKING
    assert verdict("The field was removed", "We are investigating.", hint=OUTAGE) == OUTAGE


def test_a_rule_of_the_companys_own_goes_before_all_others() -> None:
    own = Rule("r1", kind=LIMIT, words=("sunset",))
    finding = Finding("k", "Version 202505 sunset", hint=BREAKING)
    assert (judged(finding, "x", [own]).kind, judged(finding, "x", [own]).by) == (LIMIT, "rule:r1")
    first = Rule("r2", kind=POLICY, is_ours=False, words=("version ... sunset",))
    assert judged(finding, "x", [first, own]).kind == POLICY
    assert not judged(finding, "x", [first, own]).is_ours


def test_a_rule_for_one_platform_or_call_decides_about_nothing_else() -> None:
    rule = Rule("r", is_ours=False, operation="POST /2/webhooks/replay", platform="x")
    about = Finding("k", "Replay", operations=("POST /webhooks/replay",))
    assert not judged(about, "x", [rule]).is_ours
    assert judged(about, "threads", [rule]).is_ours
    assert judged(Finding("k", "Replay", operations=("GET /2/webhooks/replay",)), "x", [rule]).is_ours
    assert judged(Finding("k", "Replay"), "x", [rule]).is_ours


def test_a_rule_that_says_ours_overrules_what_is_built_in() -> None:
    finding = Finding("k", "Marketing API: new objectives")
    assert not judged(finding, "x", ()).is_ours
    assert judged(finding, "x", [Rule("r", is_ours=True, words=("objectives",))]).is_ours


def test_phrases_match_words_and_not_parts_of_them() -> None:
    about = Finding("k", "Newsletter", "Der Preis: cut-off. Dates, dating; “quoted” words.")
    assert not fits(Rule("r", words=("new",)), about, "x")
    assert fits(Rule("r", words=("dat*",)), about, "x")
    assert fits(Rule("r", words=("Quoted", "nothing")), about, "x")
    assert not fits(Rule("r", words=("cut-off ... quoted",)), about, "x"), "a gap ends with its sentence"
    assert fits(Rule("r", words=("dates ... words",)), about, "x")
    limits = Finding("k", "Limits", "It is 1,000 now; v2 stays.")
    assert fits(Rule("r", words=("is #",)), limits, "x")
    assert not fits(Rule("r", words=("now # stays",)), limits, "x"), "a version is no number"


@pytest.mark.parametrize("phrase", ["", "...", "... end", "begin ...", "*", "a", "w " * 13])
def test_a_phrase_that_decides_about_everything_or_nothing_is_refused(phrase: str) -> None:
    assert phrase_problems("words", [phrase])
    assert not phrase_problems("words", ["lead form*", "no longer ... supported", "zgłoszenia"])


def test_the_data_is_in_order_and_says_why() -> None:
    rows = json.loads(Path("chalicelib/platform_changes/data/rules.json").read_text())
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert ("kind" in row) != ("is_ours" in row)
        assert row["why"].endswith(".")
        phrases = [*row["words"], *row.get("unless", ())]
        assert not phrase_problems("words", phrases), row["id"]
        assert len(set(phrases)) == len(phrases), row["id"]
        assert all(re.fullmatch(r"[a-z0-9'.*# -]+", phrase) for phrase in phrases), row["id"]
    assert [rule.rule_id for rule in built_in()] == [row["id"] for row in rows]


@given(st.text(max_size=400), st.text(max_size=4000), st.lists(st.text(max_size=60), max_size=3))
def test_no_text_and_no_phrase_makes_the_rules_fail(title: str, text: str, phrases: list[str]) -> None:
    own = [Rule("r", kind=LIMIT, words=tuple(p for p in phrases if not phrase_problems("w", [p])))]
    found = judged(Finding("k", title, text), "x", own)
    assert found.kind in set(Kind)


@pytest.mark.parametrize(
    "text", ["no longer " * 5000, "rate limit a b c " * 4000, "x" * 100_000, ". " * 50_000]
)
def test_a_long_text_is_judged_at_once(text: str) -> None:
    judged(Finding("k", text[:5000], text), "x", [Rule("r", kind=LIMIT, words=("no ... no ... no ... end",))])
