"""The public BIDS validator, where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from napari_msqsm.io.bids_check import Finding

_PROGRAM = "bids-validator-deno"
_LONGEST_S = 300


def validate(root: Path) -> tuple[Finding, ...] | None:
    """Ask the validator for errors; what it recommends is left to itself.

    Returns
    -------
    tuple or None
        Its errors; None where it is not installed or gives no answer.
    """
    program = _program()
    if program is None:
        return None
    command = [program, str(root), "--format", "json", "--ignoreWarnings"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST_S)
        issues = json.loads(ran.stdout)["issues"]["issues"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None
    return tuple(_finding(issue) for issue in issues if issue.get("severity") == "error")


def _program() -> str | None:
    beside = Path(sys.executable).with_name(_PROGRAM)
    return str(beside) if beside.is_file() else shutil.which(_PROGRAM)


def _finding(issue: dict[str, Any]) -> Finding:
    where = str(issue.get("location", "")).lstrip("/") or "."
    code = str(issue.get("code", "error")).lower().replace("_", " ")
    detail = " ".join(str(issue.get("subCode") or issue.get("issueMessage") or "").split())
    return Finding(where, f"public validator: {code}" + (f" ({detail[:160]})" if detail else ""), True)
