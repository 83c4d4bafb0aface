"""Take a transform of FSL, ANTs or ITK over as that of a session's image to the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_msqsm.errors import InputError, ParameterError
from napari_msqsm.io.nifti import load_raw
from napari_msqsm.io.transforms import read_transform
from napari_msqsm.workflow.coregistration.pair import accept
from napari_msqsm.workflow.coregistration.pairs import GRE, pairs_of
from napari_msqsm.workflow.coregistration.state import state_of

if TYPE_CHECKING:
    from pathlib import Path

    from napari_msqsm.model.study import Session, Study
    from napari_msqsm.model.transform import AffineTransform
    from napari_msqsm.workflow.coregistration.pairs import Pair
    from napari_msqsm.workflow.coregistration.state import PairState

Target = Literal["baseline", "session"]


def adopt_transform(
    study: Study,
    session: Session,
    path: Path,
    image: str,
    *,
    who: str,
    to: Target = "baseline",
    inverse: bool = False,
    note: str = "",
    out_dir: Path | None = None,
) -> PairState:
    """Write a transform of another program as ``from-X_to-baseline``; no re-run replaces it.

    Parameters
    ----------
    study, session
        Whose image it is.
    path
        FLIRT's ``.mat``, or a linear transform of ITK or ANTs.
    image
        The image that was moved: ``MEGRE``, ``FLAIR``, ``T1w``, ``ce-gadolinium_T1w`` or ``T2w``.
    who
        Name or initials of the person who vouches for it.
    to
        What it was moved to: the baseline's gradient echo, or the session's own.
    inverse
        Whether the transform is the opposite one: the gradient echo was moved to the image.
    note
        Kept beside it.
    out_dir
        Root of the derivatives; ``derivatives/msqsm`` of the study when not given.

    Raises
    ------
    InputError
        When it cannot be read, or the session has no such image.
    ParameterError
        When nobody vouches for it, or it leads to the session's own gradient echo, which is not aligned yet.

    Notes
    -----
    The transform is judged in the same way as one of our own, and the verdict stands beside it.
    """
    pairs = {pair.contrast: pair for pair in pairs_of(study, session.patient_id) if pair.session == session.label}
    pair = pairs.get(image)
    if pair is None:
        known = ", ".join(pairs) or "none"
        raise InputError(f"{session.label} has no image {image} that is aligned to the baseline; it has {known}")
    own = _own_echoes(study, session, pair, pairs.get(GRE), to, out_dir)
    fixed_path = pair.fixed[0] if own is None else own[0].moving[0]
    transform = _read(path, fixed_path, pair.moving[0], inverse=inverse)
    if own is not None:
        transform = transform.after(own[1])
    words = f"taken over from {path.name}" + (", inverted" if inverse else "") + (f"; {note}" if note else "")
    return accept(study, pair, transform, who=who, note=words, out_dir=out_dir)


def _read(path: Path, fixed: Path, moving: Path, *, inverse: bool) -> AffineTransform:
    """Read fixed → moving; an inverse one was made with both images exchanged."""
    grids = load_raw(fixed, what="gradient echo").grid, load_raw(moving, what="image").grid
    if inverse:
        return read_transform(path, fixed_grid=grids[1], moving_grid=grids[0]).inverse()
    return read_transform(path, fixed_grid=grids[0], moving_grid=grids[1])


def _own_echoes(
    study: Study, session: Session, pair: Pair, echoes: Pair | None, to: Target, out_dir: Path | None
) -> tuple[Pair, AffineTransform] | None:
    """Transform of the session's own gradient echo, where the one that is taken over leads to it."""
    if to == "baseline" or session.label == pair.fixed_session:
        return None
    if pair.same_contrast:
        raise ParameterError("a gradient echo is not moved to itself; leave --to out, or name another image")
    state = None if echoes is None else state_of(study, echoes, out_dir=out_dir)
    if echoes is None or state is None or state.transform is None or not state.usable:
        raise ParameterError(
            f"the gradient echo of {session.label} is not aligned to the baseline yet; align it first, or add its "
            "transform with --from MEGRE"
        )
    return echoes, state.transform
