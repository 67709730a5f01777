"""Training of models on ground truth: recognition and segmentation, each in a room of its own."""
