"""The base of all settings: frozen, validated, self-describing.

A method's settings live in that method's file. Each field states its unit, range, help and source; the
command-line flags, the form in the window and the provenance record are made from that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_msqsm.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

SettingsT = TypeVar("SettingsT", bound="Settings")


class Settings(BaseModel):
    """Frozen settings; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _choices_from_text(cls, values: Any) -> Any:
        """Take the text of a choice that is a number (``4`` of 2 or 4) for the number."""
        if not isinstance(values, dict):
            return values
        read = dict(values)
        for name, field in cls.model_fields.items():
            if isinstance(read.get(name), str) and get_origin(field.annotation) is Literal:
                options = {str(option): option for option in get_args(field.annotation)}
                read[name] = options.get(read[name], read[name])
        return read


def quantity(
    default: Any,
    *,
    unit: str = "",
    help: str,
    source: str = "",
    top: bool = False,
    weighs: Literal["data", "smoothness"] | None = None,
    **limits: Any,
) -> Any:
    """Declare a setting.

    Parameters
    ----------
    default
        Its value when nothing else is said.
    unit
        Physical unit, empty when it has none.
    help
        One sentence for the user.
    source
        Paper (DOI) or measurement that the default comes from.
    top
        Shown at the top of the form; all others are folded.
    weighs
        What it is the weight of, where it sets the balance between data and smoothness: one field of a method at most.
    **limits
        pydantic limits: ``ge``, ``gt``, ``le``, ``lt``.
    """
    extra: dict[str, Any] = {"unit": unit, "source": source, "top": top, "weighs": weighs}
    return Field(default, description=help, json_schema_extra=extra, **limits)


def with_overrides(settings: SettingsT, overrides: Mapping[str, Any]) -> SettingsT:
    """Return settings with dotted keys replaced, such as ``{"inversion.max_iter": "20"}``.

    Values may be strings; they are validated like any other input.

    Raises
    ------
    ParameterError
        When a key does not exist or a value is not allowed.
    """
    tree: dict[str, Any] = settings.model_dump()
    for key, value in overrides.items():
        *parents, leaf = key.split(".")
        node = tree
        for parent in parents:
            node = node.get(parent) if isinstance(node, dict) else None  # type: ignore[assignment]
        if not isinstance(node, dict) or leaf not in node:
            known = ", ".join(sorted(flat(settings)))
            raise ParameterError(f"there is no setting {key!r}; known settings: {known}")
        node[leaf] = value
    return validated(type(settings), tree)


def validated(kind: type[SettingsT], values: Mapping[str, Any]) -> SettingsT:
    """Build settings from plain values; what is wrong with them is said in one sentence.

    Raises
    ------
    ParameterError
        When a name is unknown or a value is not allowed.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ParameterError(f"setting {where}: {first['msg']}, got {first['input']!r}") from None


def flat(settings: BaseModel, prefix: str = "") -> dict[str, Any]:
    """All settings as ``{dotted name: value}``, in their order of declaration."""
    out: dict[str, Any] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            out |= flat(value, f"{prefix}{name}.")
        else:
            out[prefix + name] = value
    return out
