"""What technicians call series, in English, German, French, Spanish and Italian.

Names are compared in lower case, with blanks for underscores; a pattern is a whole word unless it says otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_msqsm.workflow.dicom_import.plan import Role

_START, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"
_ASIDE = {
    "a localizer": r"locali[sz]\w*|loca?|scouts?|aascout|aahead|survey\w*|3-?pl(?:ane)?|smartbrain|rep[eé]rage",
    "a calibration scan": r"(?:asset|array)?[ -]?calib\w*|asset[ -]cal|refscan|ref scan|prescan|shim|b1[ -]?map\w*",
    "a B0 field map of the scanner": r"field[ -]?map\w*|b0[ -]?maps?|gre field\w*",
    "diffusion": r"dwi|dti|diff\w*|ep2d\w*|resolve|tensor|noddi|adc|dadc|e?adc|trace\w*|tracew|colfa|fa(?! ?\d)",
    "perfusion or function": r"perf\w*|dsc|dce|p?c?asl|bold|r?s?fmri",
    "angiography": r"tof\w*|angio\w*|mra|mrv|venogr\w*|motsa",
    "spectroscopy": r"svs|csi|mrs|spectro\w*",
    "not the head": r"[ctl]?[ -]?spine|cervi\w*|thora\w*|lumb\w*|[hbl]ws|rachis|myelon|cord|m[eé]dull\w*|wirbel\w*",
    "a projection": r"m(?:in)?ips?|mnips?|projection\w*",
    "reformatted slices": r"mpr|reform\w*|rekon\w*|curved",
    "a subtraction": r"sub(?![ -]?\d)|subs|subtr\w*|soustr\w*|sottr\w*|sustr\w*",
    "a processed image": r"(?:swi|t1) images?|[tr][12]\*?(?:[ -]?star)?[ -]?map\w*|qsm[ -]?map\w*|phase[ -]?diff\w*",
    "one inversion of an MP2RAGE": r"inv[ -]?[12]",
    "an inversion recovery of another kind": r"dir|double[ -]?inv\w*|psir|stir",
    "a contrast that is not used": r"pdw?|proton\w*|mtc?|magneti[sz]ation\w*",
    "a report": r"screen\w*|report\w*|dose\w*|phoenix\w*",
}
_SET_ASIDE = tuple((re.compile(f"{_START}(?:{pattern}){_END}"), why) for why, pattern in _ASIDE.items())
_NAMED: tuple[tuple[re.Pattern[str], Role], ...] = (
    (re.compile(r"t1.{0,4}flair"), "T1w"),
    (re.compile(r"flair|dark[ -]?fluid|da[ -]?fl(?![a-z])|fluid[ -]?att"), "FLAIR"),
    (re.compile(rf"{_START}tirm{_END}"), "FLAIR"),
    (re.compile(r"qsm|me[ -]?gre|m[ -]?e?ffe|multi[ -]?echo|e?swan|venobold|r2[ -]?star|t2[ -]?star|t2\*"), "MEGRE"),
    (re.compile(rf"{_START}(?:swi(?:p|3d|2d)?|fgre|medic|merge|h[aä]mo|hemo|fsbb){_END}"), "MEGRE"),
    (re.compile(rf"mp[ -]?rage|bravo|spgr|mp2rage|t1w|{_START}s?t1(?![0-9])|{_START}(?:tfe|vibe){_END}"), "T1w"),
    (re.compile(rf"t2w|{_START}s?t2(?![0-9])|{_START}(?:frfse|haste){_END}"), "T2w"),
)
_AGENT = r"gd|gad|gado\w*|ce|km|c\+|mdc|contrast\w*|kontrast\w*|inject\w*"
_AFTER = re.compile(
    rf"\+[ ]?(?:c|k|km|gd|gad|ce)(?![a-z])|{_START}(?:{_AGENT}|post|apr[eè]s|dopo|despu[eé]s|nach|inj|dsc|dce|"
    r"dotarem|clariscan|prohance|multihance|magnevist|omniscan)(?![a-z])"
)
_BEFORE = re.compile(
    rf"{_START}(?:pre|nativ\w*|avant|vor|prima|antes|ohne|sans|senza|sin|without|w/o|o\.?|unenhanced|non?)"
    rf"(?![a-z])[ .-]*(?:(?:{_AGENT})(?![a-z]))?"
)
_ALONE = re.compile(r"(?:non?|o\.?)[ .-]*$")
"""Words that mean before only with the agent behind them."""


def set_aside(name: str) -> str:
    """Say why a series of this name is no part of a study; empty where the name does not tell."""
    return next((why for pattern, why in _SET_ASIDE if pattern.search(_spaced(name))), "")


def role_of_name(name: str) -> Role | None:
    """Role that a name speaks of."""
    return next((role for pattern, role in _NAMED if pattern.search(_spaced(name))), None)


def agent_of_name(name: str) -> bool | None:
    """Whether a name says after (True) or before (False) a contrast agent; None where it says neither, or both."""
    spaced = _spaced(name)
    before = [found for found in _BEFORE.finditer(spaced) if not _ALONE.fullmatch(found.group())]
    for found in before:
        spaced = spaced.replace(found.group(), " ")
    after = _AFTER.search(spaced) is not None
    return None if after == bool(before) else after


def _spaced(name: str) -> str:
    return name.lower().replace("_", " ")
