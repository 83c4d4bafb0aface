"""What the numbers of a segmentation mean, as its program writes it down."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from napari_msqsm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MaskKind = Literal["brain", "csf", "whitematter", "lesions"]
KIND_WORDS: Mapping[MaskKind, str] = {
    "brain": "brain",
    "csf": "CSF",
    "whitematter": "white matter",
    "lesions": "lesions",
}

LST_AI_CLASSES: Mapping[int, str] = {1: "periventricular", 2: "juxtacortical", 3: "subcortical", 4: "infratentorial"}
VENTRICLES = (4, 5, 14, 15, 43, 44, 72)
"""FreeSurfer: lateral ventricles with inferior horns, third, fourth, fifth."""
WHITE_MATTER = (2, 41, 7, 46, 251, 252, 253, 254, 255, 5001, 5002)
"""FreeSurfer: white matter of cerebrum and cerebellum, corpus callosum, and unsegmented white matter of wmparc."""
WHITE_PARCELS = range(3000, 5000)
"""FreeSurfer: white matter below the areas of the cortex, in wmparc."""
SAMSEG_LESION = 99
NOT_BRAIN = (0, 24, 85, 165, 257, 258, 259)
"""FreeSurfer: background, CSF outside the ventricles, optic chiasm, skull, CSF outside the brain, soft tissue, eyes."""

_FREESURFER_FILES = ("aseg", "wmparc", "synthseg")
_FAST_OF_T1 = {1: "CSF", 2: "grey matter", 3: "white matter"}
_ITK_SNAP = re.compile(r'^\s*(\d+)\s+(?:[\d.]+\s+){6}"(.*)"\s*$')
_WORDS: Mapping[MaskKind, re.Pattern[str]] = {
    "brain": re.compile(r"brain|parenchym|gehirn|hirn", re.IGNORECASE),
    "csf": re.compile(r"csf|liquor|ventric|ventrik|cerebrospinal", re.IGNORECASE),
    "whitematter": re.compile(
        r"(white.?matter|weisse.?substanz|weiße.?substanz|\bwm\b)(?!.*(lesion|hyper))", re.IGNORECASE
    ),
    "lesions": re.compile(r"lesion|läsion|laesion|wmh|wml|plaque|hyperintens", re.IGNORECASE),
}


@dataclass(frozen=True)
class Program:
    """The program that seems to have made a segmentation.

    Parameters
    ----------
    name
        For the user.
    why
        What that rests on.
    names
        Meaning of its numbers, where it is known.
    classes
        Whether its numbers are kinds of tissue or of lesions, so that one number may stand for many lesions.
    """

    name: str
    why: str
    names: Mapping[int, str] = field(default_factory=dict, hash=False)
    classes: bool = False


def program_of(path: Path, *, label_names: Path | None = None) -> Program:
    """Tell the program from the file's name and what lies beside it.

    Parameters
    ----------
    path
        The segmentation.
    label_names
        ITK-SNAP's label description, or nnU-Net's ``dataset.json``; looked for beside the file when not given.

    Raises
    ------
    InputError
        When ``label_names`` is neither.
    """
    if label_names is not None:
        names = _itk_snap_names(label_names) or _nnunet_names(label_names)
        if not names:
            raise InputError(f"{label_names} is neither a label description of ITK-SNAP nor a dataset.json of nnU-Net")
        is_json = label_names.suffix == ".json"
        return Program("nnU-Net" if is_json else "ITK-SNAP", f"labels are named in {label_names.name}", names, is_json)
    name = path.name.casefold()
    if "seg-lst" in name or "seg_lst" in name:
        annotated = "annotated" in name
        return Program("LST-AI", "its name", LST_AI_CLASSES if annotated else {}, classes=True)
    if "pveseg" in name:
        return Program("FAST", "its name", _FAST_OF_T1, classes=True)
    known = name.endswith((".mgz", ".mgh")) or any(word in name for word in _FREESURFER_FILES)
    if known or (path.parent / "samseg.stats").exists():
        return Program("SAMSEG or FreeSurfer", "its numbers are those of FreeSurfer", _freesurfer_names(), classes=True)
    beside = path.with_name("dataset.json")
    if beside.is_file() and (names := _nnunet_names(beside)):
        return Program("nnU-Net", "dataset.json lies beside it", names, classes=True)
    stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    for ending in (".txt", ".label"):
        described = path.with_name(stem + ending)
        if described.is_file() and (names := _itk_snap_names(described)):
            return Program("ITK-SNAP", f"{described.name} lies beside it", names)
    return Program("unknown", "nothing beside it names its labels")


def labels_for(kind: MaskKind, program: Program, present: tuple[int, ...]) -> tuple[int, ...]:
    """Numbers of a segmentation that belong to a kind of mask, by their names.

    Returns
    -------
    tuple
        Empty where the names tell nothing.
    """
    if program.name.startswith("SAMSEG"):
        if kind == "lesions":
            return tuple(number for number in present if number == SAMSEG_LESION)
        if kind == "csf":
            return tuple(number for number in present if number in VENTRICLES)
        if kind == "whitematter":
            return tuple(number for number in present if number in WHITE_MATTER or number in WHITE_PARCELS)
        return tuple(number for number in present if number not in NOT_BRAIN)
    if program.name == "LST-AI":
        return present if kind == "lesions" else ()
    return tuple(number for number in present if _WORDS[kind].search(program.names.get(number, "")))


def _freesurfer_names() -> dict[int, str]:
    named = dict.fromkeys(VENTRICLES, "ventricle") | dict.fromkeys((*WHITE_MATTER, *WHITE_PARCELS), "white matter")
    return named | {SAMSEG_LESION: "lesion"}


def _itk_snap_names(path: Path) -> dict[int, str]:
    """Read ``IDX R G B A VIS MSH "LABEL"`` lines."""
    if path.suffix == ".json":
        return {}
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError(f"label description {path} cannot be read ({error.strerror}); check the path") from None
    found = (match for line in lines if not line.startswith("#") and (match := _ITK_SNAP.match(line)))
    return {int(match[1]): match[2].strip() for match in found if int(match[1]) != 0}


def _nnunet_names(path: Path) -> dict[int, str]:
    """Read ``labels`` of either version: name → number, or number → name; a region of several numbers names each."""
    try:
        labels = json.loads(path.read_text("utf-8-sig")).get("labels", {})
    except (OSError, ValueError, AttributeError):
        return {}
    found: dict[int, str] = {}
    for key, value in labels.items() if isinstance(labels, dict) else ():
        if str(key).isdigit() and isinstance(value, str):
            found[int(key)] = value
        else:
            numbers = value if isinstance(value, list) else [value]
            found |= {int(number): str(key) for number in numbers if isinstance(number, int) and number not in found}
    return {number: name for number, name in found.items() if number != 0}
