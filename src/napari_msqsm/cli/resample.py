"""``msqsm resample``: an image on the grid of another one, by one interpolation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse
    import threading

    from napari_msqsm.io.nifti import RawImage
    from napari_msqsm.model.grid import Grid
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.tasks import OnProgress

HELP = "put an image on the grid of another one, through a transform"
_INTERPOLATIONS = ("lanczos", "quintic", "cubic", "linear", "label")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``msqsm resample``."""
    parser.add_argument("--moving", type=Path, required=True, metavar="M", help="image to resample, 3-D or 4-D")
    parser.add_argument("--fixed", type=Path, required=True, metavar="F", help="image whose grid the result has")
    parser.add_argument(
        "--transform",
        type=Path,
        required=True,
        metavar="T",
        help="ITK text (.txt, .tfm), ANTs' .mat or FLIRT's .mat, fixed → moving as msqsm register writes it",
    )
    parser.add_argument(
        "--interpolation",
        choices=_INTERPOLATIONS,
        default="lanczos",
        help="lanczos (default), quintic, cubic, linear; label for label images, by signed distance",
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="F",
        help="where M has a value, on its grid: zeros outside the mask of a map do not enter the result",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="R.nii.gz", help="the result")


def run(args: argparse.Namespace) -> int:
    """Resample; nothing is written when an input is refused."""
    import numpy as np

    from napari_msqsm.errors import InputError
    from napari_msqsm.io.nifti import load_mask, load_raw, save_volume
    from napari_msqsm.io.transforms import read_transform
    from napari_msqsm.model.resampling.resample import covered

    _check(args)
    moving = load_raw(args.moving, what="moving image")
    fixed = load_raw(args.fixed, what="fixed image")
    mask = None if args.mask is None else load_mask(args.mask, on=moving.grid)
    transform = read_transform(args.transform, fixed_grid=fixed.grid, moving_grid=moving.grid)
    _check_values(args, moving)
    share = float(np.mean(covered(moving.grid, fixed.grid, transform)))
    if share == 0.0:
        raise InputError(
            f"the moving image {args.moving} does not reach the grid of {args.fixed} through {args.transform}; "
            "is this the transform of these two images, fixed → moving?"
        )
    result = common.run_task(
        args,
        "resample",
        lambda on_progress, cancel: _resampled(args, moving, mask, fixed.grid, transform, on_progress, cancel),
    )
    save_volume(args.out, result, fixed.grid)
    for sentence in dict.fromkeys((*moving.assumptions, *fixed.assumptions)):
        common.say(args, f"assumed: {sentence}")
    common.say(args, f"  part of the fixed grid inside the moving image {share:.2f}")
    common.say(args, f"image        {args.out}")
    common.write_json(
        args,
        {
            "image": args.out,
            "interpolation": args.interpolation,
            "covered_fraction": share,
            "shape": list(result.shape),
            "assumptions": [*moving.assumptions, *fixed.assumptions],
        },
    )
    return common.DONE


def _check(args: argparse.Namespace) -> None:
    from napari_msqsm.errors import ParameterError

    if not args.out.name.lower().endswith((".nii", ".nii.gz")):
        raise ParameterError(f"--out {args.out} must end in .nii or .nii.gz")
    for name, path in (("--out", args.out), ("--json", args.json)):
        if path is not None and path.is_dir():
            raise ParameterError(f"{name} {path} is a folder; give a file")
        if path is not None and not path.parent.is_dir():
            raise ParameterError(f"{name} {path}: the folder {path.parent} does not exist; make it first")
    if args.mask is not None and args.interpolation == "label":
        raise ParameterError("--mask is for maps; labels have none, leave it out")


def _check_values(args: argparse.Namespace, moving: RawImage) -> None:
    import numpy as np

    from napari_msqsm.errors import InputError

    if np.iscomplexobj(moving.array):
        raise InputError(f"moving image {args.moving} holds complex numbers; give its magnitude")
    if args.mask is None and not np.all(np.isfinite(moving.array)):
        bad = int(np.count_nonzero(~np.isfinite(moving.array)))
        raise InputError(f"moving image {args.moving} holds {bad} NaN or infinite values; leave them out with --mask")


def _resampled(
    args: argparse.Namespace,
    moving: RawImage,
    mask: Any,
    onto: Grid,
    transform: AffineTransform,
    on_progress: OnProgress,
    cancel: threading.Event,
) -> Any:
    """(X, Y, Z) or (X, Y, Z, volume) on ``onto``."""
    import numpy as np

    from napari_msqsm._backend import array_module, to_numpy
    from napari_msqsm.errors import CancelledError
    from napari_msqsm.model.resampling.resample import resample

    xp = array_module(args.device)
    label = args.interpolation == "label"
    volumes = moving.array.reshape(*moving.grid.shape, -1)
    n = volumes.shape[3]
    results = []
    for number in range(n):
        volume = np.ascontiguousarray(volumes[..., number])
        inside = mask if mask is None else mask & np.isfinite(volume)

        def show(what: str, fraction: float, number: int = number) -> None:
            if cancel.is_set():
                raise CancelledError("cancelled")
            on_progress(what, (number + fraction) / n)

        image = resample(
            volume if label else xp.asarray(volume),
            moving.grid,
            onto,
            transform,
            interpolation=args.interpolation,
            mask=None if inside is None else xp.asarray(inside),
            on_progress=show,
        )
        results.append(to_numpy(image))
    whole = results[0] if moving.array.ndim == 3 else np.stack(results, axis=-1)
    return whole.astype(_label_type(whole)) if label else whole


def _label_type(labels: Any) -> Any:
    """Smallest usual whole-number type that holds all labels."""
    import numpy as np

    low, high = float(labels.min()), float(labels.max())
    return next(
        t for t in (np.uint8, np.int16, np.int32, np.int64) if np.iinfo(t).min <= low and high <= np.iinfo(t).max
    )
