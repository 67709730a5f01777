"""Partitions: one key per document, never one per page; one per set of ground truth, and one per hand."""

import dagster as dg

DOCUMENTS = dg.DynamicPartitionsDefinition(name="documents")
TRAINING_SETS = dg.DynamicPartitionsDefinition(name="training_sets")
HANDS = dg.DynamicPartitionsDefinition(name="hands")

DOCUMENTS_POOL = "documents"
MODELS_POOL = "models"
"""Of each pool one run at a time (``docker/dagster.yaml``): a training of an hour holds no document up."""
