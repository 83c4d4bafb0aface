"""What can be shown of a session."""

from __future__ import annotations

import numpy as np
import pytest

from napari_msqsm.io.bids import open_study
from napari_msqsm.io.nifti import save_volume
from napari_msqsm.model.grid import Grid
from napari_msqsm.model.study import Session
from napari_msqsm.widgets.images import CHI_WINDOW_PPB, images_of, kind_of, read_image


def test_a_session_shows_its_magnitude_above_the_contrasts(tiny_study):
    images = images_of(open_study(tiny_study).sessions[0])
    assert [image.kind for image in images] == ["T2w", "ce-gadolinium_T1w", "T1w", "FLAIR", "magnitude"]
    assert [image.kind for image in images if image.visible] == ["magnitude"]
    assert all(image.name.startswith("sub-01_ses-01 ") for image in images)


def test_susceptibility_is_in_ppb_with_its_own_window(tmp_path):
    path = tmp_path / "sub-01_Chimap.nii.gz"
    save_volume(path, np.full((3, 4, 5), 0.1, np.float32), Grid((3, 4, 5), np.eye(4)))
    image = read_image(path, kind_of(path), label="sub-01")
    assert image.name == "sub-01 χ (ppb)"
    assert float(image.placed.data.max()) == pytest.approx(100.0, rel=1e-5)
    assert image.window == CHI_WINDOW_PPB


def test_an_image_with_negative_values_has_a_symmetric_window(tmp_path):
    path = tmp_path / "field.nii.gz"
    save_volume(path, np.linspace(-20, 10, 60, dtype=np.float32).reshape(3, 4, 5), Grid((3, 4, 5), np.eye(4)))
    low, high = read_image(path).window
    assert low == -high
    assert high == pytest.approx(20, rel=0.05)


def test_results_and_by_products_lie_below_the_magnitude_and_are_hidden(tmp_path):
    names = ("Chimap", "swi", "T2starmap", "confidence", "brain_mask", "csf_mask")
    paths = {name: tmp_path / f"{name}.nii.gz" for name in names}
    for name, path in paths.items():
        mask = name.endswith("mask")
        save_volume(
            path, np.full((3, 4, 5), 1 if mask else 0.04, np.uint8 if mask else np.float32), Grid((3, 4, 5), np.eye(4))
        )
    images = {image.kind: image for image in images_of(Session("01", "", None, (), derivatives=paths))}
    assert list(images) == ["confidence", "T2starmap", "swi", "brain_mask", "csf_mask", "Chimap"]
    assert [kind for kind, image in images.items() if image.visible] == ["Chimap"]
    assert images["T2starmap"].name == "sub-01 T2* (ms)"
    assert float(images["T2starmap"].placed.data.max()) == pytest.approx(40.0)
    assert images["confidence"].window == (0.0, 1.0)
    assert [kind for kind, image in images.items() if image.layer_type == "labels"] == ["brain_mask", "csf_mask"]
