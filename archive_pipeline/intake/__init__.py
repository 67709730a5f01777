"""What may enter: paths become documents, by what their names, sizes and times say.

This room runs in the parent, beside secrets, so it parses nothing: whether a file is what its name says is found out
in a sealed child. The only bytes it reads are those that it hashes.
"""

from archive_pipeline.intake.digests import content_digest, fingerprint, outside
from archive_pipeline.intake.expand import documents_below, expand
from archive_pipeline.intake.settings_files import read_settings_file, settings_files
from archive_pipeline.intake.source import Source, discover, open_file

__all__ = [
    "Source",
    "content_digest",
    "discover",
    "documents_below",
    "expand",
    "fingerprint",
    "open_file",
    "outside",
    "read_settings_file",
    "settings_files",
]
