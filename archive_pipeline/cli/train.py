"""``archive-pipeline train``: models for a hand, from pages that people have transcribed."""

from __future__ import annotations

import click

from archive_pipeline.errors import printable
from archive_pipeline.settings import read_settings


@click.group()
def train() -> None:
    """Train models with ground truth and corrected pages; see training.md."""


@train.command()
@click.argument("hand")
@click.option("--base", help="The recognition model to begin with; by default that of ARCHIVE_TRAINING_BASE.")
@click.option(
    "--minutes", type=click.FloatRange(0, min_open=True), help="Most minutes; by default ARCHIVE_TRAINING_MINUTES."
)
@click.option("--steps", type=click.IntRange(1), help="Batches; by default as many as fit into the minutes.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of everything that is drawn.")
def recognition(hand: str, base: str | None, minutes: float | None, steps: int | None, seed: int) -> None:
    """Train a model that reads a HAND, from all its pages but those that are frozen.

    Killed, it goes on where it was when it is called again. The model reads no document yet: prove it with hands prove.
    """
    from archive_pipeline.hand_names import hand_key
    from archive_pipeline.training.hand_learner import HandLearner, Workshop

    shop = Workshop.from_settings(read_settings()).asked(base=base, minutes=minutes, steps=steps, seed=seed)
    candidate = HandLearner(shop).train(hand_key(hand), lambda said: click.echo(printable(said), err=True))
    click.echo(
        f"{candidate.model}: " + ", ".join(f"{name} {printable(value)}" for name, value in candidate.figures.items())
    )
    click.echo(
        f"Is it better? archive-pipeline hands prove {printable(repr(hand))} --model {candidate.model}", err=True
    )
