"""Training of recognition: kraken's networks, with our batching, checkpoints and limits."""
