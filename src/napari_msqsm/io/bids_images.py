"""Whether NIfTI headers and JSON sidecars of a session agree; no voxel is read."""

from __future__ import annotations

import gzip
import itertools
import math
import re
import struct
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from napari_msqsm.errors import InputError, MetadataError
from napari_msqsm.io.sidecar import Sidecars, entities_of
from napari_msqsm.model.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_SECONDS = "EchoTime"
_LONGEST_ECHO_S = 0.5
_TE_TOLERANCE_S = 2e-5
_DESCRIBED_TE = re.compile(r"TE=([0-9.]+)")
_PHASE_UNITS = ("rad", "arbitrary")
_PAIRS = (("mag", "phase"), ("real", "imag"))
_HEADER_BYTES = 544
_IDENTIFYING_WORDS = (
    "PatientName PatientID PatientBirthDate PatientAddress OtherPatientIDs AccessionNumber StudyID "
    "ReferringPhysicianName PerformingPhysicianName OperatorsName SeriesInstanceUID StudyInstanceUID "
    "StudyDate SeriesDate AcquisitionDate AcquisitionDateTime"
)
_IDENTIFYING = tuple(_IDENTIFYING_WORDS.split())


def image_problems(sidecars: Sidecars, images: Sequence[Path]) -> Iterator[tuple[Path, str, bool]]:
    """Yield ``(file, sentence, is an error)`` for the images of one session.

    Parameters
    ----------
    sidecars
        Of the dataset.
    images
        NIfTI files in one ``anat`` folder.
    """
    headers: dict[Path, Any] = {}
    metadata: dict[Path, Mapping[str, Any]] = {}
    for path in images:
        problem, header = header_of(path)
        if problem:
            yield path, problem, True
        else:
            headers[path] = header
        try:
            metadata[path] = sidecars.of(path)
        except MetadataError as error:
            yield path, str(error), True
            continue
        if not metadata[path]:
            yield path, "it has no JSON sidecar", entities_of(path)[1] == "MEGRE"
        private = [name for name in _IDENTIFYING if metadata[path].get(name)]
        if private:
            yield path, f"its sidecar identifies the patient or the day of the scan ({', '.join(private)})", False
    echoes = [path for path in images if entities_of(path)[1] == "MEGRE" and path in metadata]
    for acquisition in _acquisitions(echoes).values():
        yield from _echo_problems(acquisition, headers, metadata)


def _acquisitions(echoes: Sequence[Path]) -> dict[tuple[tuple[str, str], ...], list[Path]]:
    found: dict[tuple[tuple[str, str], ...], list[Path]] = {}
    for path in echoes:
        entities, _ = entities_of(path)
        key = tuple(sorted((k, v) for k, v in entities.items() if k not in {"echo", "part"}))
        found.setdefault(key, []).append(path)
    return found


def _echo_problems(
    paths: Sequence[Path], headers: Mapping[Path, Any], metadata: Mapping[Path, Mapping[str, Any]]
) -> Iterator[tuple[Path, str, bool]]:
    """Agreement within one gradient-echo acquisition."""
    times: dict[str, dict[int, float]] = {}
    for path in paths:
        part = entities_of(path)[0].get("part", "mag")
        yield from ((path, sentence, error) for sentence, error in _sidecar_problems(path, part, metadata[path]))
        time = metadata[path].get(_SECONDS)
        echo = entities_of(path)[0].get("echo", "")
        if isinstance(time, int | float) and echo.isdigit():
            times.setdefault(part, {})[int(echo)] = float(time)
        if path in headers:
            yield from ((path, sentence, True) for sentence in _described(headers[path], time))
            if len(headers[path].get_data_shape()) > 3:
                yield path, f"it is a 4-D stack {headers[path].get_data_shape()}; BIDS wants one file per echo", True
    for part, by_echo in times.items():
        ordered = [by_echo[echo] for echo in sorted(by_echo)]
        if any(b <= a for a, b in itertools.pairwise(ordered)):
            yield paths[0], f"echo times of part-{part} do not grow with the echo number: {ordered} s", True
        if len(by_echo) < 2:
            yield paths[0], f"part-{part} has one echo; multi-echo is wanted", False
        if sorted(by_echo) != list(range(1, len(by_echo) + 1)):
            yield paths[0], f"echoes of part-{part} are numbered {sorted(by_echo)}; some may be missing", True
    complete = any(times.get(one) and set(times[one]) == set(times.get(other, {})) for one, other in _PAIRS)
    for one, other in _PAIRS:
        first, second = times.get(one, {}), times.get(other, {})
        lacking = (first and second) if complete else (first or second)  # magnitude beside real and imaginary is whole
        if lacking and set(first) != set(second):
            yield paths[0], f"part-{one} has echoes {sorted(first)} but part-{other} has {sorted(second)}", True
        unlike = [e for e in set(first) & set(second) if not math.isclose(first[e], second[e], abs_tol=1e-6)]
        if unlike:
            yield paths[0], f"part-{one} and part-{other} have other echo times at echo {min(unlike)}", True
    yield from _grid_problems(paths, headers)


