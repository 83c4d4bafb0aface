"""``msqsm register``: where every point of one image lies in another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse
    import threading

    from napari_msqsm._backend import Array
    from napari_msqsm.io.nifti import Volume
    from napari_msqsm.registration.result import Registration
    from napari_msqsm.registration.verdict import Verdict
    from napari_msqsm.workflow.tasks import OnProgress

HELP = "align two images of one head"
_MODELS = ("rigid", "scale9", "affine")
_TRANSFORM_ENDINGS = (".txt", ".tfm", ".mat")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm register``."""
    parser.add_argument("--fixed", type=Path, required=True, metavar="F", help="image that stays where it is")
    parser.add_argument("--moving", type=Path, required=True, metavar="M", help="image that is brought onto it")
    parser.add_argument(
        "--model",
        choices=_MODELS,
        default="rigid",
        help="rigid (default), scale9 (also a stretch along each image axis: another scanner) or affine",
    )
    parser.add_argument("--fixed-mask", type=Path, metavar="F", help="where the fixed image counts, on its own grid")
    parser.add_argument("--moving-mask", type=Path, metavar="F", help="where the moving image counts, on its own grid")
    parser.add_argument("--preview", action="store_true", help="stop one level before the finest")
    parser.add_argument(
        "--out-transform",
        type=Path,
        required=True,
        metavar="T",
        help="transform fixed → moving: ITK text (.txt, .tfm) or FLIRT's matrix (.mat)",
    )
    parser.add_argument(
        "--out-image", type=Path, metavar="R", help="also write the moving image on the fixed grid (.nii or .nii.gz)"
    )


def run(args: argparse.Namespace) -> int:
    """Register, and write the transform."""
    from napari_msqsm.io.nifti import load_volume
    from napari_msqsm.io.transforms import write_transform

    _check_outputs(args)
    fixed = load_volume(args.fixed, what="fixed image")
    moving = load_volume(args.moving, what="moving image")
    masks = {
        "fixed_mask": _mask(args.fixed_mask, fixed, "fixed mask"),
        "moving_mask": _mask(args.moving_mask, moving, "moving mask"),
    }
    found: Registration = common.run_task(
        args, "register", lambda on_progress, cancel: _registered(args, fixed, moving, masks, on_progress, cancel)
    )
    write_transform(args.out_transform, found.transform, fixed_grid=fixed.grid, moving_grid=moving.grid)
    if args.out_image is not None:
        _write_image(args, found, fixed, moving)
    verdict = _judged(found, fixed, moving)
    _tell(args, found, verdict, [*fixed.assumptions, *moving.assumptions])
    return common.DONE if found.converged and verdict.level != "failed" else common.NOT_CONVERGED


def _registered(
    args: argparse.Namespace,
    fixed: Volume,
    moving: Volume,
    masks: dict[str, Any],
    on_progress: OnProgress,
    cancel: threading.Event,
) -> Registration:
    from napari_msqsm._backend import array_module
    from napari_msqsm.registration.register import register
    from napari_msqsm.registration.settings import RegistrationSettings

    xp = array_module(args.device)

    def on_device(array: Any) -> Array:
        return None if array is None else xp.asarray(array)

    return register(
        on_device(fixed.array),
        fixed.grid,
        on_device(moving.array),
        moving.grid,
        settings=RegistrationSettings(model=args.model, preview=args.preview),
        seed=args.seed,
        on_progress=on_progress,
        cancel=cancel,
        **{name: on_device(mask) for name, mask in masks.items()},
    )


def _judged(found: Registration, fixed: Volume, moving: Volume) -> Verdict:
    """Ask for a second opinion; of what is unknown about the contrasts, it takes that they differ."""
    from napari_msqsm.registration.check import check_transform

    return check_transform(
        fixed.array,
        fixed.grid,
        moving.array,
        moving.grid,
        found.transform,
        same_contrast=False,
        converged=found.converged,
        stretched=found.model != "rigid",
    ).verdict


def _mask(path: Path | None, image: Volume, what: str) -> Any:
    """Mask on its image's grid."""
    from napari_msqsm.errors import ShapeMismatchError
    from napari_msqsm.io.nifti import load_mask, load_volume

    if path is None:
        return None
    grid = load_volume(path, what=what, allow_nan=True).grid
    if not grid.same_as(image.grid):
        detail = "another position or voxel size" if grid.shape == image.grid.shape else f"shape {grid.shape}"
        raise ShapeMismatchError(
            f"{what} {path} has {detail}, not that of its image {image.grid.shape}; resample it to that grid"
        )
    return load_mask(path, what=what)


def _check_outputs(args: argparse.Namespace) -> None:
    from napari_msqsm.errors import ParameterError

    if args.out_transform.suffix.lower() not in _TRANSFORM_ENDINGS:
        raise ParameterError(
            f"--out-transform {args.out_transform} must end in .txt or .tfm (ITK text) or .mat (FLIRT's matrix)"
        )
    if args.out_image is not None and not args.out_image.name.lower().endswith((".nii", ".nii.gz")):
        raise ParameterError(f"--out-image {args.out_image} must end in .nii or .nii.gz")
    for name, path in (
        ("--out-transform", args.out_transform),
        ("--out-image", args.out_image),
        ("--json", args.json),
    ):
        if path is not None and path.is_dir():
            raise ParameterError(f"{name} {path} is a folder; give a file")
        if path is not None and not path.parent.is_dir():
            raise ParameterError(f"{name} {path}: the folder {path.parent} does not exist; make it first")


def _write_image(args: argparse.Namespace, found: Registration, fixed: Volume, moving: Volume) -> None:
    from napari_msqsm.io.nifti import save_volume
    from napari_msqsm.model.resampling.resample import resample

    image = resample(moving.array, moving.grid, fixed.grid, found.transform)
    save_volume(args.out_image, image, fixed.grid)


def _tell(args: argparse.Namespace, found: Registration, verdict: Verdict, assumptions: list[str]) -> None:
    for sentence in assumptions:
        common.say(args, f"assumed: {sentence}")
    common.say(args, f"  normalised mutual information {found.similarity:.4f}")
    common.say(args, f"  part of the fixed head inside the moving image {found.overlap:.2f}")
    if found.model != "rigid":
        scales = ", ".join(f"{axis} {scale:.4f}" for axis, scale in zip("xyz", found.axis_scales, strict=True))
        common.say(args, f"  stretch {scales}")
    common.say(args, f"verdict      {verdict.level}: {'; '.join(verdict.reasons)}")
    common.say(args, f"transform    {args.out_transform}")
    if args.out_image is not None:
        common.say(args, f"image        {args.out_image}")
    if not found.converged:
        common.warn("the registration did not converge; the transform so far was written")
    if verdict.level == "failed":
        common.warn(f"the registration FAILED, do not use the transform that was written: {verdict.reasons[0]}")
    common.write_json(
        args,
        {
            "transform": [[float(value) for value in row] for row in found.transform.matrix],
            "model": found.model,
            "nmi": found.similarity,
            "overlap": found.overlap,
            "axis_scales": list(found.axis_scales),
            "converged": found.converged,
            "verdict": str(verdict.level),
            "reasons": list(verdict.reasons),
            "assumptions": assumptions,
            "record": dict(found.record),
        },
    )
