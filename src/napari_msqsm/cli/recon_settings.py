"""Settings of the reconstruction on the command line, made from the settings' own fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse

    from napari_msqsm.qsm.presets import ReconstructionSettings

_METHOD_FLAGS = {"unwrap": "unwrapping", "background": "background", "inversion": "inversion"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--preset``, a flag per choice of method, ``--set`` and ``--list-settings``."""
    group = parser.add_argument_group("method")
    group.add_argument("--preset", metavar="NAME", help="recommended (default), published or fast")
    for flag, section in _METHOD_FLAGS.items():
        group.add_argument(f"--{flag}", metavar="NAME", help=f"method, the same as --set {section}.method=NAME")
    group.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="any setting by its dotted name"
    )
    group.add_argument(
        "--list-settings", action="store_true", help="print all settings with unit, default, range and help, and leave"
    )


def chosen(args: argparse.Namespace) -> ReconstructionSettings:
    """Make the settings that the arguments ask for.

    Raises
    ------
    ParameterError
        When a preset, name or value does not exist or is not allowed.
    """
    from napari_msqsm.errors import ParameterError
    from napari_msqsm.qsm.presets import PRESETS, with_method
    from napari_msqsm.settings import flat, with_overrides

    preset = _preset(args)
    if preset not in PRESETS:
        raise ParameterError(f"there is no preset {preset!r}; presets: {', '.join(sorted(PRESETS))}")
    settings = PRESETS[preset]
    overrides: dict[str, Any] = dict(_pair(text) for text in args.set)
    methods = {section: getattr(args, flag) for flag, section in _METHOD_FLAGS.items() if getattr(args, flag)}
    for key in [key for key in overrides if key.endswith(".method")]:
        methods[key.removesuffix(".method")] = overrides.pop(key)
    for section, name in methods.items():
        if section not in type(settings).model_fields:
            raise ParameterError(f"there is no section {section!r}; --list-settings prints all settings")
        settings = with_method(settings, section, name)
    present = flat(settings)
    for key, value in overrides.items():
        if isinstance(present.get(key), tuple):  # several numbers: KEY=12,8,5
            overrides[key] = [part for part in value.strip("()[]").split(",") if part.strip()]
    return with_overrides(settings, overrides)


def _pair(text: str) -> tuple[str, str]:
    from napari_msqsm.errors import ParameterError

    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ParameterError(f"--set takes KEY=VALUE, got {text!r}; --list-settings prints the keys")
    return key.strip(), value.strip()


def _preset(args: argparse.Namespace) -> str:
    from napari_msqsm.qsm.presets import DEFAULT_PRESET

    return args.preset or DEFAULT_PRESET


def print_settings(args: argparse.Namespace) -> int:
    """Print every setting of the preset: dotted name, value, unit, range, help."""
    from napari_msqsm.workflow.settings_rows import describe

    settings = chosen(args)
    rows = list(describe(settings))
    for row in rows:
        unit = f" {row['unit']}" if row["unit"] else ""
        limits = f"  [{row['range']}]" if row["range"] else ""
        print(f"{row['name']} = {row['value']}{unit}{limits}\n    {row['help']}")  # noqa: T201  asked for by the user
    common.write_json(args, {"preset": _preset(args), "settings": rows})
    return common.DONE
