"""Rows of one lesion: what was measured at every session, with everything that does not change from one to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.workflow.measure.covariates import at_onset, scanner_of, sex_of
from napari_msqsm.workflow.measure.eligible import eligibility
from napari_msqsm.workflow.measure.flags import joined
from napari_msqsm.workflow.measure.flair_volume import FlairVolume
from napari_msqsm.workflow.measure.row import LesionRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_msqsm.lesions.roi_mean import RoiMean
    from napari_msqsm.model.lesion import Lesion
    from napari_msqsm.workflow.measure.covariates import AtOnset
    from napari_msqsm.workflow.measure.measuring import Measuring
    from napari_msqsm.workflow.measure.roi import Roi
    from napari_msqsm.workflow.measure.session_images import SessionImages
    from napari_msqsm.workflow.reference.region import ReferenceRegion


@dataclass(frozen=True, eq=False)
class LesionRows:
    """Rows of one lesion, and what they were made from; see `PatientTable`."""

    rows: tuple[LesionRow, ...]
    rois: Mapping[tuple[int, str], Roi]
    covariates: AtOnset
    reference: ReferenceRegion | None
    notes: tuple[str, ...]


def measure_lesion(
    measuring: Measuring,
    lesion: Lesion,
    *,
    volumes: Mapping[tuple[int, str], FlairVolume],
    more_flags: Mapping[str, frozenset[str]] | None = None,
) -> LesionRows:
    """Measure one lesion at every session.

    Parameters
    ----------
    measuring
        What it is measured with.
    lesion
        The lesion.
    volumes
        On FLAIR, by label and session; see `napari_msqsm.workflow.measure.flair_volume.flair_volumes`.
    more_flags
        Flags by session that do not come from the region.
    """
    onset = measuring.images(lesion.onset_session)
    covariates = at_onset(measuring.maps.patient, None if onset is None else onset.session)
    lesion_rois = measuring.lesion(lesion.label)
    notes = []
    if lesion.onset_session and onset is None:
        notes.append(f"{lesion.lesion_id}: its onset session {lesion.onset_session} is not there, or repeats another")
    elif not lesion.onset_session:
        notes.append(f"{lesion.lesion_id}: nobody said at which session it first enhances; it has no age")
    rois = {images.session.label: lesion_rois.at(images) for images in measuring.sessions}
    ages = {label: measuring.age_y(label, lesion.onset_session) for label in rois}
    said = _eligible(lesion, rois, ages)
    own = {label: volumes.get((lesion.label, label), FlairVolume(None)) for label in rois}
    notes += [
        f"{lesion.lesion_id} at {label}: volume not corrected for partial volume, {volume.note}"
        for label, volume in own.items()
        if volume.note
    ]
    rows = tuple(
        _row(
            lesion,
            images,
            rois[images.session.label],
            lesion_rois.still_lesion(images),
            own[images.session.label],
            covariates,
            at_onset_mm3=_count(own.get(lesion.onset_session, FlairVolume(None))),
            age_y=ages[images.session.label],
            sex=sex_of(measuring.maps.patient),
            eligible=said,
            more_flags=(more_flags or {}).get(images.session.label, frozenset()),
        )
        for images in measuring.sessions
    )
    found = {(lesion.label, label): roi for label, roi in rois.items()}
    return LesionRows(rows, found, covariates, lesion_rois.reference, tuple(notes))


def _eligible(lesion: Lesion, rois: Mapping[str, Roi], ages: Mapping[str, float | None]) -> str:
    labels = list(rois)
    start = labels.index(lesion.onset_session) if lesion.onset_session in labels else len(labels)
    measured = [label for label in labels[start:] if rois[label].chi_ppb is not None]
    return eligibility(lesion, [ages[label] for label in measured], onset_measured=lesion.onset_session in measured)


def _row(
    lesion: Lesion,
    images: SessionImages,
    roi: Roi,
    still: RoiMean | None,
    volume: FlairVolume,
    covariates: AtOnset,
    *,
    at_onset_mm3: float | None,
    age_y: float | None,
    sex: str | None,
    eligible: str,
    more_flags: frozenset[str],
) -> LesionRow:
    session = images.session
    count_mm3 = _count(volume)
    native = None if roi.measured is None else roi.measured.native
    registered = None if roi.measured is None or roi.measured.registered is None else roi.measured.registered
    flags = roi.flags | more_flags | ({"excluded_by_reader"} if lesion.excluded else set())
    return LesionRow(
        patient_id=session.patient_id,
        lesion_id=lesion.lesion_id,
        session_id=f"ses-{session.session_id}" if session.session_id else None,
        session_date=None if session.date is None else session.date.date().isoformat(),
        lesion_age_y=age_y,
        chi_lesion_raw_ppb=roi.raw_ppb,
        chi_nawm_ppb=roi.nawm_ppb,
        chi_ppb=roi.chi_ppb,
        volume_mm3=count_mm3,
        volume_bl_mm3=at_onset_mm3,
        dvolume_mm3=None if count_mm3 is None or at_onset_mm3 is None else count_mm3 - at_onset_mm3,
        enhancement=lesion.enhancement,
        central_vein=None if lesion.central_vein is None else int(lesion.central_vein),
        sex=sex,
        patient_age_y=covariates.values["patient_age_y"],
        edss=covariates.values["edss"],
        disease_duration_y=covariates.values["disease_duration_y"],
        treatment_duration_y=covariates.values["treatment_duration_y"],
        scanner=scanner_of(session),
        chi_native_ppb=roi.chi_ppb,
        chi_registered_ppb=roi.relative(None if registered is None else registered.mean_ppb),
        chi_median_ppb=roi.relative(None if native is None else native.median_ppb),
        chi_sd_ppb=None if native is None else native.sd_ppb,
        chi_session_roi_ppb=roi.relative(None if still is None else still.mean_ppb),
        n_voxels=None if native is None else native.n_voxels,
        covered_fraction=None if native is None else native.covered_fraction,
        nawm_se_ppb=None if roi.reference is None else roi.reference.se_ppb,
        n_nawm_voxels=None if roi.reference is None else roi.reference.n_voxels,
        volume_pv_mm3=None if volume.volume is None else volume.volume.partial_mm3,
        roi_source=None if roi.region is None else roi.source,
        eligible=eligible,
        qc_flags=joined(flags),
    )


def _count(volume: FlairVolume) -> float | None:
    return None if volume.volume is None else volume.volume.count_mm3
