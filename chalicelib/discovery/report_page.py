"""The public page on which anybody may report a profile that pretends to be us.

No sign-in, so it is kept from being flooded: a few reports a day from one address of the internet, some
hundreds in all, and a field that only robots fill. Addresses are kept as hashes with a salt of the day, which
is swept with them: afterwards nobody can tell who reported.
"""

import hashlib
import os
from datetime import timedelta
from pathlib import Path

from chalicelib.core.database import ConditionFailed
from chalicelib.core.errors import Busy, SignalboxError
from chalicelib.core.expressions import where
from chalicelib.core.history import SYSTEM, By, Way
from chalicelib.core.kernel import Kernel
from chalicelib.core.link_page import Page, form_fields, notice, page
from chalicelib.core.pages import HtmlWords, Templates
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words, best_language
from chalicelib.discovery.model import Source
from chalicelib.discovery.store import TABLE
from chalicelib.discovery.tellings import tell_in
from chalicelib.platforms.links import recognise

TEMPLATES = Templates(Path(__file__).parent / "templates")
A_DAY_FROM_ONE = 10
A_DAY_IN_ALL = 500
MOST_WORDS = 1_000
_LONGEST_ADDRESS = 2_000
_COUNTED_FOR = timedelta(days=2)


class TooMany(SignalboxError):
    """So many reports came today that no more are taken."""

    status = 429
    code = "too_many"


class ReportPage:
    def __init__(self, kernel: Kernel, settings: Settings) -> None:
        self._kernel = kernel
        self._company = settings.company

    def show(self, accept_language: str) -> Page:
        """The empty form. Changes nothing."""
        return self._form(accept_language)

    def take(self, raw: bytes, internet_address: str, accept_language: str) -> Page:
        """Keep a report, if it is one."""
        given = form_fields(raw)
        words = Words(best_language(accept_language))
        w = HtmlWords(words)
        if given.get("website"):  # the field that nobody sees
            return self._thanks(w, words)
        url, said = given.get("address", "").strip(), given.get("words", "").strip()
        if len(url) > _LONGEST_ADDRESS or recognise(url) is None:
            return self._form(accept_language, url[:_LONGEST_ADDRESS], said[:MOST_WORDS], "address", 400)
        if len(said) > MOST_WORDS:
            return self._form(accept_language, url, said[:MOST_WORDS], "words", 400)
        try:
            self._count(internet_address)
            change = self._kernel.change(By(SYSTEM, Way.LINK))
            tell_in(change, Source.REPORT, [url], said)
            self._kernel.commit(change)
        except TooMany:
            return self._form(accept_language, url, said, "many", 429)
        except Busy:
            return self._form(accept_language, url, said, "busy", 503)
        return self._thanks(w, words)

    def _count(self, internet_address: str) -> None:
        """Count a report by its sender and in all. Raises TooMany when either has had enough for today."""
        day = self._kernel.clock.now().date().isoformat()
        sender = hashlib.sha256(self._salt(day).encode() + internet_address.encode()).hexdigest()[:32]
        for whose, most in ((sender, A_DAY_FROM_ONE), ("all", A_DAY_IN_ALL)):
            try:
                self._kernel.database.update(
                    TABLE,
                    {"pk": f"limit#{day}", "sk": whose},
                    where("ADD reports :one SET swept_at = :s", one=1, s=self._swept_at()),
                    where("attribute_not_exists(reports) OR reports < :most", most=most),
                )
            except ConditionFailed:
                raise TooMany("too many reports came today") from None

    def _salt(self, day: str) -> str:
        key = {"pk": f"limit#{day}", "sk": "salt"}
        row = {**key, "salt": os.urandom(16).hex(), "swept_at": self._swept_at()}
        try:
            self._kernel.database.put(TABLE, row, where("attribute_not_exists(pk)"))
        except ConditionFailed as error:
            return str((error.old or {})["salt"])
        return str(row["salt"])

    def _swept_at(self) -> int:
        return int((self._kernel.clock.now() + _COUNTED_FOR).timestamp())

    def _form(
        self, accept_language: str, url: str = "", said: str = "", problem: str = "", status: int = 200
    ) -> Page:
        words = Words(best_language(accept_language))
        return page(
            TEMPLATES, "report.html", words, self._company,
            status=status, address=url, said=said, problem=problem, most=MOST_WORDS,
        )  # fmt: skip

    def _thanks(self, w: HtmlWords, words: Words) -> Page:
        lines = (
            w.say(
                "We look at every report. Please do not answer that profile, and send it no money or codes."
            ),
        )
        return notice(words, self._company, w.say("Thank you. Your report has arrived."), lines, "good")
