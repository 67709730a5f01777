"""Partitions: one key per document, never one per page."""

import dagster as dg

DOCUMENTS = dg.DynamicPartitionsDefinition(name="documents")
