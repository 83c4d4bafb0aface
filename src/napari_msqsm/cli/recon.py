"""``msqsm recon``: a susceptibility map from multi-echo gradient-echo files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_msqsm.cli import common, recon_settings

if TYPE_CHECKING:
    import argparse

    from napari_msqsm.workflow.reconstruct import FilesRequest

HELP = "reconstruct susceptibility from multi-echo gradient-echo images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``msqsm recon``."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--work-dir", type=Path, metavar="DIR", help="folder for the cache of steps (default: OUT/.msqsm-cache)"
    )
    common.add_by_products(parser)
    _input_arguments(parser)
    _field_arguments(parser)
    _existing_map_arguments(parser)
    recon_settings.add_arguments(parser)


def _input_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("images (one file per echo in any order, or one 4-D stack)")
    for name, text in (
        ("magnitude", "magnitude images"),
        ("phase", "phase images"),
        ("real", "real parts, instead of magnitude and phase"),
        ("imaginary", "imaginary parts"),
    ):
        group.add_argument(f"--{name}", type=Path, nargs="+", default=[], metavar="F", help=text)
    group.add_argument(
        "--echo-times", type=float, nargs="+", metavar="S", help="echo times in seconds (default: from the sidecars)"
    )
    group.add_argument("--b0", type=float, metavar="T", help="field strength in tesla (default: from the sidecars)")
    group.add_argument("--imaging-frequency", type=float, metavar="HZ", help="scanner frequency (default: γ·B0)")
    group.add_argument(
        "--b0-direction",
        type=float,
        nargs=3,
        metavar=("X", "Y", "Z"),
        help="direction of B0 in voxel axes (default: from the affine)",
    )
    group.add_argument(
        "--phase-sign",
        type=int,
        choices=(1, -1),
        help="1: phase grows with echo time where the field is higher; -1: the opposite (default: vendor, then data)",
    )
    group.add_argument(
        "--phase-range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="stored values that mean −π and +π (default: from the header)",
    )
    group.add_argument("--mask", type=Path, metavar="F", help="brain mask (default: from the magnitude)")
    group.add_argument("--csf-mask", type=Path, metavar="F", help="ventricles (default: from R2*)")
    group.add_argument(
        "--reference-mask", type=Path, metavar="F", help="region whose mean χ becomes zero (default: ventricles)"
    )


def _field_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("starting further down the chain")
    field = group.add_mutually_exclusive_group()
    field.add_argument(
        "--total-field", type=Path, metavar="F", help="unwrapped total field: start at background removal"
    )
    field.add_argument("--local-field", type=Path, metavar="F", help="local field: start at the inversion")
    group.add_argument("--field-unit", choices=("hz", "ppm"), help="unit of that field; required with a field")
    group.add_argument("--noise-sd", type=Path, metavar="F", help="image of the field's standard deviation, in Hz")


def _existing_map_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("taking an existing susceptibility map instead of reconstructing")
    group.add_argument("--chi-map", type=Path, metavar="F", help="susceptibility map of any toolbox")
    group.add_argument("--chi-unit", choices=("ppm", "ppb"), help="unit of that map; required with --chi-map")
    group.add_argument(
        "--paramagnetic-mask", type=Path, metavar="F", help="deep grey nuclei or veins, to check the sign of the map"
    )


def run(args: argparse.Namespace) -> int:
    """Reconstruct, or list the settings."""
    if args.list_settings:
        return recon_settings.print_settings(args)
    from napari_msqsm.errors import ParameterError

    if args.out is None:
        raise ParameterError("there is no --out; say in which folder the results go")
    if args.out.exists() and not args.out.is_dir():
        raise ParameterError(f"--out {args.out} is a file; give a folder")
    if args.json is not None and not args.json.parent.is_dir():
        raise ParameterError(f"--json {args.json}: the folder {args.json.parent} does not exist; make it first")
    return _adopt(args) if args.chi_map is not None else _reconstruct(args)


def _reconstruct(args: argparse.Namespace) -> int:
    from napari_msqsm.workflow.reconstruct import reconstruct_files

    request = _request(args)
    settings = recon_settings.chosen(args)
    outcome = common.run_task(
        args,
        "recon",
        lambda on_progress, cancel: reconstruct_files(
            request,
            settings,
            args.out,
            device=args.device,
            seed=args.seed,
            work_dir=args.work_dir,
            by_products=args.by_products,
            on_progress=on_progress,
            cancel=cancel,
            on_warning=common.warn,
        ),
    )
    common.report(args, outcome)
    return common.DONE if outcome.converged else common.NOT_CONVERGED


def _request(args: argparse.Namespace) -> FilesRequest:
    from napari_msqsm.model.gre_files import GreFiles
    from napari_msqsm.workflow.reconstruct import FilesRequest

    return FilesRequest(
        gre=GreFiles(
            magnitude=tuple(args.magnitude),
            phase=tuple(args.phase),
            real=tuple(args.real),
            imaginary=tuple(args.imaginary),
            echo_times_s=None if args.echo_times is None else tuple(args.echo_times),
            b0_tesla=args.b0,
            imaging_frequency_hz=args.imaging_frequency,
            b0_direction=None if args.b0_direction is None else tuple(args.b0_direction),
            phase_sign=args.phase_sign,
            phase_range=None if args.phase_range is None else tuple(args.phase_range),
        ),
        mask=args.mask,
        csf_mask=args.csf_mask,
        reference_mask=args.reference_mask,
        total_field=args.total_field,
        local_field=args.local_field,
        field_unit=args.field_unit,
        noise_sd=args.noise_sd,
    )


def _adopt(args: argparse.Namespace) -> int:
    from napari_msqsm.errors import ParameterError
    from napari_msqsm.workflow.bring_in.susceptibility import ExistingMap, adopt_file

    if args.chi_unit is None:
        raise ParameterError("--chi-map needs --chi-unit ppm or ppb; maps do not say their unit")
    if args.magnitude or args.phase or args.real or args.imaginary:
        raise ParameterError("--chi-map takes a finished map; leave out the echoes, or leave out --chi-map")
    existing = ExistingMap(args.chi_map, args.chi_unit, args.mask, args.reference_mask, args.paramagnetic_mask)
    outcome = common.run_task(args, "recon", lambda _on_progress, _cancel: adopt_file(existing, args.out))
    for sentence in outcome.warnings:
        common.warn(sentence)
    common.report(args, outcome)
    return common.DONE
