"""Write constraints.txt: the versions that pip resolves today for everything that users and developers install.

Nothing is installed. Run it with the oldest supported Python, so that every version exists for the newer ones too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = """\
# Versions that the tests run with. Renewed by: make constraints
"""


def resolved_versions() -> dict[str, str]:
    """Name and version of every package that an installation of this project brings, without itself."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-"]
    wanted = ["--editable", ".[all]", "--group", "dev"]
    report = subprocess.run([*pip, *wanted], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    packages = [item["metadata"] for item in json.loads(report)["install"]]
    return {package["name"]: package["version"] for package in packages if package["name"] != "napari-msqsm"}


def main() -> None:
    """Write the file."""
    versions = resolved_versions()
    lines = [f"{name}=={versions[name]}\n" for name in sorted(versions, key=str.lower)]
    (ROOT / "constraints.txt").write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main()
