"""Spelling suggestions for doubtful words: proposed beside what was read, never put in its place.

Off unless a language is named. Which words are asked about is in :mod:`words`, where the dictionaries come from in
:mod:`lists`, how a suggestion is found in :mod:`dictionary`, and the step on a whole page in :mod:`proposals`. Why it
is built so, and what it is worth: ``docs/adr/0009-post-correction.md``.
"""
