"""What people take away: one module per format, and ``formats.py`` that knows them all.

A new format is one module with a function ``write(document, folder)`` that writes files below the exports folder and
yields them, and one line in :data:`archive_pipeline.exports.formats.FORMATS`. Exports are made from pages alone; only
the PDF needs the source too, and is therefore written in a sealed child (``searchable_pdf.py``).
"""
