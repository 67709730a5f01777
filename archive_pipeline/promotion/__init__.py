"""Whether a new model takes the place of the one in use, by proof; which one reads a hand is in ``models.hands``."""
