"""What a series is: proposed from its header first and its name second.

The header says how the image was made, which cannot be misspelt; the name says what the technician meant. Where both
agree the proposal is sure; where they do not, the header is followed, and the confidence says that somebody should
look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_msqsm.workflow.dicom_import.features import Features, features_of
from napari_msqsm.workflow.dicom_import.words import agent_of_name, role_of_name, set_aside

if TYPE_CHECKING:
    from napari_msqsm.io.dicom.series import ConvertedSeries
    from napari_msqsm.workflow.dicom_import.plan import Role

_DERIVED = {
    "MPR": "reformatted slices",
    "CPR": "reformatted slices",
    "REFORMATTED": "reformatted slices",
    "SUB": "a subtraction",
    "SUBTRACT": "a subtraction",
    "SUBTRACTION": "a subtraction",
    "MIP": "a projection",
    "MNIP": "a projection",
    "MINIP": "a projection",
    "ADC": "a diffusion map",
    "FA": "a diffusion map",
    "TRACEW": "diffusion",
    "DIFFUSION": "diffusion",
    "SWI": "a processed susceptibility-weighted image",
    "FIELDMAP": "a B0 field map of the scanner",
    "B0": "a B0 field map of the scanner",
    "LOCALIZER": "a localizer",
    "SURVEY": "a localizer",
    "ASL": "perfusion or function",
    "FMRI": "perfusion or function",
}
_ELSEWHERE = ("SPINE", "NECK", "CSP", "TSP", "LSP", "HEART", "ABDOMEN", "PELVIS", "KNEE", "CHEST", "BREAST", "SHOULDER")
_FEWEST_SLICES = 3
_FEWEST_ECHOES = 2
_T2STAR_FROM_S = 0.012
"""Gradient echoes from here on weigh T2*; two below it are a fat–water or B0 scan."""
_LONG_TE_S, _SHORT_TE_S = 0.060, 0.045
_LONG_TR_S, _SHORT_TR_S = 1.9, 1.2
_FLAIR_TI_S = (1.45, 3.2)
_STIR_TI_S = 0.3


@dataclass(frozen=True)
class Proposal:
    """What a series probably is, how sure that is (0…1), and what it rests on."""

    role: Role
    confidence: float
    why: str


@dataclass(frozen=True)
class _ByHeader:
    role: Role | None
    confidence: float
    why: str


def propose_role(series: ConvertedSeries) -> Proposal:
    """Propose a role from header and name.

    Parameters
    ----------
    series
        After conversion.
    """
    features = features_of(series)
    if "field" in series.parts:
        return Proposal("fieldmap", 0.9, "the scanner computed a field map in Hz")
    never = _never(features)
    if never:
        return Proposal("ignore", 0.95, never)
    header = _by_header(features)
    aside = _aside(features, header)
    if aside is not None:
        return aside
    named = role_of_name(features.name)
    if header.role is None and named is None:
        return Proposal("ignore", 0.3, "neither header nor name tells what it is")
    if header.role is None:
        assert named is not None
        role = _with_agent(named, features)
        return Proposal(role, 0.55, f"by its name; {header.why or 'the header does not tell'}")
    role = _with_agent(header.role, features)
    if named is None:
        return Proposal(role, header.confidence - 0.1, f"{header.why}; the name does not tell")
    if named == header.role:
        return Proposal(role, min(0.98, header.confidence + 0.1), f"{header.why}; its name agrees")
    rest_of_many = named == "MEGRE" and header.role == "T1w" and features.kind == "gradient echo"
    if role == "ignore" or rest_of_many:  # one echo of several, where the others are damaged or missing
        return Proposal("ignore", 0.5, f"{header.why}, though its name speaks of {named}")
    return Proposal(role, 0.4, f"{header.why}, though its name speaks of {named}")


def has_agent(series: ConvertedSeries) -> tuple[bool | None, str]:
    """Whether a series says that it was acquired after (True) or before (False) the agent, and what says so."""
    features = features_of(series)
    named = agent_of_name(features.name)
    if named is not None:
        return named, "its name"
    return (True, "its header") if features.agent else (None, "")


def _with_agent(role: Role, features: Features) -> Role:
    if role != "T1w":
        return role
    named = agent_of_name(features.name)
    return "ce-gadolinium_T1w" if named or (named is None and features.agent) else "T1w"


def _never(features: Features) -> str:
    """Say why a series cannot have a role whatever its name and sequence are."""
    if features.modality not in ("", "MR"):
        return f"not MR ({features.modality})"
    if features.n_slices < _FEWEST_SLICES:
        return f"{features.n_slices} slices: a localizer or an aborted scan"
    if any(word in features.body_part.replace(" ", "") for word in _ELSEWHERE):
        return f"not the head ({features.body_part.lower()})"
    return ""


def _aside(features: Features, header: _ByHeader) -> Proposal | None:
    """Set aside maps, projections, localizers, other methods, other parts of the body."""
    by_type = next((why for word, why in _DERIVED.items() if word in features.image_type), "")
    by_name = set_aside(features.name)
    many_echoes = header.role == "MEGRE" and header.confidence > 0.8
    if many_echoes and by_type in (_DERIVED["B0"], _DERIVED["SWI"]):
        by_type = ""
    if by_type:
        return Proposal("ignore", 0.95 if by_name else 0.9, f"{by_type} (image type)")
    if features.n_volumes > 1 and header.role != "MEGRE":
        return Proposal("ignore", 0.9, f"a series of {features.n_volumes} volumes")
    if features.n_volumes > 1:
        why = f"{features.n_volumes} volumes of each echo: coils that were not combined, or repetitions"
        return Proposal("ignore", 0.8, f"{why}; export one combined image of each echo")
    if by_name:
        agrees = header.role in (None, "ignore")
        doubt = "" if agrees else f"; the header would be that of {header.role}"
        return Proposal("ignore", 0.9 if agrees else 0.45 if many_echoes else 0.7, f"{by_name} (name){doubt}")
    if {"DERIVED", "SECONDARY"} <= features.image_type and not many_echoes:
        return Proposal("ignore", 0.7, "derived from other images (image type)")
    return None


def _by_header(features: Features) -> _ByHeader:
    if features.kind == "echo-planar" or features.diffusion:
        return _ByHeader("ignore", 0.85, "echo-planar images")
    if features.kind == "gradient echo":
        return _gradient(features)
    if features.kind == "spin echo":
        return _spin(features)
    if len(features.echo_times_s) > _FEWEST_ECHOES and max(features.echo_times_s) < 0.1:
        return _ByHeader("MEGRE", 0.7, f"{len(features.echo_times_s)} echoes up to {_ms(features.echo_times_s[-1])} ms")
    return _by_times(features)


def _gradient(features: Features) -> _ByHeader:
    times = features.echo_times_s
    last = times[-1] if times else None
    inverted = features.inverted or (features.repetition_time_s or 0.0) > _SHORT_TR_S
    if len(times) > _FEWEST_ECHOES and not (inverted and (features.inversion_time_s or 0.0) > _STIR_TI_S):
        return _ByHeader("MEGRE", 0.88, f"gradient echo with {len(times)} echoes, {_ms(times[0])}…{_ms(times[-1])} ms")
    if len(times) == _FEWEST_ECHOES:
        if times[-1] < _T2STAR_FROM_S:
            return _ByHeader("ignore", 0.75, f"two early gradient echoes ({_ms(times[-1])} ms): a B0 field map")
        return _ByHeader("MEGRE", 0.65, f"gradient echo with two echoes, {_ms(times[0])} and {_ms(times[-1])} ms")
    if last is not None and last >= _T2STAR_FROM_S and not features.inverted:
        return _ByHeader("ignore", 0.7, f"one gradient echo at {_ms(last)} ms: a field needs several echoes")
    if last is None:
        return _ByHeader(None, 0.0, "a gradient echo without echo time")
    if features.inverted:
        return _ByHeader("T1w", 0.85, "gradient echo after an inversion pulse")
    if features.dimensions == 2 and (features.slice_mm or 0.0) >= 6.0 and features.n_slices <= 15:
        return _ByHeader("ignore", 0.6, "few thick slices with a short gradient echo: a localizer")
    return _ByHeader("T1w", 0.7, f"gradient echo with one short echo, {_ms(last)} ms")


def _spin(features: Features) -> _ByHeader:
    if len(features.echo_times_s) > _FEWEST_ECHOES:
        return _ByHeader("ignore", 0.8, f"{len(features.echo_times_s)} spin echoes: a T2 map")
    return _by_times(features)


def _by_times(features: Features) -> _ByHeader:
    """FLAIR, T1w and T2w of spin echoes: by inversion, repetition and echo time."""
    te = features.echo_times_s[-1] if features.echo_times_s else None
    tr, ti = features.repetition_time_s, features.inversion_time_s
    sure = 0.85 if features.kind else 0.65
    said = ", ".join(f"{name} {_ms(value)} ms" for name, value in (("TR", tr), ("TE", te), ("TI", ti)) if value)
    if te is None or tr is None:
        return _ByHeader(None, 0.0, "")
    if ti is not None:
        if _FLAIR_TI_S[0] <= ti <= _FLAIR_TI_S[1] and te >= _LONG_TE_S:
            return _ByHeader("FLAIR", sure, f"inversion recovery, {said}")
        if ti < _STIR_TI_S and te >= _T2STAR_FROM_S:
            return _ByHeader("ignore", 0.7, f"short inversion time ({said}): fat suppression")
        return _ByHeader("T1w", 0.6, f"inversion recovery, {said}")
    if features.inverted and te >= _LONG_TE_S:
        return _ByHeader("FLAIR", 0.5, f"inversion recovery without its time, {said}")
    if tr >= _LONG_TR_S and te >= _LONG_TE_S:
        return _ByHeader("T2w", sure - 0.05, f"long repetition and echo time, {said}")
    if tr >= _LONG_TR_S and te < _SHORT_TE_S:
        return _ByHeader("ignore", 0.6, f"proton density ({said})")
    if tr <= _SHORT_TR_S and te < (_SHORT_TE_S if features.kind else _T2STAR_FROM_S):
        return _ByHeader("T1w", sure - 0.05, f"short repetition and echo time, {said}")
    return _ByHeader(None, 0.0, f"{said}: no contrast of its own")


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:.0f}"
