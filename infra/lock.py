"""Writes requirements.lock and requirements-dev.lock: every package at one version, dependencies included.

What ships gets the versions of the development lock, so tests run on what ships. Nothing is installed.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.package import ROOT

HEADER = "# Made from {source} by `make lock`; change that file, not this one.\n"


def resolve(source: Path, constraints: Path | None) -> str:
    """The lines `name==version` that `source` needs. Raises CalledProcessError when pip finds no answer."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--dry-run",
        ]
        command += ["--ignore-installed", "--report", str(report), "-r", str(source)]
        if constraints:
            command += ["-c", str(constraints)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        installs = json.loads(report.read_text())["install"]
    found = {_normal(item["metadata"]["name"]): item["metadata"]["version"] for item in installs}
    return HEADER.format(source=source.name) + "".join(f"{name}=={found[name]}\n" for name in sorted(found))


def _normal(name: str) -> str:
    """The one spelling of a package's name: https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    development = ROOT / "requirements-dev.lock"
    development.write_text(resolve(ROOT / "requirements-dev.txt", None))
    (ROOT / "requirements.lock").write_text(resolve(ROOT / "requirements.txt", development))


if __name__ == "__main__":
    main()
