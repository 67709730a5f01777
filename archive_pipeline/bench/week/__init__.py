"""A week of an archive in an hour: uploads in bursts, bad files, kills, nights; and a ledger of what became of it.

The simulation drives a real installation from outside, as people, bad luck and the restarts of Compose do, and asks
Dagster over its web interface what it did. ``embedded`` is an installation of processes of this machine, ``compose``
one of containers.
"""
