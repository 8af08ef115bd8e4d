"""/registry: the public list of our accounts, and the answer to "is this one real?", as page and as JSON."""

import hashlib
import json
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from chalicelib.accounts.public import LONGEST_QUESTION, Listed, Public, PublicRegister, Real, Verdict
from chalicelib.core.endpoint import HEADERS
from chalicelib.core.link_page import Page, page
from chalicelib.core.pages import Templates
from chalicelib.core.settings import Settings
from chalicelib.core.words import Words, best_language

TEMPLATES = Templates(Path(__file__).parent / "templates")
_CACHED = "public, max-age=300"


class RegistryPage:
    def __init__(self, register: PublicRegister, settings: Settings) -> None:
        self._register = register
        self._company = settings.company

    def answer(self, form: str, question: str, seen: str, accept_language: str) -> Page:
        """The list or, with a question, what it says of an account, as `html` or `json`; 304 with no body for
        whoever has seen it, by the ETag in `seen`.
        """
        listed, asked = self._register.listed(), question.strip()[: LONGEST_QUESTION + 1]
        language = best_language(accept_language)
        # Whatever the answer is made of; a deployment with other words or styles changes few of the answers.
        parts = json.dumps([form, language, asked, self._company, listed.version])
        tag = f'"{hashlib.sha256(parts.encode()).hexdigest()[:32]}"'
        headers = {"Cache-Control": _CACHED, "ETag": tag, "Vary": "Accept-Language", "X-Robots-Tag": "all"}
        if tag in (part.strip().removeprefix("W/") for part in seen[:2000].split(",")):
            return Page(304, headers, "")
        if form == "json":
            body = json.dumps(self._data(listed, asked), ensure_ascii=False)
            content = {"Content-Type": "application/json; charset=utf-8"}
            return Page(200, {**HEADERS, **headers, **content}, body)
        return self._html(Words(language), listed, asked, headers)

    def _data(self, listed: Listed, asked: str) -> dict[str, Any]:
        if not asked:
            return {"company": self._company, "accounts": [asdict(p) for p in listed.accounts]}
        verdict = listed.is_real(asked)
        return {"question": asked, "real": verdict.real, "accounts": [asdict(p) for p in verdict.accounts]}

    def _html(self, words: Words, listed: Listed, asked: str, headers: dict[str, str]) -> Page:
        verdict = listed.is_real(asked) if asked else None
        matching = _others(listed.matching(asked), verdict)
        return page(
            TEMPLATES,
            "registry.html",
            words,
            self._company,
            headers=headers,
            asked=asked,
            longest=LONGEST_QUESTION,
            verdict=verdict,
            Real=Real,
            networks=[(name, list(found)) for name, found in groupby(matching, lambda p: p.network)],
            count=len(listed.accounts),
        )


def _others(found: tuple[Public, ...], verdict: Verdict | None) -> tuple[Public, ...]:
    """What is left to list beside the answer."""
    return tuple(p for p in found if verdict is None or p not in verdict.accounts)
