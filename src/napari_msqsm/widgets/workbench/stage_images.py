"""Images that a stage shows: read and made ready beside the window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.units import PPB_PER_PPM
from napari_msqsm.widgets.display import to_display
from napari_msqsm.widgets.images import CHI_WINDOW_PPB
from napari_msqsm.widgets.workbench.carried_image import carried_image
from napari_msqsm.widgets.workbench.stage import Stage
from napari_msqsm.workflow.coregistration.pairs import GRE, magnitude_files
from napari_msqsm.workflow.workbench.onset_images import onset_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.workbench.maps import PatientMaps
    from napari_msqsm.workflow.workbench.onset_images import OnsetImages

Role = Literal["magnitude", "FLAIR", "chi", "before", "after", "subtraction"]
MAIN = "main"
"""Key of the image that is drawn on, whatever it is."""
_BRIGHT = 0.995
_MOST_SAMPLES = 200_000
_SUBTRACTION_SD = 10.0


@dataclass(frozen=True, eq=False)
class StageImage:
    """One image ready for the screen.

    Parameters
    ----------
    role
        What it is.
    key
        Layers of one key take each other's place.
    name
        Of the layer.
    session
        BIDS name.
    data
        In display order (z, y, x).
    grid
        That it is shown on.
    window, limits
        Contrast limits, and how far the slider goes.
    from_baseline
        Scanner positions at the baseline → those of ``grid``, mm; None where they are the same.
    values
        (X, Y, Z) on ``grid`` for tools that look at intensities; None where it is only interpolated for the screen.
    visible
        Whether it is shown at first.
    notes
        What was assumed when it was made, one sentence each.
    """

    role: Role
    key: str
    name: str
    session: str
    data: Any
    grid: Grid
    window: tuple[float, float]
    limits: tuple[float, float]
    from_baseline: AffineTransform | None = None
    values: NDArray[np.float32] | None = None
    visible: bool = True
    notes: tuple[str, ...] = ()


def stage_images(maps: PatientMaps, stage: Stage, session: str) -> list[StageImage]:
    """Images of a stage, from the bottom to the top.

    Raises
    ------
    InputError
        When the session has no image that the stage is about.
    """
    if stage is Stage.FLAIR:
        found = maps.contrast(session, "FLAIR")
        if found is None:
            raise InputError(f"{session} has no FLAIR; draw on the FLAIR of another session, or on QSM")
        values, grid = found
        image = _on_grid("FLAIR", f"{session} FLAIR", session, values, grid, (0.0, _brightest(values)))
        return [replace(image, key=MAIN, from_baseline=maps.transform(session, "FLAIR"))]
    if stage is Stage.ONSET:
        return _onset(onset_images(maps, session))
    if stage is Stage.QSM:
        return [*below(maps, session), replace(chi_image(maps, session), key=MAIN)]
    there = [each.label for each in maps.sessions if has_chi(maps, each.label)]
    if not there:
        raise InputError(
            f"sub-{maps.patient.patient_id} has no susceptibility map on the baseline grid; reconstruct it"
        )
    return [replace(chi_image(maps, label), key=f"chi {label}") for label in there]


def has_chi(maps: PatientMaps, session: str) -> bool:
    """Whether a session has a susceptibility map on the baseline grid."""
    found = maps.map(session)
    return found is not None and found.registered_chi_ppm is not None


def chi_image(maps: PatientMaps, session: str) -> StageImage:
    """Susceptibility of a session on the baseline grid, in ppb.

    Raises
    ------
    InputError
        When there is none that was carried there.
    """
    found = maps.map(session)
    if found is None or found.registered_chi_ppm is None:
        raise InputError(
            f"{session} has no susceptibility map on the grid of {maps.baseline.label}; reconstruct it, then coregister"
        )
    values = found.registered_chi_ppm * np.float32(PPB_PER_PPM)
    return _on_grid("chi", f"{session} χ (ppb)", session, values, maps.grid, CHI_WINDOW_PPB)


def below(maps: PatientMaps, session: str) -> list[StageImage]:
    """Magnitude and FLAIR of a session as they lie on the baseline grid, as far as they are there and aligned."""
    out = []
    transform = maps.transform(session, GRE)
    if transform is not None and magnitude_files(maps.session(session)):
        values, grid = maps.magnitude(session)
        out.append(_carried("magnitude", f"{session} magnitude", session, values, grid, maps, transform))
    transform = maps.transform(session, "FLAIR")
    found = maps.contrast(session, "FLAIR")
    if transform is not None and found is not None:
        out.append(_carried("FLAIR", f"{session} FLAIR (carried)", session, *found, maps, transform))
    return out


def _onset(images: OnsetImages) -> list[StageImage]:
    """T1 before and after gadolinium in the same grey levels, and their subtraction, grey where nothing changed."""
    bright, noise = _brightest(images.after), images.scaling.noise
    parts: tuple[tuple[Role, str, NDArray[np.float32], tuple[float, float]], ...] = (
        ("before", "T1 before gadolinium", images.before, (0.0, bright)),
        ("after", "T1 after gadolinium", images.after, (0.0, bright)),
        ("subtraction", "subtraction", images.subtraction, (-_SUBTRACTION_SD * noise, _SUBTRACTION_SD * noise)),
    )
    out = []
    for role, name, values, window in parts:
        image = _on_grid(role, f"{images.session} {name}", images.session, np.nan_to_num(values), images.grid, window)
        out.append(replace(image, from_baseline=images.transform))
    return [replace(out[0], notes=images.notes), *out[1:]]


def _on_grid(
    role: Role, name: str, session: str, values: NDArray[np.float32], grid: Grid, window: tuple[float, float]
) -> StageImage:
    data = to_display(values, grid).data
    return StageImage(role, role, name, session, data, grid, window, _limits(values, window), values=values)


def _carried(
    role: Role,
    name: str,
    session: str,
    values: NDArray[np.float32],
    grid: Grid,
    maps: PatientMaps,
    transform: AffineTransform,
) -> StageImage:
    window = (0.0, _brightest(values))
    data = carried_image(values, grid, maps.grid, transform)
    return StageImage(role, role, name, session, data, maps.grid, window, _limits(values, window))


def _brightest(values: NDArray[np.float32]) -> float:
    sample = values.ravel()[:: max(1, values.size // _MOST_SAMPLES)]
    return float(np.quantile(sample, _BRIGHT)) or 1.0


def _limits(values: NDArray[np.float32], window: tuple[float, float]) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return min(low, window[0]), max(high, window[1])
