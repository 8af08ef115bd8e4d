"""The rules that every network has in some form, checked against one account's limits; nobody is called."""

import re
from collections.abc import Iterator

from chalicelib.platforms.port import Content, Limits, Media, MediaRule, Problem, Traits

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_INVISIBLE = "an invisible control character; type that part again."
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", re.ASCII)


def problems(content: Content, limits: Limits, traits: Traits, used: int) -> list[Problem]:
    """Every broken rule in plain words; `used` is the text's length as the network counts it."""
    return [
        *_text(content, limits, traits, used),
        *_media(content, limits, traits),
        *_options(content, traits),
    ]


def _text(content: Content, limits: Limits, traits: Traits, used: int) -> Iterator[Problem]:
    if not content.text.strip() and not content.media:
        yield Problem("text", "There is nothing to publish: write a text or add a picture.")
    if _CONTROL.search(content.text):
        yield Problem("text", f"The text has {_INVISIBLE}")
    yield from _over("text", "The text has", "characters", used, limits.characters, traits)
    if limits.text_bytes is not None:
        size = len(content.text.encode("utf-8", "surrogatepass"))
        yield from _over("text", "The text takes", "bytes", size, limits.text_bytes, traits)
    if content.language and not _LANGUAGE.fullmatch(content.language):
        yield Problem("language", "This is not a language code; write it like 'fa', 'pl' or 'en-GB'.")


def _media(content: Content, limits: Limits, traits: Traits) -> Iterator[Problem]:
    yield from _over("media", "The post has", "files", len(content.media), limits.media, traits)
    for index, media in enumerate(content.media):
        field = f"media[{index}]"
        yield from _over(
            f"{field}.alt", "The description has", "characters", len(media.alt), limits.alt_characters, traits
        )
        if _CONTROL.search(media.alt):
            yield Problem(f"{field}.alt", f"The description has {_INVISIBLE}")
        rule = rule_for(media, limits)
        if rule is None:
            yield Problem(field, f"{traits.name} does not take files of the type {media.mime}.")
            continue
        yield from _over(field, f"The {rule.kind} has", "bytes", media.size, rule.most_bytes, traits)
        if rule.most_pixels is not None:
            pixels = media.width * media.height
            yield from _over(field, f"The {rule.kind} has", "pixels", pixels, rule.most_pixels, traits)
        if rule.alone and len(content.media) > 1:
            yield Problem(field, f"On {traits.name} nothing can stand beside a file of the kind {rule.kind}.")


def _options(content: Content, traits: Traits) -> Iterator[Problem]:
    for name, value in content.options.items():
        field = f"options.{name}"
        if name not in traits.options:
            yield Problem(field, f"{traits.name} has no such option.")
            continue
        allowed = traits.options[name]
        if allowed is not None and value not in allowed:
            yield Problem(field, f"Choose one of: {', '.join(sorted(allowed))}.")
        elif _CONTROL.search(value):
            yield Problem(field, f"This has {_INVISIBLE}")


def rule_for(media: Media, limits: Limits) -> MediaRule | None:
    """The rule for a file's type, or None when the account cannot publish such a file."""
    return next((rule for rule in limits.media_rules if media.mime in rule.mimes), None)


def _over(field: str, has: str, unit: str, number: int, most: int, traits: Traits) -> Iterator[Problem]:
    if number > most:
        over = number - most
        message = f"{has} {number} {unit}; {traits.name} allows {most}, so it is {over} over."
        yield Problem(field, message, over)
