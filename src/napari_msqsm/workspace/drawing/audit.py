"""Who did what and when: one row for every edit, undo, redo, save and recovery; rows are added and never rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.workspace.drawing.edit import Edit
    from napari_msqsm.workspace.drawing.segment import Step

COLUMNS = ("at", "by", "action", "what", "lesions", "planes", "n_voxels", "step")
_MOST_LESIONS = 20


class Audit:
    """The log of a patient.

    Parameters
    ----------
    path
        The table; made with its header when the first row is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: list[str] = []

    def note(self, at: str, by: str, action: str, what: str, edit: Edit | None = None, step: str = "") -> None:
        """Keep a row until `flush`.

        Parameters
        ----------
        at, by, action, what
            When, who, ``edit``, ``undo``, ``save`` …, and the title of the step.
        edit
            What was changed.
        step
            Where it stands in the journal.
        """
        labels = sorted(edit.labels) if edit is not None else []
        lesions = ",".join(map(str, labels[:_MOST_LESIONS])) + (
            f" and {len(labels) - _MOST_LESIONS} more" if len(labels) > _MOST_LESIONS else ""
        )
        changes = edit.voxels if edit is not None else ()
        planes = ",".join(dict.fromkeys(f"{each.plane.kind} {each.plane.session}".strip() for each in changes))
        n_voxels = str(sum(each.index.size for each in changes)) if edit is not None else ""
        cells = (at, by, action, what, lesions, planes, n_voxels, step)
        self._pending.append("\t".join(" ".join(cell.split()) or "n/a" for cell in cells))

    def step(self, step: Step, edit: Edit, name: str) -> None:
        """Keep the row of a step until `flush`."""
        self.note(step.at, step.by, "edit" if step.how == "do" else step.how, edit.title, edit, name)

    def flush(self) -> None:
        """Add the rows to the file.

        Raises
        ------
        OSError
            When they cannot be written; they stay and go next time.
        """
        if not self._pending:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as stream:
            size = stream.tell()
            head = b"" if size else ("\t".join(COLUMNS) + "\n").encode()
            cut = b"\n" if size and not self._ends_a_line(size) else b""
            data = head + cut + "".join(row + "\n" for row in self._pending).encode()
            try:
                stream.write(data)
                stream.flush()
            except OSError:
                stream.truncate(size)
                raise
        self._pending.clear()

    def steps_of(self, segment_id: str) -> int:
        """How many steps of a segment of the journal are in it: the highest number; a row that was cut off is none."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return 0
        whole = text[: text.rfind(b"\n") + 1].decode("utf-8", errors="replace")
        steps = [row.rpartition("\t")[2] for row in whole.splitlines()]
        numbers = [each.removeprefix(f"{segment_id}-") for each in steps if each.startswith(f"{segment_id}-")]
        return max((int(number) for number in numbers if number.isdigit()), default=0)

    def _ends_a_line(self, size: int) -> bool:
        with self.path.open("rb") as stream:
            stream.seek(size - 1)
            return stream.read(1) == b"\n"
