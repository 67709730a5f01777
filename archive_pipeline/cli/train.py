"""``archive-pipeline train``: models for a hand, from pages that people have transcribed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import click

from archive_pipeline.errors import printable
from archive_pipeline.settings import read_settings


@click.group()
def train() -> None:
    """Train models with ground truth and corrected pages; see training.md."""


@contextmanager
def _told_of_a_stop() -> Iterator[None]:
    """Tell who presses Ctrl-C what becomes of the training."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Stopped. The same command goes on from the last checkpoint, if one was made already.", err=True)
        raise


@train.command()
@click.argument("hand")
@click.option("--base", help="The recognition model to begin with; by default that of ARCHIVE_TRAINING_BASE.")
@click.option(
    "--minutes", type=click.FloatRange(0, min_open=True), help="Most minutes; by default ARCHIVE_TRAINING_MINUTES."
)
@click.option("--steps", type=click.IntRange(1), help="Batches; by default as many as fit into the minutes.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of everything that is drawn.")
@click.option(
    "--ngrams",
    default=6,
    show_default=True,
    type=click.IntRange(0),
    help="Characters by which the language of the hand is counted; 0 for none.",
)
def recognition(hand: str, base: str | None, minutes: float | None, steps: int | None, seed: int, ngrams: int) -> None:
    """Train a model that reads a HAND, from all its pages but those that are frozen.

    Killed, it goes on where it was when it is called again. The model reads no document yet: prove it with hands prove.
    """
    from archive_pipeline.training.hand_learner import HandLearner
    from archive_pipeline.training.workshop import Workshop

    shop = Workshop.from_settings(read_settings()).asked(
        base=base, minutes=minutes, steps=steps, seed=seed, ngrams=ngrams
    )
    with _told_of_a_stop():
        candidate = HandLearner(shop).train(shop.hand(hand), lambda said: click.echo(printable(said), err=True))
    click.echo(
        f"{candidate.model}: " + ", ".join(f"{name} {printable(value)}" for name, value in candidate.figures.items())
    )
    click.echo(
        f"Is it better? archive-pipeline hands prove {printable(repr(hand))} --model {candidate.model}", err=True
    )


@train.command()
@click.argument("hand")
@click.option(
    "--minutes", type=click.FloatRange(0, min_open=True), help="Most minutes; by default ARCHIVE_TRAINING_MINUTES."
)
@click.option("--steps", default=1000, show_default=True, type=click.IntRange(1), help="Pages to learn from, at most.")
@click.option(
    "--layers", default="all", show_default=True, type=click.Choice(["all", "last"]), help="That are trained."
)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Of everything that is drawn.")
def segmentation(hand: str, minutes: float | None, steps: int, layers: Literal["all", "last"], seed: int) -> None:
    """Train a model that finds the lines of a HAND, from all its pages but those that are frozen.

    Killed, it goes on where it was when it is called again. The model is used where an archive.yaml names it, or when
    hands prove --segmentation-model proves that it is better.
    """
    from archive_pipeline.training.line_learner import learn_lines
    from archive_pipeline.training.workshop import Workshop

    shop = Workshop.from_settings(read_settings())
    recipe = shop.for_lines(minutes=minutes, steps=steps, layers=layers, seed=seed)
    with _told_of_a_stop():
        learnt = learn_lines(shop, hand, recipe, lambda said: click.echo(printable(said), err=True))
    for name, score in ((learnt.base, learnt.before), (learnt.model, learnt.after)):
        if score is not None:
            click.echo(
                f"{name}: {score.matched} of {score.lines} lines found, {score.found - score.matched} that are none; "
                f"baseline F1 {score.baseline_f1:.3f}"
            )
    if not learnt.improved:
        click.echo(
            f"No step was better than {learnt.base} on the pages for validation: {learnt.model} is a copy of it."
        )
        return
    proof = f"archive-pipeline hands prove {printable(repr(hand))} --segmentation-model {learnt.model}"
    click.echo(f"Is more read right on its lines? {proof}", err=True)
