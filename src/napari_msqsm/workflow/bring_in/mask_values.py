"""From what a segmentation holds to the mask or the lesions that are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.qsm.host.components import filled
from napari_msqsm.workflow.bring_in.label_names import KIND_WORDS, MaskKind, Program, labels_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_msqsm.io.label_images import LabelImage

DEFAULT_THRESHOLD = 0.5
_TOUCHING = np.ones((3, 3, 3), dtype=bool)


@dataclass(frozen=True)
class Lesion:
    """One lesion of a segmentation.

    Parameters
    ----------
    label
        Its number.
    n_voxels, volume_mm3
        Its size.
    name
        What its program calls it or its class; empty where it has no name.
    """

    label: int
    n_voxels: int
    volume_mm3: float
    name: str = ""


def region_of(
    image: LabelImage,
    kind: MaskKind,
    program: Program,
    *,
    labels: Sequence[int] | None = None,
    threshold: float | None = None,
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Choose the voxels of a kind.

    Parameters
    ----------
    image, program
        The segmentation and the program that made it.
    kind
        What is wanted of it.
    labels
        Numbers that are meant; by the program's names when not given.
    threshold
        Least probability; only of a probability map, `DEFAULT_THRESHOLD` when not given.

    Returns
    -------
    tuple
        (X, Y, Z) numbers of the segmentation inside the region (1 for masks and probabilities), 0 elsewhere; and what
        was done.

    Raises
    ------
    ParameterError
        When an option does not fit what the file holds.
    InputError
        When nothing of that kind is in it, or it cannot be told which numbers are meant.
    """
    values = image.volume.array
    if image.content == "probability":
        if labels:
            raise ParameterError("--labels was given, but the file holds probabilities; give --threshold instead")
        least = DEFAULT_THRESHOLD if threshold is None else threshold
        if not 0 < least < 1:
            raise ParameterError(f"--threshold {least:g} must lie between 0 and 1")
        chosen = (values >= least).astype(np.int32)
        if not chosen.any():
            raise InputError(f"no voxel has a probability of {least:g} or more (largest {float(values.max()):.3g})")
        return chosen, (f"probabilities of {least:g} and more are taken",)
    if threshold is not None:
        raise ParameterError("--threshold was given, but the file holds whole numbers; give --labels instead")
    numbers = np.rint(values).astype(np.int32)
    present = image.labels
    wanted, note = _wanted(kind, program, present, labels)
    region = np.where(np.isin(numbers, wanted), numbers, 0).astype(np.int32)
    if image.content == "mask" and not program.names:
        region = (region != 0).astype(np.int32)
    return region, (note,) if note else ()


def _wanted(
    kind: MaskKind, program: Program, present: tuple[int, ...], labels: Sequence[int] | None
) -> tuple[tuple[int, ...], str]:
    said = ", ".join(f"{number} {program.names.get(number, '')}".strip() for number in present[:12])
    if labels:
        absent = [number for number in labels if number not in present]
        if absent:
            raise InputError(f"label {absent[0]} is not in the file; it holds {said}")
        return tuple(labels), f"labels {', '.join(map(str, labels))} are taken, as given"
    named = labels_for(kind, program, present)
    if named:
        words = ", ".join(f"{number} {program.names.get(number, '')}".strip() for number in named[:8])
        more = f" and {len(named) - 8} more" if len(named) > 8 else ""
        return named, f"labels of {program.name}: {words}{more}" if len(present) > 1 else ""
    if program.name.startswith("SAMSEG"):
        raise InputError(f"the segmentation holds no {KIND_WORDS[kind]}; give the numbers that are meant with --labels")
    if len(present) == 1 and not program.names.get(present[0]):
        return present, ""
    if kind == "lesions" and not program.names:
        return present, f"its {len(present)} labels are taken as {len(present)} lesions"
    raise InputError(f"it cannot be told which of the labels ({said}) are {KIND_WORDS[kind]}; give them with --labels")


def mask_from(region: NDArray[np.int32], *, fill: bool) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Make one mask; ``fill`` closes the holes of a brain that was put together from structures."""
    mask = region != 0
    if not fill:
        return mask, ()
    whole = filled(mask)
    added = int(np.count_nonzero(whole)) - int(np.count_nonzero(mask))
    return whole, (f"{added} enclosed voxels were added",) if added else ()


def lesions_from(
    region: NDArray[np.int32], program: Program, *, voxel_volume_mm3: float, split: bool
) -> tuple[NDArray[np.int32], tuple[Lesion, ...], tuple[str, ...]]:
    """Give every lesion a number.

    Parameters
    ----------
    region
        (X, Y, Z) numbers of the segmentation inside lesions.
    program
        Its numbers are lesions, unless they are classes or there is one number only.
    voxel_volume_mm3
        Of the grid.
    split
        Whether lesions are separated by touching voxels whatever the numbers.

    Returns
    -------
    tuple
        (X, Y, Z) label of each lesion from 1, the largest first (or the numbers of the file where they are lesions);
        the lesions; and what was done.

    Notes
    -----
    Voxels that touch by a face, an edge or a corner belong to one lesion. Its class is that of most of its voxels.
    """
    numbers = np.unique(region[region != 0])
    if not split and not program.classes and len(numbers) > 1:
        lesions = tuple(_lesion(region == n, int(n), voxel_volume_mm3, program.names.get(int(n), "")) for n in numbers)
        return region, lesions, (f"{len(lesions)} lesions, numbered as in the file",)
    parts, count = ndimage.label(region != 0, structure=_TOUCHING)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    new = np.zeros(count + 1, dtype=np.int32)
    new[1 + order] = np.arange(1, count + 1)
    labels = new[parts]
    found = []
    boxes = ndimage.find_objects(parts)
    for label, part in enumerate(order, start=1):
        box = boxes[part]
        inside = region[box][parts[box] == part + 1]
        usual = int(np.bincount(inside).argmax())
        name = program.names.get(usual, "")
        found.append(Lesion(label, int(sizes[part]), float(sizes[part] * voxel_volume_mm3), name))
    said = f"{count} lesions: parts" if count != 1 else "1 lesion: a part"
    return labels, tuple(found), (f"{said} whose voxels touch",)


def _lesion(inside: NDArray[Any], label: int, voxel_volume_mm3: float, name: str) -> Lesion:
    n_voxels = int(np.count_nonzero(inside))
    return Lesion(label, n_voxels, n_voxels * voxel_volume_mm3, name)
