"""``archive-pipeline hands``: which model reads which hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from archive_pipeline.errors import UsageError, printable
from archive_pipeline.models.hands import HandRecord, Promoted, hand_record, hand_records
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import promote, rollback
from archive_pipeline.settings import read_settings

if TYPE_CHECKING:
    from archive_pipeline.training.learning import Decided

_GENERAL = "the general model"


@click.group()
def hands() -> None:
    """See and set which model reads a hand: promoted by proof, and gone back on; see hands.md."""


@hands.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """Print the hands that a model was ever promoted for."""
    records = hand_records(read_settings().models_dir)
    if as_json:
        click.echo(json.dumps({"hands": [_row(each) for each in records]}, ensure_ascii=False, indent=1))
        return
    for each in records:
        last = each.history[-1]
        click.echo(f"{printable(each.name)}: {_told(each.promoted)} ({last.how} {last.when})")
    if not records:
        click.echo("No model is promoted for any hand.")


@hands.command()
@click.argument("hand")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(hand: str, as_json: bool) -> None:
    """Print what held for a hand, and what was decided on candidates that did not come to hold."""
    from archive_pipeline.promotion.proofs import kept

    models = read_settings().models_dir
    record, decisions = hand_record(models, hand), kept(models, hand)
    if as_json:
        told = [{"name": each.name, **each.decision.model_dump(mode="json")} for each in decisions]
        row = _row(record) if record else None
        click.echo(json.dumps({"hand": row, "decisions": told}, ensure_ascii=False, indent=1))
        return
    if record is None and not decisions:
        known = [f"'{printable(each.name)}'" for each in hand_records(models)]
        remedy = f"There are {', '.join(known)}." if known else "No model is promoted for any hand."
        raise UsageError(f"nothing was ever decided for a hand '{printable(hand)}'", remedy=remedy)
    click.echo(f"{printable(record.name if record else hand)}: read by {_told(record.promoted if record else None)}")
    for entry in record.history if record else ():
        why = printable(entry.reason or entry.decision)
        click.echo(f"  {entry.when} {entry.how}: {_told(entry.promoted)}{f'. {why}' if why else ''}")
    for each in decisions:
        lines = " (lines)" if each.decision.task == "segmentation" else ""
        click.echo(f"  decision {each.name}: {each.decision.candidate.id}{lines} {each.decision.verdict}")
        for reason in each.decision.reasons:
            click.echo(f"    {printable(reason)}")


@hands.command(name="promote")
@click.argument("hand")
@click.option("--model", "model_id", required=True, help="The model that is to read the hand.")
@click.option(
    "--segmentation-model",
    help="The model that is to find its lines, where no archive.yaml says otherwise; for kraken's models kraken-blla.",
)
@click.option(
    "--without-proof", metavar="REASON", help="Although no decision proves that it is better; the reason is kept."
)
def promote_(hand: str, model_id: str, segmentation_model: str | None, without_proof: str | None) -> None:
    """Have a model read a hand.

    A decision must say that it is better than the one that reads the hand now, and of a --segmentation-model that it is
    better with that model. Documents of the hand are read again in the next night, and no others.
    """
    from archive_pipeline.promotion.proofs import follow_last
    from archive_pipeline.training.proving import in_use
    from archive_pipeline.training.workshop import Workshop

    settings = read_settings()
    models = settings.models_dir
    library = ModelLibrary(models)
    model = library.installed(model_id, "recognition")
    model.verify()
    segmentation = library.installed(segmentation_model, "segmentation") if segmentation_model else None
    if segmentation is not None:
        segmentation.verify()
    if without_proof is not None:
        if not without_proof.strip():
            raise UsageError("--without-proof needs a reason", remedy="Say in a sentence why; it is kept.")
        record = promote(models, hand, model, segmentation=segmentation, reason=without_proof)
    else:
        now = in_use(Workshop.from_settings(settings), hand)
        record = follow_last(models, hand, model, now, segmentation)
    click.echo(f"{printable(record.name)}: read by {_told(record.promoted)} from now on.")


@hands.command()
@click.argument("hand")
@click.option("--model", "model_id", help="The candidate; by default the one that was trained last.")
@click.option("--segmentation-model", help="A candidate that finds lines, which the model in use then reads.")
def prove(hand: str, model_id: str | None, segmentation_model: str | None) -> None:
    """Have a candidate and the model in use read the frozen pages of a HAND, and promote it if it is proved better."""
    from archive_pipeline.training.hand_learner import HandLearner
    from archive_pipeline.training.learning import Candidate
    from archive_pipeline.training.line_learner import prove_lines
    from archive_pipeline.training.proving import in_use
    from archive_pipeline.training.workshop import Workshop

    shop = Workshop.from_settings(read_settings())
    key = shop.hand(hand)

    def told(said: str) -> None:
        click.echo(printable(said), err=True)

    if segmentation_model is not None:
        if model_id is not None:
            raise UsageError(
                "one model is proved at a time",
                remedy="Prove the one with --model, then the other one's lines with it.",
            )
        _say(segmentation_model, prove_lines(shop, key, segmentation_model, told))
        return
    learner = HandLearner(shop)
    candidate = Candidate(model_id, "") if model_id else learner.newest(key)
    if candidate is None:
        raise UsageError(
            f"no model was trained for the hand '{printable(hand)}'",
            remedy="Train one: archive-pipeline train recognition HAND.",
        )
    if in_use(shop, hand).recognition.id == candidate.model:
        click.echo(f"{candidate.model} reads this hand already.")
        return
    evaluated = learner.evaluate(key, candidate, told)
    decided = learner.promote(key, candidate, told)
    for name, value in evaluated.figures.items():
        click.echo(f"{name}: {printable(value)}")
    _say(candidate.model, decided)


def _say(model: str, decided: Decided) -> None:
    click.echo(f"{model} is {'promoted' if decided.promoted else 'not promoted'}. {printable(decided.reason)}")


@hands.command(name="rollback")
@click.argument("hand")
@click.option("--reason", default="", help="Why; it is kept.")
def rollback_(hand: str, reason: str) -> None:
    """Go back to the model that read a hand before, or to the general one. Nothing is lost."""
    record = rollback(read_settings().models_dir, hand, reason=reason)
    click.echo(f"{printable(record.name)}: read by {_told(record.promoted)} from now on.")


def _told(promoted: Promoted | None) -> str:
    if promoted is None:
        return _GENERAL
    lines = f", lines by {promoted.segmentation_model}" if promoted.segmentation_model else ""
    return f"{promoted.model} ({promoted.digest[:12]}{lines})"


def _row(record: HandRecord) -> dict[str, Any]:
    promoted = record.promoted.model_dump(mode="json") if record.promoted else None
    return {"key": record.key, "promoted": promoted, **record.model_dump(mode="json")}
