"""A whole DICOM header as plain values, by pydicom: once per series."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from napari_msqsm.errors import InputError
from napari_msqsm.io.dicom.elements import TRANSFER_SYNTAX, DamagedError, Elements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pydicom.dataset import Dataset

_LONGEST_TEXT = 4096
_DEPTH = 4


def require_pydicom() -> None:
    """Refuse to go on without the packages of the extra.

    Raises
    ------
    InputError
        With the sentence that says how to install them.
    """
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise InputError(
            "DICOM needs the packages pydicom and dcm2niix, which are not installed; "
            "install them with: pip install 'napari-msqsm[dicom]'"
        ) from None


def read_dataset(path: str) -> Dataset:
    """Everything but the pixels.

    Raises
    ------
    DamagedError
        When pydicom cannot read it.
    """
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pydicom.dcmread(path, stop_before_pixels=True, force=True)
    except Exception as error:  # noqa: BLE001  damaged bytes make the reader raise in many ways
        raise DamagedError(f"its header cannot be read ({_first_line(error)})") from None


def plain_header(dataset: Dataset) -> dict[str, Any]:
    """Public elements by keyword as text, numbers and lists of them.

    Elements of nested sequences (those of enhanced images) are added where the top level has none of the name; of
    sequences with several items the first counts. Private elements, long binary ones and pixels are left out.
    """
    out: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for depth in range(_DEPTH):
            for keyword, value in _level(dataset, depth):
                out.setdefault(keyword, value)
    agent = out.get("ContrastBolusAgent")
    if agent is None and "ContrastBolusAgentSequence" in dataset:
        out["ContrastBolusAgent"] = _agent(dataset)
    if "EchoTime" not in out and "EffectiveEchoTime" in out:
        out["EchoTime"] = out["EffectiveEchoTime"]
    return out


def elements_by_pydicom(path: str, wanted: Collection[int]) -> Elements:
    """Raw little-endian values of a file in a rare encoding, as `read_elements` gives them."""
    dataset = read_dataset(path)
    values: dict[int, bytes] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tag in wanted:
            try:
                element = dataset.get(tag)
                if element is not None and element.value is not None:
                    values[tag] = _raw(element.VR, element.value)
            except Exception:  # noqa: BLE001  a damaged element is as good as none
                continue
    values[TRANSFER_SYNTAX] = str(dataset.file_meta.get("TransferSyntaxUID", "")).encode()
    where = 0 if "Rows" in dataset else None
    return Elements(values, where, where, explicit=True)


def _level(dataset: Dataset, depth: int) -> Iterator[tuple[str, Any]]:
    """Elements at a depth of nesting."""
    for raw in list(dataset.keys()):
        try:
            element = dataset[raw]
            if element.tag.is_private or not element.keyword:
                continue
            if element.VR == "SQ":
                if depth and len(element.value):
                    yield from _level(element.value[0], depth - 1)
                continue
            if depth:
                continue
            value = _plain(element.value)
        except Exception:  # noqa: BLE001  a damaged element is left out
            continue
        if value is not None:
            yield element.keyword, value


def _plain(value: Any) -> Any:
    from pydicom.multival import MultiValue
    from pydicom.valuerep import PersonName

    if value is None or isinstance(value, bytes | bytearray):
        return None
    if isinstance(value, MultiValue | list):
        return [_plain(item) for item in value]
    if isinstance(value, PersonName):
        return str(value)
    if isinstance(value, bool | int):
        return int(value)
    if hasattr(value, "__float__") and not isinstance(value, str):
        return float(value)
    return str(value)[:_LONGEST_TEXT].strip()


def _agent(dataset: Dataset) -> str:
    item = dataset.ContrastBolusAgentSequence
    return str(item[0].get("CodeMeaning", "named in a code only")) if len(item) else ""


def _raw(representation: str, value: Any) -> bytes:
    items = list(value) if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else [value]
    sizes = {"US": 2, "SS": 2, "UL": 4, "SL": 4}
    if representation in sizes:
        signed = representation in ("SS", "SL")
        return b"".join(int(item).to_bytes(sizes[representation], "little", signed=signed) for item in items)
    return "\\".join(str(item) for item in items).encode("latin-1", "replace")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
