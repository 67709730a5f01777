"""Training of models, from ground truth to what is used for a hand."""