def _sidecar_problems(path: Path, part: str, metadata: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    time = metadata.get(_SECONDS)
    if not isinstance(time, int | float) or isinstance(time, bool):
        yield "its sidecar has no EchoTime", True
    elif not 0 < time < _LONGEST_ECHO_S:
        yield f"EchoTime {time:g} is not in seconds", True
    strength = metadata.get("MagneticFieldStrength")
    if not isinstance(strength, int | float) or strength <= 0:
        yield "its sidecar has no MagneticFieldStrength", True
    if part == "phase" and metadata.get("Units") not in _PHASE_UNITS:
        yield f"Units of a phase image must be rad or arbitrary, got {metadata.get('Units')!r}", True
    number = metadata.get("EchoNumber")
    echo = entities_of(path)[0].get("echo", "")
    if isinstance(number, int) and echo.isdigit() and number != int(echo):
        yield f"its sidecar says EchoNumber {number} but its name says echo-{echo}", False


def _described(header: Any, time: Any) -> Iterator[str]:
    """Compare the echo time that dcm2niix leaves in the header, in ms, with that of the sidecar."""
    text = bytes(np.asarray(header["descrip"]).item()).decode("latin-1", "replace")
    match = _DESCRIBED_TE.search(text)
    if match is None or not isinstance(time, int | float):
        return
    described = float(match[1].strip(".") or 0) * 1e-3
    if described > 0 and abs(described - time) > max(_TE_TOLERANCE_S, 0.005 * time):
        yield f"its header says TE {1e3 * described:g} ms but its sidecar {1e3 * time:g} ms"


def _grid_problems(paths: Sequence[Path], headers: Mapping[Path, Any]) -> Iterator[tuple[Path, str, bool]]:
    grids: list[tuple[Path, Grid]] = []
    for path in paths:
        if path not in headers:
            continue
        try:
            grids.append((path, Grid(headers[path].get_data_shape()[:3], headers[path].get_best_affine())))
        except InputError as error:
            yield path, str(error), True
    for path, grid in grids[1:]:
        if not grid.same_as(grids[0][1]):
            yield path, f"it does not lie on the grid of {grids[0][0].name}", True


def header_of(path: Path) -> tuple[str, Any]:
    """Read a NIfTI header and check the length of the file, without reading its values.

    Returns
    -------
    tuple
        What is wrong (empty for nothing), and nibabel's header (None where something is).

    Notes
    -----
    The last bytes of a compressed file tell its length (modulo 2³²).
    """
    if path.is_symlink() and not path.exists():
        return "it is a link to a file that is not there", None
    size = path.stat().st_size
    if size == 0:
        return "it is empty (0 bytes)", None
    try:
        if path.name.endswith(".gz"):
            with gzip.open(path) as stream:
                block = stream.read(_HEADER_BYTES)
            with path.open("rb") as stream:
                stream.seek(-4, 2)
                (length,) = struct.unpack("<I", stream.read(4))
        else:
            with path.open("rb") as stream:
                block = stream.read(_HEADER_BYTES)
            length = size
        header = _parsed(block)
        header.get_best_affine()
        promised = int(header["vox_offset"]) + math.prod(header.get_data_shape()) * header.get_data_dtype().itemsize
    except Exception as error:  # noqa: BLE001  headers are damaged in many ways
        return f"it cannot be read as NIfTI ({(str(error).strip() or type(error).__name__).splitlines()[0]})", None
    if length < (promised % (1 << 32) if path.name.endswith(".gz") else promised):
        return f"it is truncated ({length} of {promised} bytes)", None
    return "", header


def _parsed(block: bytes) -> Any:
    version_2 = struct.unpack("<i", block[:4])[0] == 540 or struct.unpack(">i", block[:4])[0] == 540
    kind: Any = nib.Nifti2Header if version_2 else nib.Nifti1Header
    header = kind(block[: kind.sizeof_hdr], check=False)  # nibabel's check repairs, and writes to the terminal
    if int(header["sizeof_hdr"]) != kind.sizeof_hdr or bytes(header["magic"].item())[:3] not in (b"n+1", b"n+2"):
        raise ValueError("it has no NIfTI header")
    return header
