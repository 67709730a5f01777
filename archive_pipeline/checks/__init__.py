"""Whether a document came through whole: pages, lines, text of the PDF, exports that can be read.

What one document's files say is found once, when work on it ends, and kept as a row in ``checks.sqlite`` of the store;
a summary of a hundred thousand documents reads only the rows that have something to say.
"""
