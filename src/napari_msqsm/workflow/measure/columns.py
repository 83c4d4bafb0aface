"""Columns of the lesion table: what each means, its unit and levels, as the data dictionary says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_msqsm.lesions.roi_mean import LEAST_COVERED
from napari_msqsm.workflow.measure.flags import FLAGS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    name
        In the header.
    description
        What it holds.
    units
        Empty for words and counts.
    levels
        Meaning of each word or number that can stand in it.
    text
        Whether it holds words.
    """

    name: str
    description: str
    units: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)
    text: bool = False

    def as_json(self) -> dict[str, Any]:
        """Entry of a data dictionary."""
        entry: dict[str, Any] = {"Description": self.description}
        if self.units:
            entry["Units"] = self.units
        if self.levels:
            entry["Levels"] = dict(self.levels)
        return entry


_RIM = {"rim+": "with a paramagnetic rim", "rim-": "without"}
_YES_NO = {"1": "yes", "0": "no"}
_AT_ONSET = (
    "at onset, from the table of sessions, else from that of participants (CovariateSources in the data dictionary "
    "says which)"
)
_REGION = (
    "weighted by the square of the part of each voxel that the region fills, its vein cut out; missing where less than "
    f"{LEAST_COVERED:.0%} of the region has a value"
)

_ALL = (
    Column("patient_id", "Patient, without sub-", text=True),
    Column("lesion_id", "Lesion; unique in the study", text=True),
    Column("session_id", "Session of the patient; missing where the study has no sessions", text=True),
    Column("session_date", "Day of the session (ISO 8601)", text=True),
    Column(
        "lesion_age_y",
        "Days since the session at which the lesion first enhances, divided by 365.25; negative before it",
        "year",
    ),
    Column("chi_lesion_raw_ppb", f"Mean χ of the lesion in the session's native map, {_REGION}", "ppb"),
    Column(
        "chi_nawm_ppb",
        "Robust mean χ of the adjacent normal-appearing white matter in the same map; the same region at every session",
        "ppb",
    ),
    Column("chi_ppb", "chi_lesion_raw_ppb − chi_nawm_ppb: the outcome", "ppb"),
    Column("volume_mm3", "Voxels of the lesion on the session's FLAIR times the volume of one", "mm³"),
    Column("volume_bl_mm3", "volume_mm3 at onset", "mm³"),
    Column("dvolume_mm3", "volume_mm3 − volume_bl_mm3", "mm³"),
    Column("rim", "Class of the lesion: where both raters agree theirs, else the adjudicator's", "", _RIM, text=True),
    Column("rim_rater1", "Whether the first rater saw a rim at any session", "", _YES_NO),
    Column("rim_rater2", "Whether the second rater saw a rim at any session", "", _YES_NO),
    Column("rim_adjudicator", "Whether the adjudicator saw a rim", "", _YES_NO),
    Column(
        "enhancement",
        "How gadolinium enhances the lesion at onset",
        "",
        {"nodular": "all of it", "shell": "its edge"},
        text=True,
    ),
    Column("central_vein", "Whether the lesion has a central vein", "", _YES_NO),
    Column("sex", "Sex", "", {"F": "female", "M": "male", "O": "other"}, text=True),
    Column("patient_age_y", f"Age of the patient {_AT_ONSET}", "year"),
    Column("edss", f"Expanded Disability Status Scale {_AT_ONSET}"),
    Column("disease_duration_y", f"Time since the first symptom {_AT_ONSET}", "year"),
    Column("treatment_duration_y", f"Time since the treatment began {_AT_ONSET}", "year"),
    Column("scanner", "Manufacturer and model of the scanner of this session's gradient echo", text=True),
    Column("rim_at_session", "As rim, of what was seen at this session", "", _RIM, text=True),
    Column(
        "chi_native_ppb",
        "chi_ppb once more: from the native map, as the partner of chi_registered_ppb",
        "ppb",
    ),
    Column(
        "chi_registered_ppb",
        "As chi_native_ppb, but the lesion measured in the map that was carried to the baseline's grid; the same "
        "chi_nawm_ppb is subtracted, so that the two differ by the interpolation of the lesion alone",
        "ppb",
    ),
    Column("chi_median_ppb", "Weighted median of the lesion in the native map − chi_nawm_ppb", "ppb"),
    Column("chi_sd_ppb", "Weighted standard deviation of χ within the lesion in the native map", "ppb"),
    Column(
        "chi_session_roi_ppb",
        "As chi_ppb, in the part of the onset region that is still lesion on this session's FLAIR (sensitivity)",
        "ppb",
    ),
    Column(
        "n_voxels",
        "Voxels of the native map that count in the lesion's mean: the sum of the parts that it fills of them",
    ),
    Column("covered_fraction", "Part of the lesion's region that has a value in the native map"),
    Column("nawm_se_ppb", "Standard error of chi_nawm_ppb", "ppb"),
    Column("n_nawm_voxels", "Voxels of the native map that count in chi_nawm_ppb"),
    Column(
        "volume_pv_mm3",
        "Volume on the session's FLAIR corrected for partial volume: voxels at the border count by their brightness "
        "between white matter (0) and lesion (1)",
        "mm³",
    ),
    Column(
        "roi_source",
        "Where the region for χ at this session comes from",
        "",
        {
            "onset": "the region drawn at onset",
            "propagated": "the onset region as it was propagated to this session",
            "edited": "edited at this session",
        },
        text=True,
    ),
    Column("rim_score", "Score of the rim that the program finds"),
    Column("rim_coverage", "Part of the lesion's edge along which there is a rim"),
    Column(
        "eligible",
        "Whether the lesion may enter the analysis of growth: new, enhancing for the first time at onset with an "
        "earlier scan without it, χ at three or more sessions from onset on with onset among them, one of them more "
        "than a year later, not left out by the reader. 'yes', or 'no: ' and the reasons, separated by '; '",
        text=True,
    ),
    Column(
        "qc_flags",
        "What to look at, separated by ';'",
        "",
        {flag.name: flag.definition for flag in FLAGS.values()},
        text=True,
    ),
)
COLUMNS = {column.name: column for column in _ALL}
