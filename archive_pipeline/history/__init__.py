"""What Dagster remembers: which runs may go, where logs lie, and how a document is taken out of all of it.

Dagster's open-source edition deletes whole runs only, and has no retention of its own but for ticks. What it lacks is
done here on its tables, whose shape belongs to the version that pyproject.toml pins; tests hold both together.
"""
