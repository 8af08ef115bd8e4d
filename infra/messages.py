"""The message catalogues: extract what is said in code and templates, check the translations, compile them.

python -m infra.messages compile    update the .po files from the sources, and write the .mo files
python -m infra.messages check      exit 1 and say why, if a catalogue is stale, incomplete or wrong
"""

import argparse
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from chalicelib.core.words import DOMAIN, LANGUAGES, LOCALE

ROOT = LOCALE.parent
KEYWORDS = {"say": None, "say_n": (1, 2), "mark": None, "counted": (1, 2)}
_METHODS = [("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2"), ("**.py", "python")]
# GNU gettext's own table of plural forms: https://www.gnu.org/software/gettext/manual/html_node/Plural-forms.html
PLURALS = {
    "en": "nplurals=2; plural=(n != 1);",
    "pl": "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);",
    "fa": "nplurals=2; plural=(n > 1);",
}


def extracted() -> Catalog:
    """Every message of the sources, with the files it is in."""
    template = Catalog(domain=DOMAIN, charset="utf-8")
    found = extract_from_dir(
        ROOT, _METHODS, {}, keywords=KEYWORDS, directory_filter=lambda d: "__pycache__" not in d
    )
    for filename, _, message, _, _ in sorted(found, key=lambda f: (f[0], f[1])):
        template.add(message, None, [(filename, 0)])
    return template


def po_file(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: str) -> Catalog:
    """The catalogue as it stands in the repository; an empty one for a language that has none."""
    path = po_file(language)
    if not path.exists():
        return Catalog(locale=language, domain=DOMAIN, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def updated(language: str, template: Catalog) -> Catalog:
    """A catalogue with exactly the template's messages; translations are kept, English speaks for itself."""
    old = read(language)
    new = Catalog(locale=language, domain=DOMAIN, charset="utf-8", fuzzy=False)
    new.mime_headers = [("Plural-Forms", PLURALS[language])]  # Babel's own table has one form for Persian
    for message in template:
        if not message.id:
            continue
        kept = old.get(message.id[0] if message.pluralizable else message.id)
        string = kept.string if kept is not None else message.string
        new.add(message.id, message.id if language == "en" else string, message.locations, message.flags)
    return new


def written(catalog: Catalog) -> bytes:
    """The .po file: no dates and no line numbers, so that it changes only when a message does."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=110, omit_header=True, sort_output=False, include_lineno=False)
    language = str(catalog.locale)
    header = (
        f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"MIME-Version: 1.0\\n"\n'
        f'"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {PLURALS[language]}\\n"\n\n'
    )
    return header.encode() + buffer.getvalue()


def compiled(po: bytes, language: str) -> bytes:
    """The .mo file of a .po file; the same source always gives the same bytes."""
    buffer = io.BytesIO()
    catalog = read_po(io.BytesIO(po), locale=language, domain=DOMAIN)
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    write_mo(buffer, catalog)
    return buffer.getvalue()


def problems() -> list[str]:
    """What is wrong with the catalogues, in sentences."""
    found = []
    template = extracted()
    for language in LANGUAGES:
        po, mo = po_file(language), po_file(language).with_suffix(".mo")
        catalog = updated(language, template)
        if not po.exists() or po.read_bytes() != written(catalog):
            found.append(
                f"{language}: {po.name} does not match the sources; run `python -m infra.messages compile`"
            )
        elif not mo.exists() or mo.read_bytes() != compiled(po.read_bytes(), language):
            found.append(
                f"{language}: {mo.name} is older than {po.name}; run `python -m infra.messages compile`"
            )
        for message in catalog:
            if message.id:
                found += [f"{language}: {message.id!r}: {problem}" for problem in _wrong(message, catalog)]
    return found


def _wrong(message: Message, catalog: Catalog) -> list[str]:
    forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    if not all(forms):
        return ["is not translated"]
    if message.pluralizable and len(forms) != catalog.num_plurals:
        return [f"has {len(forms)} forms, and this language needs {catalog.num_plurals}"]
    return [str(error) for error in message.check(catalog)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("compile", "check"))
    if parser.parse_args().action == "compile":
        template = extracted()
        for language in LANGUAGES:
            po = written(updated(language, template))
            po_file(language).parent.mkdir(parents=True, exist_ok=True)
            po_file(language).write_bytes(po)
            po_file(language).with_suffix(".mo").write_bytes(compiled(po, language))
    wrong = problems()
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
