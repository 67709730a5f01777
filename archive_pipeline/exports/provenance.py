"""How a step was set, for the formats that write it as names with values."""

from __future__ import annotations

from archive_pipeline.page import Step, clean_text


def pairs(step: Step) -> dict[str, str]:
    """The model, its SHA-256 and the parameters of a step, by name, in that order."""
    found = {"model": step.model, "model-sha256": step.model_digest}
    found |= {name: str(value) for name, value in sorted(step.parameters.items())}
    return {name: clean_text(value) for name, value in found.items() if value}


def settings(step: Step) -> str:
    """The same as ``name=value`` with ``; `` between them."""
    return clean_text("; ".join(f"{name}={value}" for name, value in pairs(step).items()))
