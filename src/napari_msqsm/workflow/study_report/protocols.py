"""How images were acquired, and where scanners and visits differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_msqsm.errors import MsqsmError
from napari_msqsm.io.bids_images import header_of
from napari_msqsm.io.sidecar import Sidecars

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from napari_msqsm.model.study import Session, Study

GRE = "GRE"
_FIELDS: tuple[tuple[str, tuple[str, ...], float, str], ...] = (
    ("TR", ("RepetitionTimeExcitation", "RepetitionTime"), 1e3, " ms"),
    ("flip angle", ("FlipAngle",), 1.0, "°"),
    ("field strength", ("MagneticFieldStrength",), 1.0, " T"),
    ("manufacturer", ("Manufacturer",), 1.0, ""),
    ("model", ("ManufacturersModelName",), 1.0, ""),
    ("software", ("SoftwareVersions",), 1.0, ""),
)
_MATTERS = {
    "echo times": "R2* and the weight of the data change with the echo train",
    "voxel size": "lesion means and volumes change with the resolution",
    "field strength": "χ does not depend on it, R2* does",
    "manufacturer": "phase sign, coil combination and filters differ between vendors",
    "model": "gradients and coils differ between scanners",
    "software": "reconstruction on the scanner may have changed",
}


@dataclass(frozen=True)
class Protocol:
    """One way in which an image was acquired.

    Parameters
    ----------
    image
        ``GRE`` or a contrast.
    letter
        A, B, … in the order of the study.
    values
        Parameter → value in words; unknown ones are empty.
    sessions
        Labels of the sessions that were acquired in this way.
    """

    image: str
    letter: str
    values: Mapping[str, str]
    sessions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "image": self.image,
            "letter": self.letter,
            "values": dict(self.values),
            "sessions": list(self.sessions),
        }


@dataclass(frozen=True)
class Difference:
    """One parameter that is not the same everywhere.

    Parameters
    ----------
    image
        One image, or several that differ alike.
    parameter
        What differs.
    values
        Value → sessions.
    within_patients
        Patients among whose own visits it differs: there it looks like a change of the lesion.
    why
        What it changes; empty where nothing is known.
    """

    image: str
    parameter: str
    values: Mapping[str, tuple[str, ...]]
    within_patients: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        groups = "; ".join(f"{value or 'unknown'} ({_listed(labels)})" for value, labels in self.values.items())
        within = f"; changes between visits of {_listed(self.within_patients)}" if self.within_patients else ""
        return f"{self.image} {self.parameter}: {groups}{within}"

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "image": self.image,
            "parameter": self.parameter,
            "values": {value: list(labels) for value, labels in self.values.items()},
            "within_patients": list(self.within_patients),
            "why": self.why,
        }


def protocols_of(study: Study) -> tuple[Protocol, ...]:
    """Group the images of a study by how they were acquired; headers and sidecars are read."""
    sidecars = Sidecars(study.root)
    found: dict[str, dict[tuple[tuple[str, str], ...], list[str]]] = {}
    for session in study.sessions:
        for image, values in _acquired(session, sidecars):
            found.setdefault(image, {}).setdefault(tuple(values.items()), []).append(session.label)
    return tuple(
        Protocol(image, _letter(number), dict(values), tuple(labels))
        for image, groups in found.items()
        for number, (values, labels) in enumerate(groups.items())
    )


def differences(protocols: Sequence[Protocol]) -> tuple[Difference, ...]:
    """Say in which parameters the protocols of an image differ, those within patients first."""
    out = []
    for image in dict.fromkeys(protocol.image for protocol in protocols):
        own = [protocol for protocol in protocols if protocol.image == image]
        for parameter in own[0].values:
            values: dict[str, tuple[str, ...]] = {}
            for protocol in own:
                value = protocol.values[parameter]
                values[value] = values.get(value, ()) + protocol.sessions
            if len(values) > 1:
                why = _MATTERS.get(parameter, "") if image == GRE else ""
                out.append(Difference(image, parameter, values, _within(values), why))
    return tuple(sorted(_together(out), key=lambda difference: not difference.within_patients))


def _together(found: Sequence[Difference]) -> list[Difference]:
    """Name images together that differ in the same way in the same sessions."""
    out: dict[tuple[object, ...], Difference] = {}
    for one in found:
        key = (one.parameter, one.why, tuple(sorted(one.values.items())))
        first = out.get(key)
        out[key] = one if first is None else replace(first, image=f"{first.image}, {one.image}")
    return list(out.values())


def _within(values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Patients that have more than one value; an unknown value tells nothing."""
    seen: dict[str, set[str]] = {}
    for value, labels in values.items():
        for label in labels:
            if value:
                seen.setdefault(label.split("_", 1)[0], set()).add(value)
    return tuple(patient for patient, several in seen.items() if len(several) > 1)


def _acquired(session: Session, sidecars: Sidecars) -> Iterable[tuple[str, dict[str, str]]]:
    if session.gre:
        echoes = [echo for echo in session.gre if echo.part in ("mag", "real")] or list(session.gre)
        times = [echo.sidecar.get("EchoTime") for echo in echoes]
        listed = echoes[0].sidecar.get("EchoTimes")
        times = listed if echoes[0].echo is None and isinstance(listed, list) else times
        yield GRE, {"echo times": _times(times)} | _geometry(echoes[0].path) | _fields(echoes[0].sidecar)
    for contrast, path in session.contrasts.items():
        try:
            sidecar: Mapping[str, Any] = sidecars.of(path)
        except MsqsmError:
            sidecar = {}
        yield str(contrast), _geometry(path) | _fields(sidecar)


def _times(times: Sequence[Any]) -> str:
    if not times or not all(isinstance(time, int | float) for time in times):
        return ""
    return " ".join(f"{1e3 * time:.4g}" for time in sorted(times)) + " ms"


def _geometry(path: Path) -> dict[str, str]:
    problem, header = header_of(path)
    if problem:
        return {"voxel size": "", "matrix": ""}
    affine = header.get_best_affine()
    edges = np.linalg.norm(affine[:3, :3], axis=0)
    shape = header.get_data_shape()[:3]
    return {
        "voxel size": "×".join(f"{edge:.3g}" for edge in edges) + " mm",
        "matrix": "×".join(str(int(n)) for n in shape),
    }


def _fields(sidecar: Mapping[str, Any]) -> dict[str, str]:
    out = {}
    for name, keys, factor, unit in _FIELDS:
        value = next((sidecar[key] for key in keys if sidecar.get(key) not in (None, "")), None)
        if isinstance(value, list):
            value = " ".join(str(item) for item in value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{factor * value:.5g}"
        out[name] = "" if value is None else f"{value}{unit}"
    return out


def _letter(number: int) -> str:
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:3])
    return shown if len(labels) <= 3 else f"{shown} and {len(labels) - 3} more"
