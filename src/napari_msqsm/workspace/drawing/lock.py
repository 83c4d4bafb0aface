"""One window draws on a patient: a file says which one, and that it still does."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

SILENCE_S = 120.0
"""A lock of another computer that was not renewed for so long is left over."""
_BEAT_S = 10.0
_LIVING: WeakSet[Holder] = WeakSet()
"""Windows of this process that hold a lock or are about to."""


@dataclass(frozen=True)
class Holder:
    """Who draws on a patient.

    Parameters
    ----------
    token
        Names this lock and no other.
    initials
        Of the reader.
    host, pid, started
        Computer, process, and when the process started where the system tells (process numbers are used again).
    since
        When the patient was opened, ISO 8601.
    """

    token: str
    initials: str
    host: str
    pid: int
    started: str
    since: str

    @property
    def sentence(self) -> str:
        """Who, where and since when, for the user."""
        here = "in another window on this computer" if self.host == socket.gethostname() else f"on {self.host}"
        since = f" since {self.since[:16].replace('T', ' ')} UTC" if self.since else ""
        return f"{self.initials or 'somebody'} has this patient open {here}{since}"


UNKNOWN = Holder("", "", "another computer", 0, "", "")
"""Whoever wrote a lock that cannot be read."""


class Lock:
    """A lock that we hold; made by `take`."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self.path, self.holder = path, holder
        self._beaten = time.monotonic()

    def beat(self) -> Holder | None:
        """Say that we are still there; returns who holds it now where that is not us any more."""
        now = holder_of(self.path)
        if now is None and not self.path.exists():
            return self._place_again()
        if now is None or now.token != self.holder.token:
            return now or UNKNOWN
        if time.monotonic() - self._beaten > _BEAT_S:
            os.utime(self.path)
            self._beaten = time.monotonic()
        return None

    def _place_again(self) -> Holder | None:
        """Put the file back after somebody removed it; returns who was faster."""
        prepared = _prepared(self.path, self.holder)
        try:
            return None if _placed(prepared, self.path) else holder_of(self.path) or UNKNOWN
        finally:
            prepared.unlink(missing_ok=True)

    def release(self) -> None:
        """Leave the patient to others."""
        now = holder_of(self.path)
        if now is not None and now.token == self.holder.token:
            self.path.unlink(missing_ok=True)
        _LIVING.discard(self.holder)


def take(path: Path, initials: str) -> tuple[Lock | None, Holder | None]:
    """Take the lock of a patient.

    Parameters
    ----------
    path
        The file.
    initials
        Of the reader.

    Returns
    -------
    tuple
        The lock, and who left it where it was left over by a process that has ended; or None, and who holds it.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    own = Holder(
        uuid.uuid4().hex,
        initials,
        socket.gethostname(),
        os.getpid(),
        _start_of(os.getpid()),
        datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _LIVING.add(own)
    held, other = _acquire(path, own)
    return (Lock(path, own) if held else None), other


def _acquire(path: Path, own: Holder) -> tuple[bool, Holder | None]:
    """Put a lock in place, over one that is left over where there is such.

    Whoever takes a left lock over first holds a lock named after it, so that of several that try one does; that one
    may be left over as well.
    """
    prepared = _prepared(path, own)
    try:
        while not _placed(prepared, path):
            other, age_s = holder_of(path), _age_s(path, prepared)
            if other is None and not path.exists():
                continue  # released just now
            if not _is_left_over(other, age_s):
                return False, other or UNKNOWN
            claim = path.with_name(f"{path.name}.{other.token[:8] if other else 'unreadable'}")
            held, claimant = _acquire(claim, own)
            if not held:
                return False, claimant
            try:
                if holder_of(path) == other:
                    prepared.replace(path)
                    return True, other or UNKNOWN
            finally:
                claim.unlink(missing_ok=True)
        return True, None
    finally:
        prepared.unlink(missing_ok=True)


def _prepared(path: Path, own: Holder) -> Path:
    """Write a lock beside its place."""
    prepared = path.with_name(f".part-{uuid.uuid4().hex[:8]}-{path.name}")
    with prepared.open("x", encoding="utf-8") as stream:
        json.dump(asdict(own), stream)
        stream.flush()
        os.fsync(stream.fileno())
    return prepared


def holder_of(path: Path) -> Holder | None:
    """Who a lock file names; None where there is none or it cannot be read."""
    try:
        cells: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return Holder(**cells)
    except (OSError, ValueError, TypeError):
        return None


def _placed(prepared: Path, path: Path) -> bool:
    """Put a finished file in place if there is none: by a link, which is whole at once, else by exclusive creation."""
    try:
        os.link(prepared, path)
    except FileExistsError:
        return False
    except (OSError, AttributeError, NotImplementedError):
        try:
            with path.open("x", encoding="utf-8") as stream:
                stream.write(prepared.read_text("utf-8"))
        except FileExistsError:
            return False
    return True


def _is_left_over(holder: Holder | None, age_s: float) -> bool:
    if holder is None or holder.host != socket.gethostname():
        return age_s > SILENCE_S
    if holder.pid == os.getpid():
        return all(each.token != holder.token for each in _LIVING)
    if os.name != "posix":  # asking for a process by a signal would end it there
        return age_s > SILENCE_S
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return bool(holder.started) and _start_of(holder.pid) not in ("", holder.started)


def _age_s(path: Path, probe: Path) -> float:
    """Seconds since a file was renewed, by the clock of the disk: both times are its own; 0 where it is not there."""
    with suppress(OSError):
        os.utime(probe)
        return probe.stat().st_mtime - path.stat().st_mtime
    return 0.0


def _start_of(pid: int) -> str:
    """When a process started, in the system's own unit; empty where it does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError, UnicodeDecodeError):
        return ""
