"""The open work: a study or a few files, the selected session, and the state of each session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_msqsm.errors import InputError
from napari_msqsm.model.study import EchoFile, Patient, Session, Study
from napari_msqsm.workspace.status import SessionStatus, status_of

if TYPE_CHECKING:
    from napari_msqsm.model.gre_files import GreFiles
    from napari_msqsm.model.study import Part

OpenStudy = Callable[[Path], Study]
FILES_ID = "files"
"""Patient label of images that were opened as files."""
_MAPS = (
    "Chimap",
    "R2starmap",
    "mask",
    "brain_mask",
    "csf_mask",
    "totalfield",
    "localfield",
    "T2starmap",
    "swi",
    "confidence",
)


@dataclass(frozen=True)
class Reading:
    """A study as it was read, not yet open.

    Parameters
    ----------
    study
        The study.
    status
        State of each session.
    files
        The files, where it is not a BIDS folder.
    out_dir
        Folder that results of these files go to.
    """

    study: Study
    status: Mapping[str, SessionStatus]
    files: GreFiles | None = None
    out_dir: Path | None = None


class Workspace:
    """What the user has open.

    Parameters
    ----------
    open_study
        Reads a BIDS folder.
    pipeline_version
        Version of the reconstruction now; results of another version are outdated.

    Notes
    -----
    Events: ``opened(Study | None)`` after the study was read, re-read or closed; ``selection_changed(label | None)``.
    """

    opened = Signal(object)
    selection_changed = Signal(object)

    def __init__(self, open_study: OpenStudy, pipeline_version: str) -> None:
        self._open_study = open_study
        self._pipeline_version = pipeline_version
        self._study: Study | None = None
        self._files: GreFiles | None = None
        self._out_dir: Path | None = None
        self._selected: str | None = None
        self._status: dict[str, SessionStatus] = {}

    @property
    def study(self) -> Study | None:
        """The open study; files that were opened are a study of one session."""
        return self._study

    @property
    def files(self) -> GreFiles | None:
        """The files that were opened, where it is not a BIDS folder."""
        return self._files

    @property
    def out_dir(self) -> Path | None:
        """Folder that results of opened files go to."""
        return self._out_dir

    @property
    def sessions(self) -> tuple[Session, ...]:
        """All sessions."""
        return () if self._study is None else self._study.sessions

    @property
    def selected(self) -> Session | None:
        """The selected session."""
        return None if self._selected is None or self._study is None else self._study.session(self._selected)

    def open(self, path: Path) -> Study:
        """Open a BIDS folder and select its first session.

        Raises
        ------
        InputError
            When it is not a BIDS folder; what was open before stays open.
        """
        return self.take(Reading(self._open_study(Path(path)), {}))

    def open_files(self, files: GreFiles, out_dir: Path) -> Study:
        """Open gradient-echo files outside a BIDS folder; results go to ``out_dir``.

        Raises
        ------
        InputError
            When a file does not exist; what was open before stays open.
        """
        return self.take(_reading_of(files, Path(out_dir)))

    def read(self, path: Path) -> Reading:
        """Read a BIDS folder and the state of every session, without opening it: for a thread beside the window.

        Raises
        ------
        InputError
            When it is not a BIDS folder.
        """
        return self._with_status(Reading(self._open_study(Path(path)), {}))

    def read_files(self, files: GreFiles, out_dir: Path) -> Reading:
        """Read the state of gradient-echo files without opening them: for a thread beside the window.

        Raises
        ------
        InputError
            When a file does not exist.
        """
        return self._with_status(_reading_of(files, Path(out_dir)))

    def read_again(self) -> Reading | None:
        """Read again what is open, without opening it: for a thread beside the window; None when nothing is open."""
        study, files, out_dir = self._study, self._files, self._out_dir
        if study is None:
            return None
        return self.read(study.root) if files is None or out_dir is None else self.read_files(files, out_dir)

    def take(self, reading: Reading) -> Study:
        """Open what was read."""
        self._files, self._out_dir = reading.files, reading.out_dir
        self._set(reading.study, reading.status)
        return reading.study

    def close(self) -> None:
        """Close what is open."""
        self._files = self._out_dir = None
        self._set(None)

    def refresh(self) -> None:
        """Read the folder again: new files, new results."""
        if self._study is None:
            return
        if self._files is not None and self._out_dir is not None:
            self.open_files(self._files, self._out_dir)
        else:
            self.open(self._study.root)

    def select(self, label: str | None) -> None:
        """Select a session by its BIDS name.

        Raises
        ------
        KeyError
            When there is no such session.
        """
        if label is not None and label not in {session.label for session in self.sessions}:
            raise KeyError(label)
        if label != self._selected:
            self._selected = label
            self.selection_changed.emit(label)

    def status(self, label: str) -> SessionStatus:
        """State of a session; looked up on disk once until `refresh`."""
        if label not in self._status:
            if self._study is None:
                raise KeyError(label)
            self._status[label] = self._look_at(self._study, label, self._out_dir)
        return self._status[label]

    @property
    def next_step(self) -> str:
        """One sentence: what to do next with the selected session."""
        if self._study is None:
            return "Open a BIDS folder, import DICOM, or open gradient-echo files."
        return "Select a session." if self._selected is None else self.status(self._selected).next_step

    def _look_at(self, study: Study, label: str, out_dir: Path | None) -> SessionStatus:
        roots = {"raw": study.root, "": out_dir or study.derivatives_root}
        return status_of(study.session(label), roots, self._pipeline_version)

    def _with_status(self, reading: Reading) -> Reading:
        study = reading.study
        status = {each.label: self._look_at(study, each.label, reading.out_dir) for each in study.sessions}
        return replace(reading, status=status)

    def _set(self, study: Study | None, status: Mapping[str, SessionStatus] | None = None) -> None:
        self._study = study
        self._status = dict(status or {})
        labels = [session.label for session in self.sessions]
        before = self._selected
        if self._selected not in labels:
            self._selected = labels[0] if labels else None
        self.opened.emit(study)
        if self._selected != before:
            self.selection_changed.emit(self._selected)


def _reading_of(files: GreFiles, out_dir: Path) -> Reading:
    absent = [path for path in files.paths if not path.is_file()]
    if absent or not files.paths:
        raise InputError(f"there is no file {absent[0]}" if absent else "no image was given")
    return Reading(_study_of(files, out_dir), {}, files, out_dir)


def _study_of(files: GreFiles, out_dir: Path) -> Study:
    parts: tuple[tuple[Part, tuple[Path, ...]], ...] = (
        ("mag", files.magnitude),
        ("phase", files.phase),
        ("real", files.real),
        ("imag", files.imaginary),
    )
    echoes = tuple(
        EchoFile(path, part, index + 1 if len(paths) > 1 else None)
        for part, paths in parts
        for index, path in enumerate(paths)
    )
    derivatives = {name: path for name in _MAPS if (path := out_dir / f"{name}.nii.gz").is_file()}
    session = Session(FILES_ID, "", None, echoes, derivatives=derivatives)
    return Study(out_dir, (Patient(FILES_ID, (session,)),))
