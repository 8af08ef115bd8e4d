"""The company's own rules: made by hand or of a correction, listed, removed."""

from collections.abc import Sequence
from typing import Any

from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Kernel
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platform_changes import store as rows
from chalicelib.platform_changes.model import Finding, Kind, PlatformChange, Status
from chalicelib.platform_changes.rules import Rule, built_in, fits, phrase_problems

MOST_RULES = 200


class Rulebook:
    def __init__(self, kernel: Kernel, org: Org) -> None:
        self._kernel = kernel
        self._org = org
        self._store = rows.Store(kernel.database)

    def rules(self) -> list[Rule]:
        """Every rule in the order in which they decide: the company's own, the latest first, then ours."""
        return [*self._store.rules(), *built_in()]

    def add(self, actor: Actor, fields: dict[str, Any]) -> Rule:
        """A rule by hand. Raises NotAllowed, and InvalidInput with every problem."""
        actor.require_on(Right.CHANGES_WRITE)
        change = self._org.begin(actor)
        rule = self._rule(actor, fields)
        rows.put_rule(change, rule)
        change.record("platform_changes", "rule made", rule=rule.rule_id)
        self._kernel.commit(change)
        return rule

    def remove(self, actor: Actor, rule_id: str) -> None:
        """What was decided by it stays as it is. Raises NotAllowed, and NotFound for one that is built in."""
        actor.require_on(Right.CHANGES_WRITE)
        change = self._org.begin(actor)
        rows.drop_rule(change, rule_id)
        change.record("platform_changes", "rule removed", rule=rule_id)
        self._kernel.commit(change)

    def of_correction(
        self,
        actor: Actor,
        about: PlatformChange,
        corrections: dict[str, Any],
        words: Sequence[str],
        operation: str,
        why: str,
    ) -> Rule:
        """The rule that would have said so at once: of the platform, by these words or this call.

        Raises InvalidInput where nothing was corrected that a rule decides, and for words or a call that the
        change itself does not have: the rule would not have found it.
        """
        kind, status = corrections.get("kind"), corrections.get("status")
        is_ours = None if status is None else status != Status.NOT_OURS
        problems = []
        if kind is None and is_ours is None:
            message = "a rule remembers a kind, or whether it is ours: send kind or status with it"
            problems.append(Problem("remember", message))
        if not words and not operation:
            message = "say by which words, or by which operation, the next one is known"
            problems.append(Problem("words", message))
        if problems:
            raise InvalidInput(problems)
        fields = {
            "kind": kind, "is_ours": is_ours, "words": tuple(words), "operation": operation,
            "platform": about.platform, "why": why,
        }  # fmt: skip
        rule = self._rule(actor, fields)
        said = Finding("", about.title, about.text, operations=about.operations)
        if not fits(rule, said, about.platform):
            field, message = "words" if words else "operation", "this change does not have them"
            raise InvalidInput([Problem(field, f"{message}, so the rule would not find it")])
        return rule

    def _rule(self, actor: Actor, fields: dict[str, Any]) -> Rule:
        problems = phrase_problems("words", fields["words"])
        if len(self._store.rules()) >= MOST_RULES:
            problems.append(Problem("rules", f"the company has {MOST_RULES} rules; remove one first"))
        if problems:
            raise InvalidInput(problems)
        now = self._kernel.clock.now()
        kind = fields["kind"]
        return Rule(
            rule_id=new_id("rule", now),
            kind=Kind(kind) if kind else None,
            is_ours=fields["is_ours"],
            words=tuple(fields["words"]),
            operation=fields["operation"],
            platform=fields["platform"],
            why=fields["why"],
            made_by=actor.person_id,
            made_at=now,
        )
