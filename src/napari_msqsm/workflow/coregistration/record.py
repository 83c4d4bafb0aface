"""Write the transform of a pair and the record beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.io.transforms import write_transform
from napari_msqsm.registration.check import MEANING
from napari_msqsm.workflow import provenance
from napari_msqsm.workflow.coregistration.settings import ALGORITHM_VERSION
from napari_msqsm.workflow.coregistration.state import destination, digest_of_settings, locator
from napari_msqsm.workflow.derivatives import write_dataset_description

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_msqsm.model.study import Study
    from napari_msqsm.workflow.coregistration.align import Aligned
    from napari_msqsm.workflow.coregistration.pairs import Pair
    from napari_msqsm.workflow.coregistration.settings import CoregistrationSettings


def write_pair(
    study: Study,
    pair: Pair,
    aligned: Aligned,
    settings: CoregistrationSettings,
    *,
    device: str,
    seed: int,
    checked: Mapping[str, str] | None = None,
    out_dir: Path | None = None,
) -> None:
    """Write transform and record, each whole or not at all.

    The record last: until it is written, the old one says that it speaks of another transform.
    """
    check = aligned.check
    write_transform(pair.xfm, aligned.transform)
    provenance.write_json_file(
        pair.record,
        {
            "Description": "Transform of points of the baseline's gradient echo to the image, ITK text (LPS mm)",
            "From": pair.name,
            "To": destination(pair),
            "Route": aligned.route,
            "Verdict": {
                "Level": str(check.verdict.level),
                "Reasons": list(check.verdict.reasons),
                "Remarks": list(check.verdict.remarks),
            },
            "Checked": dict(checked) if checked else dict.fromkeys(("By", "At", "Note")),
            "Numbers": {
                name: {"Value": value, "Unit": MEANING[name][0], "Description": MEANING[name][1]}
                for name, value in check.numbers.items()
            },
            "Warnings": list(aligned.warnings),
            "Matrix": {"Value": aligned.transform.matrix.tolist(), "Unit": "mm RAS, baseline to image"},
            "PipelineVersion": ALGORITHM_VERSION,
            "SettingsDigest": digest_of_settings(settings, seed),
            "Settings": provenance.settings_record(settings),
            "Registration": dict(aligned.record),
            "InputFiles": provenance.input_files(
                (*pair.fixed, *pair.moving, *aligned.through), locator(study, out_dir)
            ),
            **provenance.software(device=device, seed=seed),
        },
    )
    write_dataset_description(out_dir or study.derivatives_root, study.root)
