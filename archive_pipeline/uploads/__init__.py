"""The upload folder: what lies in it, what became of it, and what is to be done next.

Nothing here opens an uploaded file: names, sizes and times tell all that is needed.
"""
