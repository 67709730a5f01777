"""How a step was set, as formats without a structure for it write it."""

from __future__ import annotations

from archive_pipeline.page import Step, clean_text


def settings(step: Step) -> str:
    """``name=value`` of the model, its SHA-256 and the parameters, by name, with ``; `` between them."""
    pairs = {name: str(value) for name, value in sorted(step.parameters.items())}
    if step.model_digest:
        pairs = {"model-sha256": step.model_digest} | pairs
    if step.model:
        pairs = {"model": step.model} | pairs
    return clean_text("; ".join(f"{name}={value}" for name, value in pairs.items()))
