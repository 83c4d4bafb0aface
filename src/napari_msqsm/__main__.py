"""``python -m napari_msqsm`` is ``msqsm``."""

import sys

from napari_msqsm.cli import main

if __name__ == "__main__":
    sys.exit(main())
