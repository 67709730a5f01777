"""For all tests: none is timed, since a loaded machine is no failure."""

from hypothesis import settings

settings.register_profile("untimed", parent=settings(), deadline=None)
settings.load_profile("untimed")
