"""Training: from pages that people have transcribed to a model for their hand."""
