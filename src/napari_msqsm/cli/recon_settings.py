"""Settings of the reconstruction on the command line, made from the settings' own fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_msqsm.cli import common

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from napari_msqsm.qsm.reconstruct import ReconstructionSettings

_METHOD_FLAGS = {"unwrap": "unwrapping", "background": "background", "inversion": "inversion"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--preset``, a flag per choice of method, ``--set`` and ``--list-settings``."""
    group = parser.add_argument_group("method")
    group.add_argument("--preset", default="published", metavar="NAME", help="published (default) or fast")
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
    from napari_msqsm.qsm.reconstruct import PRESETS
    from napari_msqsm.settings import with_overrides

    if args.preset not in PRESETS:
        raise ParameterError(f"there is no preset {args.preset!r}; presets: {', '.join(sorted(PRESETS))}")
    overrides: dict[str, Any] = {}
    for flag, section in _METHOD_FLAGS.items():
        name = getattr(args, flag)
        if name is not None:
            overrides[f"{section}.method"] = name
    for pair in args.set:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ParameterError(f"--set takes KEY=VALUE, got {pair!r}; --list-settings prints the keys")
        overrides[key.strip()] = value.strip()
    return with_overrides(PRESETS[args.preset], overrides)


def print_settings(args: argparse.Namespace) -> int:
    """Print every setting of the preset: dotted name, value, unit, range, help."""
    settings = chosen(args)
    rows = list(describe(settings))
    for row in rows:
        unit = f" {row['unit']}" if row["unit"] else ""
        limits = f"  [{row['range']}]" if row["range"] else ""
        print(f"{row['name']} = {row['value']}{unit}{limits}\n    {row['help']}")  # noqa: T201  asked for by the user
    common.write_json(args, {"preset": args.preset, "settings": rows})
    return common.DONE


def describe(settings: BaseModel, prefix: str = "") -> Iterator[dict[str, Any]]:
    """Every setting as a row of plain values, in order of declaration."""
    from pydantic import BaseModel

    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from describe(value, f"{prefix}{name}.")
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        yield {
            "name": prefix + name,
            "value": value,
            "unit": extra.get("unit", ""),
            "range": allowed(field),
            "help": field.description or "",
            "source": extra.get("source", ""),
        }


def allowed(field: FieldInfo) -> str:
    """Say the allowed values of a setting in words: a range, or the choices of a literal."""
    from typing import Literal, get_args, get_origin

    if get_origin(field.annotation) is Literal:
        return " | ".join(str(choice) for choice in get_args(field.annotation))
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    limits = [
        f"{sign} {getattr(limit, name):g}"
        for limit in field.metadata
        for name, sign in signs.items()
        if getattr(limit, name, None) is not None
    ]
    return ", ".join(limits)
