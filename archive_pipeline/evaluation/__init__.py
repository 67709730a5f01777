"""How well a model reads, how sure that is, and whether one model reads better than another."""
