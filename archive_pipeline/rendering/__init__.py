"""PDF and image files to page images, in a sealed child process.

The rest of the house needs :mod:`~archive_pipeline.rendering.model` only, and must not import the parsers: that is
why nothing is imported here.
"""
