"""Seeds, head motion, tissues and lesions of a synthetic patient."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_msqsm.phantom.anatomy import Anatomy
from napari_msqsm.phantom.composition import Sampling
from napari_msqsm.phantom.lesions import NO_RIM_COURSE, RIM_COURSE
from napari_msqsm.phantom.patient import SyntheticPatient
from napari_msqsm.phantom.tissue import CHI_AIR_PPM, LESION_LABEL, PROPERTIES, Tissue

TIMES_Y = (0.0, 1.0, 2.0)


def _patient(seed):
    return SyntheticPatient.drawn(np.random.default_rng(seed), n_lesions=6, times_y=TIMES_Y, heterogeneity_ppb=5.0)


def _sampling(step=3.0, *, pose=None, low=(-75.0, -110.0, -40.0), shape=(50, 68, 40)):
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = low
    return Sampling(affine if pose is None else np.linalg.inv(pose) @ affine, shape)


def test_same_seed_same_patient_and_other_seed_another():
    one, again, other = (_patient(seed).sampled(_sampling(), 1.0).chi_ppm() for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.05


def test_a_moved_head_is_the_same_head_elsewhere():
    """A turn of 90° and a shift by whole samples permute the samples; nothing is interpolated."""
    patient = _patient(3)
    straight = patient.sampled(_sampling(low=(-60.0, -60.0, -30.0), shape=(40, 40, 20)), 1.0).chi_ppm()
    pose = np.array([[0.0, -1, 0, -3], [1, 0, 0, 0], [0, 0, 1, 3], [0, 0, 0, 1]])  # (x, y) → (−y − 3, x)
    turned = patient.sampled(_sampling(pose=pose, low=(-60.0, -60.0, -27.0), shape=(40, 40, 20)), 1.0).chi_ppm()
    expected = np.flip(np.swapaxes(straight, 0, 1), axis=0)  # sample (i, j) of the turned head is (j, 39 − i)
    np.testing.assert_allclose(turned, expected, atol=1e-3)
    assert np.ptp(straight) > 9.0


def test_tissues_have_the_susceptibility_of_the_table():
    patient = SyntheticPatient(Anatomy.drawn(np.random.default_rng(4)), (), heterogeneity_ppb=0.0)
    head = patient.sampled(_sampling(), 0.0)
    chi, labels = head.chi_ppm(), head.composition.labels()
    for tissue in (Tissue.AIR, Tissue.WHITE_MATTER, Tissue.VENTRICLE, Tissue.THALAMUS, Tissue.PUTAMEN):
        pure = head.composition.share({tissue}) > 1.0 - 1e-6
        assert pure.sum() > 10, tissue
        np.testing.assert_allclose(chi[pure], PROPERTIES[tissue].chi_ppm, atol=1e-5)
        assert np.all(labels[pure] == tissue)
    assert chi[labels == Tissue.AIR].max() == pytest.approx(CHI_AIR_PPM)
    assert max(Tissue) < LESION_LABEL


def test_shares_of_all_tissues_sum_to_one():
    composition = _patient(5).anatomy.compose(_sampling(4.0, shape=(38, 52, 30)))
    total = sum(composition.share({tissue}) for tissue in Tissue)
    np.testing.assert_allclose(total, 1.0, atol=1e-5)


def test_brain_has_the_size_of_a_brain():
    head = _patient(6).sampled(_sampling(low=(-75.0, -110.0, -75.0), shape=(50, 68, 56)), 0.0)
    litres = float(head.composition.share({Tissue.WHITE_MATTER, Tissue.GREY_MATTER}).sum()) * 27e-6
    assert 0.9 < litres < 1.7


def test_unevenness_is_what_was_asked_for():
    patient = _patient(7)
    points = _sampling().points()
    assert float(patient.anatomy.mottled(points).std()) == pytest.approx(0.5, abs=0.1)


def test_susceptibility_rises_to_a_peak_and_rims_keep_it_longer():
    ages = np.arange(0.0, 8.0, 0.05)
    rim, none = (np.array([course(age) for age in ages]) for course in (RIM_COURSE, NO_RIM_COURSE))
    assert np.all(rim > none)
    assert np.all(np.diff(none[ages <= 1.5]) > 0)
    assert np.all(np.diff(none[ages > 1.55]) < 0)
    assert np.all(np.diff(rim[ages <= 4.0]) > 0)
    assert np.all(np.diff(rim[ages > 4.05]) < 0)
    assert 1.0 <= ages[np.argmax(none)] <= 2.0
    assert RIM_COURSE(2.0) > 0.95 * RIM_COURSE(4.0)  # a plateau from the second year on
    assert RIM_COURSE(-0.1) == NO_RIM_COURSE(-0.1) == 0.0


@pytest.mark.parametrize("time_y", [0.0, 1.0, 3.0])
def test_mean_of_a_lesion_follows_its_time_course(time_y):
    for lesion in _patient(8).lesions:
        step = 0.5
        n = 2 * int(max(lesion.radii_mm) * 1.4 / step) + 1
        low = tuple(c - (n // 2) * step for c in lesion.centre)
        points = _sampling(step, low=low, shape=(n, n, n)).points()
        inside = lesion.distance(points, time_y) < 0
        chi = lesion.chi_ppb(points, time_y)[inside]
        assert float(chi.mean()) == pytest.approx(lesion.course(time_y - lesion.onset_y), abs=0.5)
        if lesion.rim and time_y >= lesion.onset_y:
            assert chi.max() - chi.min() == pytest.approx(
                lesion.rim_ppb * lesion.course(time_y - lesion.onset_y) / 35.0, rel=0.01
            )
            assert 1.0 <= lesion.rim_mm <= 1.5
            assert 10.0 <= lesion.rim_ppb <= 25.0


def test_lesions_keep_apart_and_lie_in_white_matter():
    patient = _patient(9)
    assert len(patient.lesions) == 6
    for one, other in itertools.combinations(patient.lesions, 2):
        gap = np.linalg.norm(np.subtract(one.centre, other.centre)) - max(one.radii_mm) - max(other.radii_mm)
        assert gap > 0
    for lesion in patient.lesions:
        affine = np.eye(4)
        affine[:3, 3] = lesion.centre
        assert patient.anatomy.compose(Sampling(affine, (1, 1, 1))).share({Tissue.WHITE_MATTER}).item() > 0.9


def test_a_lesion_is_not_there_before_its_onset_and_enhances_at_it():
    patient = _patient(8)
    late = [lesion for lesion in patient.lesions if lesion.onset_y > 0]
    assert late
    assert late[0] not in patient.sampled(_sampling(6.0, shape=(4, 4, 4)), 0.0).lesions
    assert not late[0].enhances(0.0)
    assert late[0].enhances(late[0].onset_y)
    assert not late[0].enhances(late[0].onset_y + 0.5)


def test_partial_volume_mixes_signals_so_that_no_border_is_brighter_than_both_sides():
    """Fluid is dark on FLAIR and cortex bright; voxels between them lie between them."""
    patient = SyntheticPatient(Anatomy.drawn(np.random.default_rng(4)), (), heterogeneity_ppb=0.0)
    head = patient.sampled(_sampling(), 0.0)
    image = head.signal(lambda tissue: {0.83: 1.0}.get(tissue.proton_density, 0.0))  # grey matter only
    np.testing.assert_allclose(image, head.composition.share({Tissue.GREY_MATTER}), atol=1e-5)
    assert 0.0 <= image.min() < image.max() <= 1.0 + 1e-6
