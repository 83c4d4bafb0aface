"""What is known on disk about the transform of a pair of images: the record beside it, and whether it still holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_msqsm.errors import InputError
from napari_msqsm.io.transforms import read_transform
from napari_msqsm.registration.verdict import Level, Verdict
from napari_msqsm.workflow.content import digest_of
from napari_msqsm.workflow.coregistration.pairs import GRE, pairs_of
from napari_msqsm.workflow.coregistration.settings import ALGORITHM_VERSION
from napari_msqsm.workflow.provenance import bids_uri, plain, relative_to, settings_record
from napari_msqsm.workspace.freshness import read_record, reasons_outdated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.coregistration.pairs import Pair
    from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings
    from napari_msqsm.workflow.provenance import Locate

DIRECT = "direct"
THROUGH_MIDDLE = "through the mid-space of all time points"
_SAME = 1e-9
Status = Literal["missing", "stale", "done"]


@dataclass(frozen=True)
class PairState:
    """Transform of a pair, and what is known about it.

    Parameters
    ----------
    status
        ``missing``; ``stale``: it was made from other files, with other settings or by an older algorithm; ``done``.
    transform
        Baseline → moving image, mm RAS+; None when missing.
    verdict
        Of the automatic checks; None when missing.
    numbers
        What the verdict rests on, see `napari_msqsm.registration.check.MEANING`.
    checked_by, checked_at, note
        Who accepted it by hand, when and what they wrote; empty where nobody did.
    route
        ``direct``, or through which image it was composed.
    reasons
        Why it is stale.
    warnings
        How it was found, where that was not straightforward.
    belongs
        Whether it leads from this baseline, is the transform that was judged, and was made from these files; images
        that changed after a person accepted it are left to that person.
    """

    status: Status
    transform: AffineTransform | None = None
    verdict: Verdict | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    checked_by: str = ""
    checked_at: str = ""
    note: str = ""
    route: str = DIRECT
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    belongs: bool = True

    @property
    def by_hand(self) -> bool:
        """Whether a person accepted it; a re-run leaves it alone."""
        return bool(self.checked_by)

    @property
    def usable(self) -> bool:
        """Whether results may rest on it: it was not judged as failed, or a person accepted it.

        One that was made with other settings still may.
        """
        if self.transform is None or not self.belongs:
            return False
        return self.by_hand or (self.verdict is not None and self.verdict.level is not Level.FAILED)


def state_of(
    study: Study,
    pair: Pair,
    settings: CoregistrationSettings | None = None,
    *,
    seed: int = 0,
    out_dir: Path | None = None,
) -> PairState:
    """Look at the transform of a pair on disk.

    Parameters
    ----------
    study, pair
        From `napari_msqsm.workflow.coregistration.pairs.pairs_of`.
    settings, seed
        A transform made with others is stale; not looked at when not given.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.
    """
    record = read_record(pair.record)
    if record is None or not pair.xfm.is_file():
        return PairState("missing")
    try:
        transform = read_transform(pair.xfm)
        said = record["Verdict"]
        verdict = Verdict(Level(said["Level"]), tuple(map(str, said["Reasons"])), tuple(map(str, said["Remarks"])))
    except (InputError, KeyError, TypeError, ValueError):
        return PairState("missing")
    checked = record.get("Checked") or {}
    by_hand = bool(checked.get("By"))
    version = str(record.get("PipelineVersion")) if by_hand else ALGORITHM_VERSION
    wrong = _not_this_one(record, pair, transform)
    inputs = [*pair.fixed, *pair.moving]
    if record.get("Route") == THROUGH_MIDDLE and not by_hand:
        inputs += all_echoes(study, pair)
    reasons = [*wrong, *reasons_outdated(record, inputs, roots(study, out_dir), version)]
    belongs = not wrong if by_hand else not reasons
    if settings is not None and not by_hand and record.get("SettingsDigest") != digest_of_settings(settings, seed):
        reasons.append("it was made with other settings")
    return PairState(
        status="stale" if reasons else "done",
        transform=transform,
        verdict=verdict,
        numbers={name: float(row["Value"]) for name, row in record.get("Numbers", {}).items() if _is_number(row)},
        checked_by=str(checked.get("By") or ""),
        checked_at=str(checked.get("At") or ""),
        note=str(checked.get("Note") or ""),
        route=str(record.get("Route", DIRECT)),
        reasons=tuple(reasons),
        warnings=tuple(map(str, record.get("Warnings", ()))),
        belongs=belongs,
    )


def destination(pair: Pair) -> str:
    """Name of the fixed image of a pair in a record."""
    return f"{pair.fixed_session} {GRE}"


def digest_of_settings(settings: CoregistrationSettings, seed: int) -> str:
    """Hash of settings and seed, the same before and after they were written."""
    return digest_of([plain(settings_record(settings)), seed])[:12]


def locator(study: Study, out_dir: Path | None) -> Locate:
    """Names of files in a record: ``bids:raw:…`` inside the study, relative to the derivatives elsewhere."""
    inside, beside = bids_uri(study.root), relative_to(out_dir or study.derivatives_root)

    def locate(path: Path) -> str:
        return inside(path) if path.resolve().is_relative_to(study.root.resolve()) else beside(path)

    return locate


def roots(study: Study, out_dir: Path | None) -> dict[str, Path]:
    """Folders of the names that a record uses."""
    return {"raw": study.root, "": out_dir or study.derivatives_root}


def _not_this_one(record: Mapping[str, Any], pair: Pair, transform: AffineTransform) -> list[str]:
    """Why a record does not speak of the transform that lies beside it, or not of this baseline."""
    reasons = []
    if record.get("To") != destination(pair):
        reasons.append(f"it leads to {record.get('To')}, which is not the baseline")
    try:
        judged = np.array(record["Matrix"]["Value"], dtype=np.float64)
        same = judged.shape == (4, 4) and np.allclose(judged, transform.matrix, rtol=0, atol=_SAME)
    except (KeyError, TypeError, ValueError):
        same = False
    if not same:
        reasons.append("its file was changed after it was judged")
    return reasons


def all_echoes(study: Study, pair: Pair) -> tuple[Path, ...]:
    """Gradient echoes of all follow-ups of a patient: what a transform through their middle rests on."""
    others = pairs_of(study, pair.patient_id)
    return tuple(path for other in others if other.same_contrast for path in other.moving)


def _is_number(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("Value"), int | float)
