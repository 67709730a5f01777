"""Scans of letters, registers and typescripts in, searchable text out.

The library knows nothing of Dagster but in ``definitions``, ``automation`` and ``cli``. Its rooms, from the
top floor down: ``cli`` · ``definitions`` · ``automation`` · (``assets``) · (``resources``), ``processing`` ·
``engines``, ``exports``, ``intake``, ``store`` · ``models``, ``rendering``, ``keys``, ``page`` · ``settings``,
``errors``, ``sealed``.
"""

__version__ = "0.1.0"
