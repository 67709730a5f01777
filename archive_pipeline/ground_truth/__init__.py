"""Transcriptions that people made or corrected elsewhere, read into the model: PAGE and ALTO, ours and other tools'."""
