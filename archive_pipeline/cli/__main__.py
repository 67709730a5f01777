"""``python -m archive_pipeline.cli``."""

from archive_pipeline.cli import main

main()
