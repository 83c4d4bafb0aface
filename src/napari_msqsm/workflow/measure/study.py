"""All patients of a study: measured one after the other, and the table of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import CancelledError, InputError
from napari_msqsm.workflow.coregistration.pairs import baseline_of, patient_of
from napari_msqsm.workflow.derivatives import write_dataset_description
from napari_msqsm.workflow.drawing.places import Places
from napari_msqsm.workflow.drawing.reading import read_drawing
from napari_msqsm.workflow.measure.lesion_table import check_formats, write_lesion_table
from napari_msqsm.workflow.measure.native import write_native
from napari_msqsm.workflow.measure.patient import measure_patient
from napari_msqsm.workflow.reference.references import References
from napari_msqsm.workflow.tasks import error_sentence
from napari_msqsm.workflow.workbench.maps import PatientMaps

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_msqsm.model.study import Patient, Study
    from napari_msqsm.workflow.measure.patient_table import PatientTable
    from napari_msqsm.workflow.reference.settings import ReferenceSettings
    from napari_msqsm.workflow.tasks import OnProgress

_NOTHING = "no lesion is drawn"


@dataclass(frozen=True, eq=False)
class StudyMeasurement:
    """What was measured in a study.

    Parameters
    ----------
    tables
        Patients with lesions.
    refused
        Why others could not be measured, by patient.
    without
        Patients of whom no lesion is drawn.
    files
        The table, its data dictionary, and the regions of every session.
    """

    tables: tuple[PatientTable, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "patients": [table.as_json() for table in self.tables],
            "refused": dict(self.refused),
            "without_lesions": list(self.without),
            "files": {name: str(path) for name, path in self.files.items()},
        }


def measure_study(
    study: Study,
    patients: Sequence[str] | None = None,
    *,
    out_dir: Path | None = None,
    formats: Sequence[str] = (),
    look_for_shifts: bool = True,
    reference: ReferenceSettings | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> StudyMeasurement:
    """Measure the saved drawings of patients and write the lesion table; a patient that fails does not stop others.

    Parameters
    ----------
    study
        The study.
    patients
        With or without ``sub-``; all when not given. Rows of others stay in the table as they are.
    out_dir
        Root of the derivatives that is read and written; ``derivatives/msqsm`` of the study when not given.
    formats
        Of the table, beside TSV: ``csv``, ``xlsx``, ``parquet``.
    reference
        How the white matter is found that χ is relative to.
    look_for_shifts, on_progress, cancel
        See `napari_msqsm.workflow.measure.patient.measure_patient`. The table is written at the end or not at all; the
        regions of a patient as soon as it is measured.

    Raises
    ------
    InputError
        When there is no such patient, or no lesion is drawn in any of them; nothing is written.
    ParameterError
        When a format is not there or needs what is not installed; nothing is written.
    CancelledError
        When it was cancelled.
    """
    check_formats(formats)
    root = out_dir or study.derivatives_root
    wanted = [patient_of(study, name) for name in dict.fromkeys(patients or ())] or list(study.patients)
    tables: list[PatientTable] = []
    refused: dict[str, str] = {}
    without: list[str] = []
    files: dict[str, Path] = {}
    for index, patient in enumerate(wanted):
        report = _share(patient.patient_id, index, len(wanted), on_progress)
        try:
            found = _measured(study, patient, out_dir, look_for_shifts, reference, report, cancel)
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  whatever went wrong here, the other patients are still to be measured
            refused[patient.patient_id] = error_sentence(error)
            continue
        if found is None:
            without.append(patient.patient_id)
        else:
            tables.append(found[0])
            files |= found[1]
    if not tables:
        if len(refused) == 1 and not without:
            raise InputError(next(iter(refused.values())))
        more = "".join(f"; sub-{name}: {sentence}" for name, sentence in refused.items())
        raise InputError(
            f"{_NOTHING} in {study.root}{more}; draw lesions and save them, or take masks over (msqsm add)"
        )
    measured = {patient.patient_id for patient in wanted}
    keep = {patient.patient_id for patient in study.patients} - measured
    write_dataset_description(root, study.root)
    files = write_lesion_table(root, tables, keep=keep, formats=formats) | files
    return StudyMeasurement(tuple(tables), refused, tuple(without), files)


def _measured(
    study: Study,
    patient: Patient,
    out_dir: Path | None,
    look_for_shifts: bool,
    reference: ReferenceSettings | None,
    report: OnProgress | None,
    cancel: threading.Event | None,
) -> tuple[PatientTable, dict[str, Path]] | None:
    """Measure one patient and write its regions; None where no lesion is drawn."""
    places = Places(out_dir or study.derivatives_root, patient.patient_id)
    if baseline_of(patient) is None and not places.lesions.is_file():
        return None
    maps = PatientMaps(study, patient, out_dir=out_dir)
    drawing = read_drawing(study, patient, out_dir, maps=maps)
    if not drawing.lesions:
        return None
    table = measure_patient(
        drawing,
        maps,
        references=References(drawing, maps, settings=reference),
        look_for_shifts=look_for_shifts,
        on_progress=report,
        cancel=cancel,
    )
    names = {lesion.label: lesion.lesion_id for lesion in drawing.lesions}
    return table, write_native(maps, table, names)


def _share(patient_id: str, index: int, count: int, on_progress: OnProgress | None) -> OnProgress | None:
    if on_progress is None:
        return None

    def report(message: str, fraction: float) -> None:
        on_progress(f"sub-{patient_id}: {message}", (index + fraction) / count)

    return report
