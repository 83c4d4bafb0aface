"""Settings as rows of plain values, for lists on the command line and for provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def describe(settings: BaseModel, prefix: str = "") -> Iterator[dict[str, Any]]:
    """Yield every setting in order of declaration: name (dotted), value, unit, range, help, source."""
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
    if get_origin(field.annotation) is Literal:
        return " | ".join(str(choice) for choice in get_args(field.annotation))
    limits = [
        f"{sign} {getattr(limit, name):g}"
        for limit in field.metadata
        for name, sign in _SIGNS.items()
        if getattr(limit, name, None) is not None
    ]
    return ", ".join(limits)


def recorded(settings: BaseModel) -> dict[str, dict[str, Any]]:
    """All settings for provenance: ``{dotted name: {"Value", "Unit"}}``, the unit where there is one."""
    return {
        row["name"]: {"Value": row["value"]} | ({"Unit": row["unit"]} if row["unit"] else {})
        for row in describe(settings)
    }
