"""The doctor for ground truth: says what is wrong before hours of training say it, and repairs nothing."""
