"""Holds the policies in .chalice/policies against what AWS knows: actions that exist and resources that fit.

parliament is slow to import, so it is called once for all files; what it says about our style is left out.
"""

import sys
from pathlib import Path

import parliament

from infra.package import ROOT

# Wildcards are ours on purpose: a policy file serves every stage, infra/package.py narrows it to one.
STYLE = {"RESOURCE_STAR", "SINGLE_VALUE_CONDITION_TOO_PERMISSIVE"}


def problems(path: Path) -> list[str]:
    """What is wrong with one policy file, one line each."""
    policy = parliament.analyze_policy_string(path.read_text(), filepath=str(path))
    return [
        f"{path.relative_to(ROOT)}: {finding.issue} {finding.detail} {finding.location}"
        for finding in policy.findings
        if finding.issue not in STYLE
    ]


def main() -> int:
    files = sorted((ROOT / ".chalice" / "policies").glob("*.json"))
    found = [problem for file in files for problem in problems(file)]
    print("\n".join(found) or f"{len(files)} policies: no problem")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
