"""Check that a wheel holds what the plugin needs at run time: manifest, type marker, licence, sample patient."""

from __future__ import annotations

import sys
from zipfile import ZipFile

WANTED = ("napari_msqsm/napari.yaml", "napari_msqsm/py.typed", "napari_msqsm/sample_data/dataset_description.json")


def main(wheels: list[str]) -> None:
    """Exit with a sentence for the first thing that is missing or does not belong."""
    if not wheels:
        sys.exit("give the path of a wheel")
    for wheel in wheels:
        names = ZipFile(wheel).namelist()
        missing = [name for name in WANTED if name not in names]
        if missing:
            sys.exit(f"{wheel} lacks {', '.join(missing)}")
        if not any("sample_data/sub-" in name and name.endswith(".nii.gz") for name in names):
            sys.exit(f"{wheel} has no images of the sample patient")
        if not any(name.endswith("licenses/LICENSE") for name in names):
            sys.exit(f"{wheel} has no licence")
        if any(name.startswith(("tests/", "benchmarks/")) for name in names):
            sys.exit(f"{wheel} installs tests or benchmarks")


if __name__ == "__main__":
    main(sys.argv[1:])
