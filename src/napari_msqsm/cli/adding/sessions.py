"""Sessions by the name that a user types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_msqsm.errors import ParameterError

if TYPE_CHECKING:
    from napari_msqsm.model.study import Session, Study


def session_named(study: Study, label: str) -> Session:
    """Session of a label such as ``sub-01_ses-02``.

    Raises
    ------
    ParameterError
        When there is none.
    """
    try:
        return study.session(label)
    except KeyError:
        known = ", ".join(session.label for session in study.sessions[:8])
        more = " …" if len(study.sessions) > 8 else ""
        raise ParameterError(f"there is no session {label!r}; sessions: {known}{more}") from None
