"""A mail of a few lines in the reader's language."""

from datetime import UTC, datetime

from chalicelib.core.letters import counted, letter
from chalicelib.core.words import Words, mark

WHO = (mark("Asked by: %(who)s"), {"who": "<b>Zoë</b>\nBcc: x"})


def test_a_letter_says_the_same_in_both_parts_and_escapes_only_html() -> None:
    mail = letter(
        Words("en"), "Acme", "zoe@example.org", WHO, [WHO],
        facts=[(mark("Reason"), "because"), (mark("Comment"), "")],
        quote="> quoted <i>", button=(mark("Approve"), "https://box.example/a/x?a=1&b=2"), after=[WHO],
    )  # fmt: skip
    assert mail.subject == "Asked by: <b>Zoë</b> Bcc: x"
    assert "Asked by: <b>Zoë</b> Bcc: x" in mail.text
    assert "Approve:\nhttps://box.example/a/x?a=1&b=2" in mail.text
    assert "&lt;b&gt;Zoë&lt;/b&gt;" in mail.html
    assert "<b>Zoë" not in mail.html
    assert 'href="https://box.example/a/x?a=1&amp;b=2"' in mail.html
    assert "Reason: because" in mail.text
    assert "Comment" not in mail.text


def test_a_counted_line_takes_the_form_of_its_number() -> None:
    said = [counted("%(n)s minute", "%(n)s minutes", n) for n in (1, 2, 5)]
    mail = letter(Words("pl"), "Acme", "zoe@example.org", said[0], said)
    assert "1 minuta" in mail.text
    assert "2 minuty" in mail.text
    assert "<bdi>5</bdi> minut<" in mail.html


def test_persian_letters_are_set_from_right_to_left() -> None:
    mail = letter(Words("fa"), "Acme", "zoe@example.org", WHO, [WHO])
    assert '<html lang="fa" dir="rtl">' in mail.html


def test_what_words_isolate_stays_and_what_strangers_smuggle_shows() -> None:
    moment = Words("fa").moment(datetime(2026, 1, 1, tzinfo=UTC), "Europe/Warsaw")
    smuggled = [(WHO[0], {"who": "a\u2069b"})]
    mail = letter(Words("fa"), "Acme", "zoe@example.org", (WHO[0], {"who": moment}), smuggled)
    assert moment in mail.subject
    assert "⟨U+2069⟩" in mail.text
