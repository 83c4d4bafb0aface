"""Transforms on disk: ITK text and binary, FLIRT, plain matrices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from napari_msqsm.errors import InputError, MetadataError, ParameterError
from napari_msqsm.io.itk_transform import blocks_in, text_of, transform_of
from napari_msqsm.io.transforms import flirt_coordinates, from_flirt, read_transform, to_flirt, write_transform
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.transform import AffineTransform

CENTRE, SHIFT = (10.0, 20.0, 30.0), (1.0, 2.0, 3.0)
VERSOR, SCALES = (0.1, -0.2, 0.15), (1.1, 0.9, 1.2)


def rigid(angles_deg=(4.0, -7.0, 11.0), shift_mm=(5.0, -3.0, 8.0)):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles_deg, degrees=True).as_matrix()
    matrix[:3, 3] = shift_mm
    return AffineTransform(matrix)


def grid(shape=(20, 24, 10), voxel_mm=(0.75, 0.8, 3.0), *, flip=False, origin=(-7.0, -9.0, -12.0), turn=(0, 0, 0)):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() @ np.diag(voxel_mm)
    if flip:
        affine[:3, 0] *= -1
    affine[:3, 3] = origin
    return Grid(shape, affine)


def itk_text(name, parameters, fixed=CENTRE):
    numbers = " ".join(map(str, parameters))
    return (
        f"#Insight Transform File V1.0\n#Transform 0\nTransform: {name}_double_3_3\n"
        f"Parameters: {numbers}\nFixedParameters: {' '.join(map(str, fixed))}\n"
    )


def matrices():
    angles = st.tuples(*[st.floats(-180, 180)] * 3)
    return st.builds(
        lambda turn, stretch, shift: AffineTransform(
            np.block(
                [
                    [Rotation.from_euler("xyz", turn, degrees=True).as_matrix() * stretch, np.reshape(shift, (3, 1))],
                    [np.array([[0, 0, 0, 1.0]])],
                ]
            )
        ),
        angles,
        st.tuples(*[st.floats(0.5, 2)] * 3),
        st.tuples(*[st.floats(-200, 200)] * 3),
    )


def test_itk_space_has_x_and_y_turned_round(tmp_path):
    """A shift to the right, forwards and up is (−, −, +) in LPS; a turn about z is the same turn there."""
    matrix = np.array([[0, -1, 0, 5], [1, 0, 0, 7], [0, 0, 1, 11], [0, 0, 0, 1]])
    write_transform(tmp_path / "t.txt", AffineTransform(matrix))
    text = (tmp_path / "t.txt").read_text("utf-8")
    assert text.splitlines() == [
        "#Insight Transform File V1.0",
        "#Transform 0",
        "Transform: AffineTransform_double_3_3",
        "Parameters: 0.0 -1.0 0.0 1.0 0.0 0.0 0.0 0.0 1.0 -5.0 -7.0 11.0",
        "FixedParameters: 0 0 0",
    ]
    assert read_transform(tmp_path / "t.txt") == AffineTransform(matrix)


@given(transform=matrices())
def test_itk_text_reads_back_exactly(transform):
    assert transform_of(blocks_in(text_of(transform))) == transform


def test_centre_stays_where_the_translation_puts_it(tmp_path):
    (tmp_path / "t.tfm").write_text(itk_text("Euler3DTransform", (0.1, 0.2, 0.3, *SHIFT)), "utf-8")
    moved = read_transform(tmp_path / "t.tfm").apply((-10.0, -20.0, 30.0))
    np.testing.assert_allclose(moved, (-11.0, -22.0, 33.0), atol=1e-12)


def test_rotation_about_each_axis_by_hand(tmp_path):
    """In LPS, a quarter turn about x takes y to z, about y takes z to x, about z takes x to y; then flip."""
    path = tmp_path / "t.txt"
    quarter = np.pi / 2
    for angles, point, wanted in (
        ((quarter, 0, 0), (0, -1, 0), (0, 0, 1)),
        ((0, quarter, 0), (0, 0, 1), (-1, 0, 0)),
        ((0, 0, quarter), (-1, 0, 0), (0, -1, 0)),
    ):
        path.write_text(itk_text("Euler3DTransform", (*angles, 0, 0, 0), ()), "utf-8")
        np.testing.assert_allclose(read_transform(path).apply(point), wanted, atol=1e-12)


PARAMETERS = {
    "TranslationTransform": SHIFT,
    "ScaleTransform": SCALES,
    "AffineTransform": (1.0, 0.1, 0.2, -0.1, 0.9, 0.05, 0.02, -0.04, 1.1, *SHIFT),
    "Euler3DTransform": (0.1, 0.2, 0.3, *SHIFT),
    "VersorTransform": VERSOR,
    "VersorRigid3DTransform": (*VERSOR, *SHIFT),
    "Similarity3DTransform": (*VERSOR, *SHIFT, 1.3),
    "ScaleVersor3DTransform": (*VERSOR, *SHIFT, *SCALES),
    "ScaleSkewVersor3DTransform": (*VERSOR, *SHIFT, *SCALES, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06),
    "ComposeScaleSkewVersor3DTransform": (*VERSOR, *SHIFT, *SCALES, 0.01, 0.02, 0.03),
}


def itk_transform(sitk, name):
    made = getattr(sitk, name)(*((3,) if name in ("TranslationTransform", "ScaleTransform", "AffineTransform") else ()))
    made.SetParameters(PARAMETERS[name])
    if name != "TranslationTransform":
        made.SetFixedParameters(CENTRE + ((0.0,) if name == "Euler3DTransform" else ()))
    return made


def agrees_with_itk(transform, itk):
    points = np.random.default_rng(0).uniform(-100, 100, (20, 3))
    lps = np.array([itk.TransformPoint(tuple(map(float, p))) for p in points * (-1, -1, 1)])
    np.testing.assert_allclose(transform.apply(points), lps * (-1, -1, 1), atol=1e-9)


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("ending", [".txt", ".tfm", ".mat"])
def test_kinds_of_itk_as_itk_applies_them(tmp_path, name, ending):
    sitk = pytest.importorskip("SimpleITK")
    made = itk_transform(sitk, name)
    sitk.WriteTransform(made, str(tmp_path / f"t{ending}"))
    agrees_with_itk(read_transform(tmp_path / f"t{ending}"), made)


def test_itk_reads_what_we_write(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    write_transform(tmp_path / "t.txt", rigid())
    agrees_with_itk(rigid(), sitk.ReadTransform(str(tmp_path / "t.txt")))


def test_euler_angles_in_the_other_order(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    made = itk_transform(sitk, "Euler3DTransform")
    made.SetComputeZYX(True)
    sitk.WriteTransform(made, str(tmp_path / "t.txt"))
    agrees_with_itk(read_transform(tmp_path / "t.txt"), made)


def test_composite_of_linear_transforms_applies_the_last_one_first(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    made = sitk.CompositeTransform([itk_transform(sitk, n) for n in ("Euler3DTransform", "ScaleVersor3DTransform")])
    sitk.WriteTransform(made, str(tmp_path / "t.tfm"))
    agrees_with_itk(read_transform(tmp_path / "t.tfm"), made)


@pytest.mark.parametrize("name", ["CenteredAffineTransform", "CenteredEuler3DTransform"])
def test_centre_among_the_parameters(tmp_path, name):
    plain = name.removeprefix("Centered")
    own = PARAMETERS[plain]
    (tmp_path / "c.txt").write_text(itk_text(name, (*own[:-3], *CENTRE, *own[-3:]), ()), "utf-8")
    (tmp_path / "p.txt").write_text(itk_text(plain, own), "utf-8")
    points = np.eye(3) * 50
    np.testing.assert_allclose(
        read_transform(tmp_path / "c.txt").apply(points), read_transform(tmp_path / "p.txt").apply(points)
    )


def test_quaternion_is_the_versor_with_its_fourth_part(tmp_path):
    fourth = float(np.sqrt(1 - np.square(VERSOR).sum()))
    (tmp_path / "q.txt").write_text(itk_text("QuaternionRigidTransform", (*VERSOR, fourth, *SHIFT)), "utf-8")
    (tmp_path / "v.txt").write_text(itk_text("VersorRigid3DTransform", (*VERSOR, *SHIFT)), "utf-8")
    np.testing.assert_allclose(
        read_transform(tmp_path / "q.txt").matrix, read_transform(tmp_path / "v.txt").matrix, atol=1e-12
    )


def test_binary_mat_of_ants(tmp_path):
    values = np.array([0, -1, 0, 1, 0, 0, 0, 0, 1, *SHIFT], dtype=float).reshape(12, 1)
    saved = {"MatrixOffsetTransformBase_double_3_3": values, "fixed": np.zeros((3, 1))}
    savemat(tmp_path / "0GenericAffine.mat", saved, format="4")
    read = read_transform(tmp_path / "0GenericAffine.mat")
    np.testing.assert_allclose(read.matrix[:3], [[0, -1, 0, -1], [1, 0, 0, -2], [0, 0, 1, 3]], atol=1e-12)


def test_flirt_coordinates_by_hand():
    """FLIRT counts mm from the first voxel; it turns x round where x grows to the right (positive determinant)."""
    to_left, to_right = grid(flip=True), grid()
    np.testing.assert_allclose(flirt_coordinates(to_left) @ (2, 3, 4, 1), (1.5, 2.4, 12.0, 1))
    np.testing.assert_allclose(flirt_coordinates(to_right) @ (2, 3, 4, 1), (17 * 0.75, 2.4, 12.0, 1))


def test_flirt_shift_by_hand():
    """Both images start at the same corner; FLIRT says that the input must move 3 mm along its x to fit."""
    matrix = np.eye(4)
    matrix[0, 3] = 3.0
    point, moved = (1.0, 2.0, 3.0), (4.0, 2.0, 3.0)
    to_left = from_flirt(matrix, fixed_grid=grid(flip=True), moving_grid=grid(flip=True))
    np.testing.assert_allclose(to_left.apply(point), moved, atol=1e-12)
    to_right = from_flirt(matrix, fixed_grid=grid(), moving_grid=grid())
    np.testing.assert_allclose(to_right.apply(point), moved, atol=1e-12)


def test_flirt_identity_lays_first_voxels_on_each_other_where_x_runs_alike():
    fixed, moving = grid(flip=True), grid((10, 12, 20), (2.0, 2.0, 1.5), flip=True, origin=(4.0, 5.0, 6.0))
    read = from_flirt(np.eye(4), fixed_grid=fixed, moving_grid=moving)
    np.testing.assert_allclose(read.apply(fixed.affine[:3, 3]), moving.affine[:3, 3], atol=1e-12)


def test_flirt_identity_lays_first_on_last_voxel_where_x_runs_against_each_other():
    fixed, moving = grid(flip=True), grid((30, 24, 10))
    read = from_flirt(np.eye(4), fixed_grid=fixed, moving_grid=moving)
    last = moving.affine @ (29, 0, 0, 1)
    np.testing.assert_allclose(read.apply(fixed.affine[:3, 3]), last[:3], atol=1e-12)


@pytest.mark.parametrize(("flip_fixed", "flip_moving"), list(itertools.product((False, True), repeat=2)))
def test_flirt_file_reads_back(tmp_path, flip_fixed, flip_moving):
    grids = {
        "fixed_grid": grid(flip=flip_fixed, turn=(8, 0, -4)),
        "moving_grid": grid((31, 17, 12), (1, 1, 2), flip=flip_moving, turn=(0, 20, 5)),
    }
    write_transform(tmp_path / "t.mat", rigid(), **grids)
    rows = np.loadtxt(tmp_path / "t.mat")
    assert rows.shape == (4, 4)
    assert np.linalg.det(rows[:3, :3]) == pytest.approx(1.0)
    np.testing.assert_allclose(read_transform(tmp_path / "t.mat", **grids).matrix, rigid().matrix, atol=1e-9)


@given(transform=matrices())
def test_flirt_inverse_swaps_the_images(transform):
    one, other = grid(turn=(8, 0, -4)), grid((31, 17, 12), (1, 1, 2), turn=(0, 20, 5))
    there = to_flirt(transform, fixed_grid=one, moving_grid=other)
    back = to_flirt(transform.inverse(), fixed_grid=other, moving_grid=one)
    np.testing.assert_allclose(there @ back, np.eye(4), atol=1e-6)


def test_plain_matrix_is_fixed_to_moving_in_ras(tmp_path):
    np.savetxt(tmp_path / "t.txt", rigid().matrix, header="from another program")
    np.testing.assert_allclose(read_transform(tmp_path / "t.txt").matrix, rigid().matrix, atol=1e-12)


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(ParameterError, match="fixed and the moving"):
        write_transform(tmp_path / "t.mat", rigid())
    with pytest.raises(ParameterError, match=r"\.txt"):
        write_transform(tmp_path / "t.h5", rigid())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("t.txt", "hello\n", "neither ITK"),
        ("t.txt", "", "neither ITK"),
        ("t.txt", "1 0 0 0\n0 1 0 0\n0 0 1 0\n", "neither ITK"),
        ("t.txt", "1 0 0 0\n0 1 0 0\n0 0 0 0\n0 0 0 1\n", "inverse"),
        ("t.txt", "1 0 0 0\n0 1 0 0\n0 0 1 0\n1 0 0 1\n", "last row"),
        ("t.txt", "-1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", "mirror"),
        ("t.txt", "1 0 0 nan\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", "finite"),
        ("t.txt", itk_text("BSplineTransform", (0,) * 192), "linear"),
        ("t.tfm", itk_text("DisplacementFieldTransform", ()), "linear"),
        ("t.tfm", itk_text("AffineTransform", (1, 2, 3)), "needs 12"),
        ("t.tfm", itk_text("AffineTransform", ("x",) * 12), "not numbers"),
        ("t.tfm", itk_text("AffineTransform", ("nan",) * 12), "finite"),
        ("t.tfm", itk_text("VersorTransform", (1, 1, 1)), "longer than 1"),
        ("t.tfm", itk_text("QuaternionRigidTransform", (1, 1, 1, 1, 0, 0, 0)), "length 1"),
        ("t.tfm", itk_text("Euler3DTransform", (0,) * 6, (1, 2)), "centre"),
        ("t.tfm", itk_text("Euler3DTransform", (0,) * 6) * 2, "no composite"),
        ("t.tfm", itk_text("Euler2DTransform", (0,) * 3).replace("3_3", "2_2"), "three dimensions"),
        ("t.tfm", itk_text("my transform", (0,) * 3), "ITK's"),
        ("t.tfm", "#Insight Transform File V1.0\n", "no transform"),
        ("t.tfm", "#Insight Transform File V1.0\nParameters: 1\n", "first entry"),
        ("t.tfm", "#Insight Transform File V1.0\nwhat is this\n", "not ITK's"),
    ],
)
def test_what_is_no_linear_transform_is_refused_in_one_sentence(tmp_path, name, content, word):
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(MetadataError, match=word) as refused:
        read_transform(tmp_path / name)
    assert str(tmp_path / name) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_files_that_are_no_transform_at_all(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_transform(tmp_path / "none.txt")
    (tmp_path / "t.mat").write_bytes(b"\x00\x01\xff" * 100)
    with pytest.raises(MetadataError, match="ITK text"):
        read_transform(tmp_path / "t.mat")
    (tmp_path / "warp.txt").write_bytes(b"0 " * (1 << 20))
    with pytest.raises(InputError, match="deformation"):
        read_transform(tmp_path / "warp.txt")
    np.savetxt(tmp_path / "flirt.mat", np.eye(4))
    with pytest.raises(ParameterError, match="FLIRT"):
        read_transform(tmp_path / "flirt.mat", fixed_grid=grid())
