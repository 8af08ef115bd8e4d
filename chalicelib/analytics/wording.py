"""An assessment in its reader's language."""

from chalicelib.accounts.directory import network_name
from chalicelib.analytics.audience import Assessment
from chalicelib.core.words import Words, one_line

_DECIMAL = {"pl": ",", "fa": "٫"}


def sentence_of(one: Assessment, words: Words) -> str:
    """What to do about the account, and what was measured."""
    return " ".join(
        words.say(sentence.message, **{name: _shown(name, v, words) for name, v in sentence.values.items()})
        for sentence in one.sentences
    )


def _shown(name: str, value: str | float, words: Words) -> str:
    if name == "platform":
        return network_name(str(value))
    if isinstance(value, str):
        return one_line(value)
    text = f"{value:.1f}".removesuffix(".0")
    return words.digits(text.replace(".", _DECIMAL.get(words.language, ".")))
