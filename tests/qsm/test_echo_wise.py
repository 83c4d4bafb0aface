from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm._backend import namespace_of, to_numpy
from napari_msqsm.qsm.echo_wise import EchoesOnHost
from napari_msqsm.qsm.echoes import field_noise_from_magnitude, root_sum_of_squares
from napari_msqsm.qsm.field_fit import fit_field
from napari_msqsm.qsm.phase_offset.mcpc3ds import Mcpc3dsSettings, mcpc3ds
from napari_msqsm.qsm.phase_offset.result import without
from napari_msqsm.qsm.phase_quality import phase_quality
from napari_msqsm.qsm.r2star.arlo import arlo
from napari_msqsm.qsm.r2star.nonlinear import nonlinear
from napari_msqsm.workflow.content import digest_of, is_array

TIMES = (0.004, 0.008, 0.012, 0.016)
SHAPE = (9, 10, 8)
VOXEL_MM = (2.0, 2.0, 2.0)


@pytest.fixture
def scan():
    rng = np.random.default_rng(1)
    axes = np.meshgrid(*(np.arange(n) - n / 2 for n in SHAPE), indexing="ij")
    mask = sum(axis**2 for axis in axes) < 16
    times = np.array(TIMES, np.float32)[:, None, None, None]
    field = (8 * np.sin(axes[0] / 3)).astype(np.float32)
    signal = (0.1 + mask) * np.exp(-20 * times) * np.exp(1j * (0.3 + 2 * np.pi * times * field))
    signal += 0.01 * (rng.standard_normal(signal.shape) + 1j * rng.standard_normal(signal.shape))
    return np.abs(signal).astype(np.float32), np.angle(signal).astype(np.float32), mask


def on_host(xp_case, echoes):
    return EchoesOnHost(echoes, xp_case.asarray(echoes[0, :1, :1, :1]))


def test_it_is_an_array_of_the_device_whose_echoes_come_one_by_one(xp_case, scan):
    magnitude = scan[0]
    held = on_host(xp_case, magnitude)
    assert is_array(held)
    assert namespace_of(held, xp_case.asarray(magnitude)) is xp_case.xp
    assert held.shape == magnitude.shape
    xp_case.check(held[2, ...], "float32", SHAPE)
    np.testing.assert_array_equal(xp_case.numpy(held[2, ...]), magnitude[2])
    np.testing.assert_array_equal(xp_case.numpy((-held)[1, ...]), -magnitude[1])
    assert to_numpy(held) is magnitude
    assert digest_of(held) == digest_of(magnitude)


@pytest.mark.parametrize("key", [slice(None), (slice(0, 2), ...), (0, slice(0, 1), ...), 4, (-1, ...)])
def test_more_than_one_whole_echo_is_refused(scan, key):
    with pytest.raises(IndexError, match=r"echoes\[echo, ...\]"):
        EchoesOnHost(scan[0], scan[0][0])[key]


def test_iterating_ends_after_the_last_echo(scan):
    assert len(list(EchoesOnHost(scan[0], scan[0][0]))) == len(TIMES)


def test_every_step_that_reads_echoes_finds_the_same(xp_case, scan):
    magnitude, phase, mask = scan
    there = xp_case.asarray(mask)
    times = {"echo_times_s": TIMES}
    offset = np.full(SHAPE, 0.2, np.float32)
    readers = [
        lambda m, *_: root_sum_of_squares(m),
        lambda m, _, k: field_noise_from_magnitude(m, mask=k, **times),
        lambda m, p, _: phase_quality(p, m),
        lambda m, _, k: arlo(m, mask=k, **times),
        lambda m, _, k: nonlinear(m, mask=k, **times),
        lambda m, p, k: fit_field(m, p, mask=k, **times).field_hz,
        lambda m, p, k: fit_field(m, without(p, xp_case.asarray(offset), None), mask=k, **times).field_hz,
        lambda m, p, k: (
            mcpc3ds(
                m, p, mask=k, voxel_size_mm=VOXEL_MM, settings=Mcpc3dsSettings(readout="bipolar"), **times
            ).offset_rad
        ),
    ]
    for read in readers:
        wanted = read(xp_case.asarray(magnitude), xp_case.asarray(phase), there)
        found = read(on_host(xp_case, magnitude), on_host(xp_case, phase), there)
        xp_case.check(found, "float32", SHAPE)
        np.testing.assert_array_equal(xp_case.numpy(found), xp_case.numpy(wanted))
