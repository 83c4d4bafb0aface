"""Drawing tools: from what the reader points at to the voxels that are meant.

Each tool is a function of plain arrays (X, Y, Z), of ``voxel_size_mm`` along their axes, and of positions in continuous
voxel coordinates (a voxel's centre is a whole number). None changes an array that it is given. Each answers with the
flat index (C order over (X, Y, Z), sorted, int64) of voxels, which is what a sparse edit of a drawing is made of, and
none but the search for a lesion's own box looks at more of an image than it has to.

=====================================================  ================================================================
`brush.brush_voxels`                                   brush and eraser, in mm, in a slice or in space
`adaptive.within_range`                                of the brush's voxels those between two intensities
`adaptive.local_model`, `adaptive.adaptive_voxels`     of the brush's voxels those that are like the lesion
`proposal.propose`                                     the lesion about a click on FLAIR, and its size
`contour.contour_voxels`                               what a contour or polygon encloses
`fill.holes_in_slice`, `fill.holes_in_volume`          holes of a lesion
`fill.enclosed_area`                                   the enclosed area at a click
`between_slices.fill_between_slices`                   slices between drawn ones
`copy_slice.copied_to_slice`                           the lesion of one slice on another one
`split.split_at_necks`, `split.split_by_number`,       a confluent lesion in its parts, the largest first
`split.split_by_seeds`
=====================================================  ================================================================

Voxels of other lesions are never answered, except by the brush and by contours, which answer what lies under them: who
paints decides what is painted over.
"""
