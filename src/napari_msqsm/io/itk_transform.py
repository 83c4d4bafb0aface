"""Linear transforms of ITK: their parameters in text or in the binary ``.mat`` of ANTs.

ITK's space is LPS: its x and y axes are the opposite of those of NIfTI's RAS. A transform maps a point of the fixed
image to the moving one: ``p → A (p − c) + c + t``, with the matrix ``A``, the translation ``t`` and the centre ``c``
made from its parameters as its kind has them (ITK Software Guide, chapter 3.9 *Geometric Transforms*).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_msqsm.errors import MetadataError
from napari_msqsm.model.transform import AffineTransform

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

FIRST_LINE = "#Insight Transform File V1.0"
_LPS = np.diag((-1.0, -1.0, 1.0, 1.0))
_COMPOSITE = "CompositeTransform"
_NAME = re.compile(r"^(?P<kind>\w+?)_(?:double|float)_(?P<inputs>\d)_(?P<outputs>\d)$")


class Block(NamedTuple):
    """One transform as it is stored: its name such as ``AffineTransform_double_3_3``, and its parameters."""

    name: str
    parameters: Vector
    fixed: Vector


def blocks_in(text: str) -> list[Block]:
    """Read the transforms of a text file, in its order.

    Raises
    ------
    MetadataError
        When a line is not of this format or a parameter is not a number.
    """
    found: list[dict[str, str]] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            raise MetadataError(f"it has a line that is not ITK's: {line.strip()[:60]!r}")
        if key == "Transform":
            found.append({})
        elif not found:
            raise MetadataError(f"its first entry is {key!r}, not 'Transform'")
        found[-1][key] = value
    return [
        Block(one["Transform"], _numbers(one.get("Parameters", "")), _numbers(one.get("FixedParameters", "")))
        for one in found
    ]


def transform_of(blocks: Sequence[Block]) -> AffineTransform:
    """One transform of all blocks of a file: a single one, or a composite of linear ones.

    Raises
    ------
    MetadataError
        When a transform is not linear in three dimensions, its parameters do not fit its kind, or there are several
        that are no composite.
    """
    kinds = [_kind(block.name) for block in blocks]
    if not kinds:
        raise MetadataError("it holds no transform")
    if kinds[0] == _COMPOSITE and len(kinds) > 1:
        blocks, kinds = blocks[1:], kinds[1:]
    elif len(kinds) > 1:
        raise MetadataError(f"it holds {len(kinds)} transforms that are no composite; write one transform per file")
    whole = np.eye(4)
    for kind, block in zip(kinds, blocks, strict=True):  # ITK applies the last one of a composite first
        whole = whole @ _matrix_of(kind, block)
    return AffineTransform(_LPS @ whole @ _LPS)


def text_of(transform: AffineTransform) -> str:
    """ITK text of one ``AffineTransform_double_3_3``; numbers are written so that they read back exactly."""
    lps = _LPS @ transform.matrix @ _LPS
    values = [*lps[:3, :3].ravel(), *lps[:3, 3]]
    numbers = " ".join(repr(float(value) + 0.0) for value in values)
    return (
        f"{FIRST_LINE}\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
        f"Parameters: {numbers}\nFixedParameters: 0 0 0\n"
    )


def _numbers(text: str) -> Vector:
    try:
        return np.array([float(word) for word in text.split()], dtype=np.float64)
    except ValueError:
        raise MetadataError(f"its parameters {text[:60]!r} are not numbers") from None


def _kind(name: str) -> str:
    parts = _NAME.match(name)
    if parts is None:
        raise MetadataError(f"its transform {name[:60]!r} has a name that is not ITK's")
    if (parts["inputs"], parts["outputs"]) != ("3", "3"):
        raise MetadataError(f"its transform {name} is not of three dimensions")
    return parts["kind"]


def _matrix_of(kind: str, block: Block) -> Vector:
    """(4, 4) LPS matrix."""
    if kind not in _KINDS:
        raise MetadataError(
            f"its {kind} is not one linear transform (rigid, similarity or affine); "
            "register without a deformation, or give the linear part alone"
        )
    n, make = _KINDS[kind]
    values, centre = block.parameters, block.fixed[:3]
    if values.size != n:
        raise MetadataError(f"its {kind} has {values.size} parameters and needs {n}")
    if not (np.all(np.isfinite(values)) and np.all(np.isfinite(block.fixed))):
        raise MetadataError(f"its {kind} has parameters that are not finite")
    if kind in _CENTRE_AMONG_PARAMETERS:
        values, centre = np.delete(values, np.s_[-6:-3]), values[-6:-3]
    elif centre.size not in (0, 3):
        raise MetadataError(f"its {kind} has a centre of {centre.size} numbers and needs 3")
    linear, translation = make(values, block.fixed)
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = translation
    if centre.size == 3:
        matrix[:3, 3] += centre - linear @ centre
    return matrix


def _general(p: Vector, _fixed: Vector) -> tuple[Vector, Vector]:
    return p[:9].reshape(3, 3), p[9:12]


def _euler(p: Vector, fixed: Vector) -> tuple[Vector, Vector]:
    (sx, sy, sz), (cx, cy, cz) = np.sin(p[:3]), np.cos(p[:3])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    z_y_x = fixed.size in (1, 4) and fixed[-1] != 0
    turn = about_z @ about_y @ about_x if z_y_x else about_z @ about_x @ about_y
    return turn, p[3:6]


def _turn(x: float, y: float, z: float, w: float) -> Vector:
    """Rotation of a unit quaternion."""
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _versor(p: Vector) -> Vector:
    x, y, z = p[:3]
    length2 = float(x * x + y * y + z * z)
    if length2 > 1.0 + 1e-9:
        raise MetadataError(f"its versor {p[:3]} is longer than 1")
    return _turn(x, y, z, max(0.0, 1.0 - length2) ** 0.5)


def _quaternion(p: Vector, _fixed: Vector) -> tuple[Vector, Vector]:
    length = float(np.linalg.norm(p[:4]))
    if abs(length - 1.0) > 1e-3:
        raise MetadataError(f"its quaternion {p[:4]} does not have length 1")
    x, y, z, w = p[:4] / length
    return _turn(x, y, z, w), p[4:7]


def _skewed(p: Vector) -> Vector:
    """Rotation, scales and six skews, which ITK adds up."""
    k = p[9:15]
    skew = np.array([[0, k[0], k[1]], [k[2], 0, k[3]], [k[4], k[5], 0]])
    return np.asarray(_versor(p) + np.diag(p[6:9] - 1.0) + skew)


def _composed(p: Vector) -> Vector:
    """Rotation after scales after three skews."""
    k = p[9:12]
    return np.asarray(_versor(p) @ np.diag(p[6:9]) @ np.array([[1, k[0], k[1]], [0, 1, k[2]], [0, 0, 1]]))


_CENTRE_AMONG_PARAMETERS = frozenset({"CenteredAffineTransform", "CenteredEuler3DTransform"})
_KINDS: dict[str, tuple[int, Callable[[Vector, Vector], tuple[Any, Any]]]] = {
    "IdentityTransform": (0, lambda _p, _: (np.eye(3), np.zeros(3))),
    "TranslationTransform": (3, lambda p, _: (np.eye(3), p)),
    "ScaleTransform": (3, lambda p, _: (np.diag(p), np.zeros(3))),
    "AffineTransform": (12, _general),
    "MatrixOffsetTransformBase": (12, _general),
    "Rigid3DTransform": (12, _general),
    "CenteredAffineTransform": (15, _general),
    "Euler3DTransform": (6, _euler),
    "CenteredEuler3DTransform": (9, _euler),
    "QuaternionRigidTransform": (7, _quaternion),
    "VersorTransform": (3, lambda p, _: (_versor(p), np.zeros(3))),
    "VersorRigid3DTransform": (6, lambda p, _: (_versor(p), p[3:6])),
    "Similarity3DTransform": (7, lambda p, _: (p[6] * _versor(p), p[3:6])),
    "ScaleVersor3DTransform": (9, lambda p, _: (_versor(p) + np.diag(p[6:9] - 1.0), p[3:6])),
    "ScaleSkewVersor3DTransform": (15, lambda p, _: (_skewed(p), p[3:6])),
    "ComposeScaleSkewVersor3DTransform": (12, lambda p, _: (_composed(p), p[3:6])),
}
"""Number of parameters, and how the matrix and the translation are made from them and the fixed parameters."""
