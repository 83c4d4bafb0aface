"""A real GE field map (in vivo, DV27): the DICOM files against the NIfTI files that come with them."""

from __future__ import annotations

import nibabel as nib
import numpy as np

GRID_MM = 0.01


def test_field_map_in_hz_and_its_magnitude(shared_data, staged):
    folder = shared_data / "real" / "dcm_qa_fmap_ge"
    result = staged(folder / "6_CV_Neuro")
    assert result.left_out == ()
    (series,) = result.series
    assert series.problems == ()
    assert series.n_files == 32
    assert series.parts == {"mag", "field"}
    for part, name in (("mag", "GE_6_CV_Neuro_HH_Adv.nii"), ("field", "GE_6_CV_Neuro_HH_Adv_fieldmaphz.nii")):
        (image,) = [one for one in series.images if one.part == part]
        own, reference = nib.load(image.path), nib.load(folder / name)
        own, reference = nib.as_closest_canonical(own), nib.as_closest_canonical(reference)
        np.testing.assert_allclose(own.affine, reference.affine, atol=GRID_MM)
        np.testing.assert_array_equal(np.asanyarray(own.dataobj), np.asanyarray(reference.dataobj))
    (field,) = [one for one in series.images if one.part == "field"]
    assert field.sidecar["Units"] == "Hz"
    assert field.echo_time_s is None
    values = np.asanyarray(nib.load(field.path).dataobj)
    assert 50 < np.percentile(np.abs(values[values != 0]), 99) < 2000
