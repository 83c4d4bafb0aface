"""Reconstruct a BIDS session into derivatives, or files into a folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from napari_msqsm.qsm.echoes import root_sum_of_squares
from napari_msqsm.qsm.presets import DEFAULT_PRESET, PRESETS
from napari_msqsm.workflow import provenance
from napari_msqsm.workflow.by_products import by_products_of
from napari_msqsm.workflow.compute import Computed, OnWarning, compute, pipeline_version
from napari_msqsm.workflow.derivatives import Writer, folder_writer, session_writer
from napari_msqsm.workflow.inputs import FilesRequest, read_files, read_session
from napari_msqsm.workflow.outcome import Outcome
from napari_msqsm.workflow.patient_record import renew_patient_record, settings_digest
from napari_msqsm.workflow.picture import save_picture, views_of

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from napari_msqsm.model.study import Session, Study
    from napari_msqsm.qsm.presets import ReconstructionSettings
    from napari_msqsm.workflow.tasks import OnProgress

__all__ = ["FilesRequest", "reconstruct_files", "reconstruct_session"]

CACHE_NAME = ".msqsm-cache"


def reconstruct_files(
    request: FilesRequest,
    settings: ReconstructionSettings,
    out_dir: Path,
    *,
    device: str = "auto",
    seed: int = 0,
    work_dir: Path | None = None,
    by_products: bool = False,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    on_warning: OnWarning | None = None,
) -> Outcome:
    """Reconstruct files; results lie in ``out_dir`` under fixed names, with ``provenance.json``.

    Parameters
    ----------
    request
        The files.
    settings
        Of the reconstruction.
    out_dir
        Made when the first result is written.
    device, seed, on_progress, cancel, on_warning
        See `napari_msqsm.workflow.compute.compute`; nothing random is used, the seed is recorded.
    work_dir
        Cache of steps; ``out_dir/.msqsm-cache`` when not given.
    by_products
        Write the images of `napari_msqsm.workflow.by_products` too.

    Raises
    ------
    MsqsmError
        Input unusable (nothing is written), cancelled, or no GPU where one was asked for.
    """
    inputs = read_files(request)
    computed = compute(
        inputs,
        settings,
        cache_folder=work_dir or out_dir / CACHE_NAME,
        device=device,
        on_progress=on_progress,
        cancel=cancel,
        on_warning=on_warning,
    )
    writer = folder_writer(out_dir)
    return _write(writer, computed, settings, seed=seed, label=out_dir.name, by_products=by_products)


def reconstruct_session(
    study: Study,
    session: Session,
    settings: ReconstructionSettings = PRESETS[DEFAULT_PRESET],
    *,
    device: str = "auto",
    seed: int = 0,
    out_dir: Path | None = None,
    work_dir: Path | None = None,
    by_products: bool = False,
    phase_sign: Literal[1, -1] | None = None,
    phase_range: tuple[float, float] | None = None,
    given_masks: bool = True,
    more_to_come: bool = False,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    on_warning: OnWarning | None = None,
) -> Outcome:
    """Reconstruct a session; results lie below ``derivatives/msqsm`` of its study.

    Parameters
    ----------
    study, session
        From `napari_msqsm.io.bids.open_study`.
    settings
        Of the reconstruction.
    device, seed, on_progress, cancel, on_warning
        See `napari_msqsm.workflow.compute.compute`; nothing random is used, the seed is recorded.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.
    work_dir
        Cache of steps; ``.msqsm-cache`` in that root when not given.
    by_products
        Write the images of `napari_msqsm.workflow.by_products` too.
    phase_sign, phase_range
        Declared by the user.
    given_masks
        Whether brain and CSF masks that were taken over for the session are used.
    more_to_come
        Whether more sessions of this patient are about to be reconstructed in the same way: that maps of the patient
        were not made alike is said after the last of them.

    Raises
    ------
    MsqsmError
        Input unusable (nothing is written), cancelled, or no GPU where one was asked for.
    """
    inputs = read_session(session, phase_sign=phase_sign, phase_range=phase_range, given_masks=given_masks)
    computed = compute(
        inputs,
        settings,
        cache_folder=work_dir or (out_dir or study.derivatives_root) / CACHE_NAME,
        device=device,
        on_progress=on_progress,
        cancel=cancel,
        on_warning=on_warning,
    )
    writer = session_writer(study, session, out_dir)
    outcome = _write(writer, computed, settings, seed=seed, label=session.label, by_products=by_products)
    unlike = renew_patient_record(out_dir or study.derivatives_root, session.patient_id)
    if more_to_come or not unlike:
        return outcome
    if on_warning:
        for sentence in unlike:
            on_warning(sentence)
    return replace(outcome, warnings=outcome.warnings + unlike)


def _write(
    writer: Writer,
    computed: Computed,
    settings: ReconstructionSettings,
    *,
    seed: int,
    label: str,
    by_products: bool,
) -> Outcome:
    result, series = computed.result, computed.inputs.series
    record = _record(writer, computed, settings, seed)
    maps = {
        "magnitude": root_sum_of_squares(series.magnitude) if writer.keeps_magnitude else None,
        "R2starmap": result.r2star_hz,
        "mask": result.mask,
        "brain_mask": result.brain_mask,
        "csf_mask": result.csf_mask,
        "totalfield": result.total_field_hz,
        "localfield": result.local_field_hz,
        **(by_products_of(result, series) if by_products else {}),
        "Chimap": result.chi_ppm,  # last: where it lies, the rest is complete
    }
    writer.begin()
    files = {name: writer.save(name, array, series.grid, record) for name, array in maps.items() if array is not None}
    files |= writer.finish(record)
    if writer.picture is not None:
        files["picture"] = save_picture(writer.picture, views_of(result, series), series.grid, title=label)
    return Outcome(
        label=label,
        files=files,
        converged=result.converged,
        warnings=computed.warnings,
        assumptions=series.assumptions,
        quality=dict(result.quality),
        seconds=dict(computed.seconds),
        reused=computed.reused,
    )


def _record(writer: Writer, computed: Computed, settings: ReconstructionSettings, seed: int) -> dict[str, Any]:
    result, series = computed.result, computed.inputs.series
    recorded = provenance.settings_record(settings)
    presets = [name for name, preset in PRESETS.items() if preset == settings]
    return {
        "Description": "Quantitative susceptibility map; positive is paramagnetic",
        "PipelineVersion": pipeline_version(),
        "Preset": presets[0] if presets else "custom",
        "SettingsDigest": settings_digest(recorded),
        "Settings": recorded,
        "Acquisition": provenance.acquisition(series),
        "InputFiles": provenance.input_files(computed.inputs.files, writer.locate),
        "Assumptions": list(series.assumptions),
        "PhaseSign": provenance.sign_record(computed.inputs.declared_sign, computed.verdict, flipped=computed.flipped),
        "Warnings": list(computed.warnings),
        "Converged": result.converged,
        "Inversion": dict(result.record),
        "Quality": dict(result.quality),
        "StepSeconds": dict(computed.seconds),
        "StepsReused": list(computed.reused),
        **provenance.software(device=computed.device, seed=seed),
    }
