"""``python -m archive_pipeline.sealed CHANNEL LIFELINE``: what a parent starts; of no use by hand."""

import os
import sys

from archive_pipeline.sealed.child import main

if __name__ == "__main__":
    status = main(int(sys.argv[1]), int(sys.argv[2]))
    sys.stderr.flush()
    # Not sys.exit: tearing down the numerical libraries takes seconds, and there is nothing left to save.
    os._exit(status)
