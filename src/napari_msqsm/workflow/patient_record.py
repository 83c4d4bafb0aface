"""Whether all maps of one patient were made in the same way, on record and in words.

Growth of a lesion is a difference between maps, so that a map made in another way than the rest is a false growth.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_msqsm.workflow.content import digest_of
from napari_msqsm.workflow.provenance import plain, write_json_file
from napari_msqsm.workspace.freshness import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DIGITS = 12
_NAMED = 3
"""How many differing settings a sentence names."""
_BY_ECHO_SPACING = "echo-spacing"


@dataclass(frozen=True)
class Making:
    """How one map was made.

    Parameters
    ----------
    settings
        Recorded settings by dotted name; empty for a map taken from elsewhere.
    settings_digest
        Hash of them; ``adopted`` for a map taken from elsewhere.
    pipeline_version
        Of the algorithms.
    zero
        What χ is relative to.
    echo_times_s
        The echo train.
    """

    settings: Mapping[str, Any]
    settings_digest: str
    pipeline_version: str
    zero: str
    echo_times_s: tuple[float, ...]


def settings_digest(recorded: Mapping[str, Any]) -> str:
    """Hash of settings as they stand in a record, the same before and after they were written."""
    return digest_of(plain(recorded))[:_DIGITS]


def making_of(record: Mapping[str, Any]) -> Making:
    """Read from the record beside a map how it was made."""
    settings = record.get("Settings") or {}
    echoes = record.get("Acquisition", {}).get("EchoTimes", {}).get("Value", [])
    zero = str(settings.get("reference.region", {}).get("Value", "unknown"))
    if zero == "csf" and record.get("Quality", {}).get("csf_volume_mm3") == 0:
        zero = "brain, since no CSF was found"
    return Making(
        settings=settings,
        settings_digest=settings_digest(settings) if settings else "adopted",
        pipeline_version=str(record.get("PipelineVersion", "unknown")),
        zero=zero,
        echo_times_s=tuple(float(time) for time in echoes),
    )


def makings_of(root: Path, patient_id: str) -> dict[str, Making]:
    """How each map of a patient was made, by session.

    Parameters
    ----------
    root
        Root of the derivatives.
    patient_id
        Without ``sub-``.
    """
    home = root / f"sub-{patient_id}"
    found = {}
    for path in sorted([*home.glob("anat/*_Chimap.json"), *home.glob("ses-*/anat/*_Chimap.json")]):
        label = "_".join(part for part in path.parent.parent.relative_to(root).parts)
        record = read_record(path) if path.name == f"{label}_Chimap.json" else None
        if record is not None:
            found[label] = making_of(record)
    return found


def differences(makings: Mapping[str, Making]) -> tuple[str, ...]:
    """Say in which ways maps of one patient were not made alike, one sentence each.

    Other echo trains are a difference only where the weight of the data depends on the echo spacing.
    """
    sentences = []
    if len(_groups(makings, "settings_digest")) > 1:
        sentences.append(f"maps of this patient were made with other settings: {_settings_that_differ(makings)}")
    for name, words in (
        ("pipeline_version", "were made by other versions of the algorithms"),
        ("zero", "have another zero"),
    ):
        groups = _groups(makings, name)
        if len(groups) > 1:
            sentences.append(f"maps of this patient {words}: {_listed(groups)}")
    weighed = {
        label: making
        for label, making in makings.items()
        if making.settings.get("inversion.phase_scale", {}).get("Value") == _BY_ECHO_SPACING
    }
    spacings = _groups({label: making for label, making in weighed.items() if len(making.echo_times_s) > 1}, "_spacing")
    if len(spacings) > 1:
        sentences.append(
            f"the weight of the data depends on the echo spacing, and sessions have other ones: {_listed(spacings)}; "
            "inversion.phase_scale=ppm (as in --preset recommended) makes them comparable"
        )
    return tuple(sentences)


def renew_patient_record(root: Path, patient_id: str) -> tuple[str, ...]:
    """Write how all maps of a patient were made, and say how they differ.

    Parameters
    ----------
    root
        Root of the derivatives.
    patient_id
        Without ``sub-``.

    Returns
    -------
    tuple of str
        `differences` of the maps.
    """
    makings = makings_of(root, patient_id)
    if not makings:
        return ()
    digests, unlike = _groups(makings, "settings_digest"), differences(makings)
    write_json_file(
        root / f"sub-{patient_id}" / f"sub-{patient_id}_desc-qsm_settings.json",
        {
            "Description": "How the susceptibility maps of this patient were made; the settings stand beside each map",
            "SettingsDigest": next(iter(digests)) if len(digests) == 1 else None,
            "Differences": unlike,
            "Sessions": {
                label: {
                    "SettingsDigest": making.settings_digest,
                    "PipelineVersion": making.pipeline_version,
                    "Zero": making.zero,
                    "EchoTimes": {"Value": making.echo_times_s, "Unit": "s"},
                }
                for label, making in makings.items()
            },
        },
    )
    return unlike


def _groups(makings: Mapping[str, Making], name: str) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for label, making in makings.items():
        value = _spacing(making) if name == "_spacing" else str(getattr(making, name))
        groups.setdefault(value, []).append(label)
    return groups


def _spacing(making: Making) -> str:
    times = sorted(making.echo_times_s)
    return f"{1e3 * min(b - a for a, b in itertools.pairwise(times)):.2f} ms"


def _listed(groups: Mapping[str, list[str]]) -> str:
    return ", ".join(f"{value} ({', '.join(labels)})" for value, labels in groups.items())


def _settings_that_differ(makings: Mapping[str, Making]) -> str:
    adopted = [label for label, making in makings.items() if not making.settings]
    names = list(dict.fromkeys(name for making in makings.values() for name in making.settings))
    differing = []
    for name in names:
        values = {
            str(making.settings.get(name, {}).get("Value", "absent")) for making in makings.values() if making.settings
        }
        if len(values) > 1:
            differing.append(f"{name} ({' or '.join(sorted(values))})")
    more = len(differing) - _NAMED
    words = differing[:_NAMED] + ([f"{more} more"] if more > 0 else [])
    return "; ".join(words + [f"{label} was taken from elsewhere" for label in adopted])
