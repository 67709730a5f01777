"""A proof is followed once, on what it was made of; the command that does it, and goes back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from promoted import add_model, reads

from archive_pipeline.cli import cli
from archive_pipeline.errors import ArchiveError, ModelError, UsageError
from archive_pipeline.models.hands import HandRecord, Promoted, hand_record, promoted_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import InUse, promote, rollback
from archive_pipeline.promotion.decision import Decision, ModelName
from archive_pipeline.promotion.figures import Compared, PageErrors
from archive_pipeline.promotion.proofs import follow, follow_last, follow_lines, keep, kept
from archive_pipeline.promotion.weighing import weigh

HAND = "Jean Dupont"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def _decision(current: str, candidate: tuple[str, str], *, better: bool = True) -> Decision:
    both = [[PageErrors(f"p{n}", f"i{n}", errors, 1000) for n in range(8)] for errors in (300, 20 if better else 300)]
    names = ModelName(id="current", digest=current), ModelName(id=candidate[0], digest=candidate[1])
    return weigh(HAND, *names, Compared(*both), {})


def _of_lines(current: InstalledModel, candidate: InstalledModel, reader: InstalledModel) -> Decision:
    decision = _decision(current.digest, (candidate.id, candidate.digest))
    names = {"read_with": ModelName(id=reader.id, digest=reader.digest), "task": "segmentation"}
    return decision.model_copy(update=names)


def _in_use(models: Path, lines: str = "ppocr-v6-detection") -> InUse:
    """What the hand is read with now.

    Args:
        lines: Of the settings.
    """
    promoted, library = promoted_model(models, HAND), ModelLibrary(models)
    bound = promoted.segmentation_model if promoted else None
    return InUse(
        promoted,
        library.installed(promoted.model if promoted else "ppocr-v6-latin"),
        library.installed(bound or lines),
    )


def test_a_proof_is_followed_once_and_not_after_another_model_came_or_somebody_went_back(models: Path) -> None:
    one, two, three = (add_model(models, name) for name in ("one", "two", "three"))
    general = ModelLibrary(models).installed("ppocr-v6-latin").digest
    first = keep(models, _decision(general, (one.id, one.digest)))
    record = follow(models, first, one, _in_use(models))
    assert record is not None
    assert (reads(models, HAND), record.history[-1].decision) == ("one", first.name)
    # Compared with the general model, and by now another one reads the hand.
    with pytest.raises(UsageError, match="two was not compared with one, which reads the hand") as caught:
        follow(models, keep(models, _decision(general, (two.id, two.digest))), two, _in_use(models))
    assert caught.value.remedy == "Prove it anew: archive-pipeline hands prove 'Jean Dupont' --model two"
    second = keep(models, _decision(one.digest, (two.id, two.digest)))
    assert follow(models, second, two, _in_use(models)) is not None
    rollback(models, HAND)
    with pytest.raises(UsageError, match="somebody went back on model two"):
        follow(models, second, two, _in_use(models))
    rollback(models, HAND)
    with pytest.raises(UsageError, match="three was not compared with ppocr-v6-latin"):
        follow(models, keep(models, _decision(one.digest, (three.id, three.digest))), three, _in_use(models))
    assert reads(models, HAND) is None
    worse = keep(models, _decision(general, (three.id, three.digest), better=False))
    assert follow(models, worse, three, _in_use(models)) is None
    with pytest.raises(ModelError, match="another one than when it was proved") as other:
        follow(models, second, three, _in_use(models))
    assert other.value.remedy.endswith("--model three")


def test_what_happened_since_a_proof_was_begun_is_not_undone_by_it(models: Path) -> None:
    one, two = add_model(models, "one"), add_model(models, "two")
    lines, others = (add_model(models, name, "segmentation") for name in ("lines", "others"))
    promote(models, HAND, one)
    promote(models, HAND, one, segmentation=lines)
    proof = keep(models, _decision(one.digest, (two.id, two.digest)))
    of_lines = keep(models, _of_lines(lines, others, one))
    seen = _in_use(models)
    # Somebody goes back on the lines: neither a model that reads nor other lines bring them back.
    rollback(models, HAND)
    with pytest.raises(
        UsageError, match=r"two was not compared with one, which the hand .* instead of one on lines of l"
    ):
        follow(models, proof, two, seen)
    with pytest.raises(UsageError, match="model others was not compared with one") as caught:
        follow_lines(models, of_lines, others, one, seen)
    assert caught.value.remedy.endswith("hands prove 'Jean Dupont' --segmentation-model others")
    assert promoted_model(models, HAND) == Promoted(model="one", digest=one.digest)
    # Lines that were promoted meanwhile are not lost.
    seen = _in_use(models)
    promote(models, HAND, one, segmentation=others)
    with pytest.raises(UsageError, match="two was not compared with one on lines of others"):
        follow(models, proof, two, seen)
    assert promoted_model(models, HAND) == Promoted(model="one", digest=one.digest, segmentation_model="others")
    follow(models, proof, two, _in_use(models))
    assert promoted_model(models, HAND) == Promoted(model="two", digest=two.digest, segmentation_model="others")


def test_what_was_seen_in_pieces_while_somebody_promoted_is_refused(models: Path) -> None:
    one, two = add_model(models, "one"), add_model(models, "two")
    lines, others = (add_model(models, name, "segmentation") for name in ("lines", "others"))
    promote(models, HAND, one, segmentation=lines)
    seen = _in_use(models)
    with pytest.raises(UsageError, match="two was not compared with one, which reads"):
        promote(models, HAND, two, instead_of=replace(seen, recognition=add_model(models, "three")))
    with pytest.raises(UsageError, match="two was not compared with lines, which finds the lines"):
        promote(models, HAND, two, instead_of=replace(seen, segmentation=others))


@pytest.mark.parametrize("lines", [True, False], ids=["with-lines", "alone"])
def test_a_model_that_reads_the_hand_already_is_promoted_again_without_a_word(models: Path, lines: bool) -> None:
    one, found = add_model(models, "one"), add_model(models, "lines", "segmentation")
    keep(models, _decision("", (one.id, one.digest)))
    record = promote(models, HAND, one, segmentation=found)
    assert follow_last(models, HAND, one, _in_use(models), found if lines else None) == record
    assert hand_record(models, HAND) == record


@pytest.mark.parametrize("reads_already", [True, False], ids=["reads-already", "is-promoted-too"])
@pytest.mark.parametrize("bound", [True, False], ids=["bound", "of-the-settings"])
def test_a_proof_of_lines_against_others_than_those_of_now_is_not_followed(
    models: Path, reads_already: bool, bound: bool
) -> None:
    one, two = add_model(models, "one"), add_model(models, "two")
    before, now, lines = (add_model(models, name, "segmentation") for name in ("before", "now", "lines"))
    reader = one if reads_already else two
    promote(models, HAND, one, segmentation=now if bound else None)
    keep(models, _decision(one.digest, (two.id, two.digest)), datetime(2026, 1, 1, tzinfo=UTC))
    keep(models, _of_lines(before, lines, reader), datetime(2026, 1, 2, tzinfo=UTC))
    with pytest.raises(UsageError, match="lines was not compared with now, which finds the lines of the hand"):
        follow_last(models, HAND, reader, _in_use(models, "now"), lines)
    keep(models, _of_lines(now, lines, reader), datetime(2026, 1, 3, tzinfo=UTC))
    record = follow_last(models, HAND, reader, _in_use(models, "now"), lines)
    assert record.promoted == Promoted(model=reader.id, digest=reader.digest, segmentation_model="lines")


def test_decisions_are_kept_side_by_side(models: Path) -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    better, worse = _decision("", ("one", "b" * 64)), _decision("", ("one", "b" * 64), better=False)
    names = [keep(models, each, now).name for each in (better, worse, better)]
    assert names[0] == names[2] != names[1]
    assert all(name.startswith("20260501T120000.000000Z-") for name in names)
    assert {each.name: each.decision for each in kept(models, "jean dupont")} == {names[0]: better, names[1]: worse}
    assert kept(models, "Another") == ()


def test_decisions_of_one_second_are_told_in_their_order(models: Path) -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    made = [_decision("", (name, "b" * 64)) for name in ("one", "two", "three", "four", "five")]
    for number, each in enumerate(made):
        keep(models, each, now + timedelta(milliseconds=number))
    assert [each.decision for each in kept(models, HAND)] == made


def test_the_command_promotes_by_proof_or_with_a_reason_and_goes_back(models: Path, tmp_path: Path) -> None:
    one, two = add_model(models, "one"), add_model(models, "two")

    def call(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["hands", *words], env={"ARCHIVE_HOME": str(tmp_path)})
        error = result.exception if isinstance(result.exception, ArchiveError) else None
        return error.exit_code if error else result.exit_code, f"{result.stdout}{error or ''}"

    assert call("list") == (0, "No model is promoted for any hand.\n")
    status, text = call("promote", HAND, "--model", "one")
    assert (status, "no decision says that model one is better" in text) == (2, True)
    assert call("promote", HAND, "--model", "one", "--without-proof", " ")[0] == 2
    told = f"Jean Dupont: read by one ({one.digest[:12]}, lines by kraken-blla) from now on.\n"
    reason = ("--segmentation-model", "kraken-blla", "--without-proof", "it reads his z")
    assert call("promote", HAND, "--model", "one", *reason) == (0, told)
    keep(models, _decision(one.digest, (two.id, two.digest), better=False), datetime(2026, 1, 1, tzinfo=UTC))
    assert "A tie: both make as many errors" in call("promote", HAND, "--model", "two")[1]
    keep(models, _decision(one.digest, (two.id, two.digest)), datetime(2026, 1, 2, tzinfo=UTC))
    # Its lines are found as before: nobody proved that others are better, or worse.
    assert call("promote", HAND, "--model", "two") == (
        0,
        f"Jean Dupont: read by two ({two.digest[:12]}, lines by kraken-blla) from now on.\n",
    )
    lines = add_model(models, "lines", "segmentation")
    unproved = call("promote", HAND, "--model", "two", "--segmentation-model", "lines")
    assert (unproved[0], "model lines, read with two, is better" in unproved[1]) == (2, True)
    for reader, better in ((one, True), (two, False)):
        proof = _decision("0" * 64, (lines.id, lines.digest), better=better)
        about = {"task": "segmentation", "read_with": ModelName(id=reader.id, digest=reader.digest)}
        name = ModelName(id="kraken-blla", digest=ModelLibrary(models).installed("kraken-blla").digest)
        now = datetime(2026, 1, 3 if better else 4, tzinfo=UTC)
        keep(models, proof.model_copy(update={**about, "current": name}), now)
    # It is proved with another model that reads, and with this one it is not.
    assert "A tie" in call("promote", HAND, "--model", "two", "--segmentation-model", "lines")[1]
    proof = _decision("0" * 64, (lines.id, lines.digest)).model_copy(update={**about, "current": name})
    keep(models, proof, datetime(2026, 1, 5, tzinfo=UTC))
    told = f"Jean Dupont: read by two ({two.digest[:12]}, lines by lines) from now on.\n"
    assert call("promote", HAND, "--model", "two", "--segmentation-model", "lines") == (0, told)
    assert call("rollback", HAND, "--reason", "for the lines")[1].endswith("lines by kraken-blla) from now on.\n")
    shown = call("show", "jean dupont")[1]
    assert "lines (lines) kept" in shown
    assert "it reads his z" in shown
    assert "two kept" in shown
    assert "two promoted" in shown
    assert json.loads(call("list", "--json")[1])["hands"][0]["promoted"]["model"] == "two"
    assert call("rollback", HAND, "--reason", "worse on minutes")[1].startswith("Jean Dupont: read by one (")
    assert call("rollback", HAND)[1] == "Jean Dupont: read by the general model from now on.\n"
    assert call("rollback", HAND)[0] == 2
    # Without a proof, too, lines are found as before.
    assert call("promote", HAND, "--model", "one", *reason)[0] == 0
    told = f"Jean Dupont: read by two ({two.digest[:12]}, lines by kraken-blla) from now on.\n"
    assert call("promote", HAND, "--model", "two", "--without-proof", "no z") == (0, told)
    assert call("rollback", HAND)[0] == call("rollback", HAND)[0] == 0
    assert call("show", "Nobody")[0] == 2
    assert call("promote", HAND, "--model", "nope")[0] == 6
    record = hand_record(models, HAND)
    assert isinstance(record, HandRecord)
    assert [entry.reason for entry in record.history][3:6] == ["for the lines", "worse on minutes", ""]
