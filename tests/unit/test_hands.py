"""Which model reads a hand: promoted, gone back on, kept from pruning, and chosen."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filelock import FileLock, Timeout
from promoted import add_model

from archive_pipeline.cli import cli
from archive_pipeline.errors import ArchiveError, ModelError, UsageError
from archive_pipeline.models import prune
from archive_pipeline.models.hands import HandRecord, Promoted, hand_record, hand_records, promoted_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import InUse, promote, rollback
from archive_pipeline.models.prune import candidates, remove
from archive_pipeline.processing.choice import RUN, Said, decide
from archive_pipeline.processing.document_settings import Wishes
from archive_pipeline.processing.said import said_again, said_of
from archive_pipeline.promotion.decision import Decision, ModelName
from archive_pipeline.promotion.figures import Compared, PageErrors
from archive_pipeline.promotion.proofs import follow, follow_last, follow_lines, keep, kept
from archive_pipeline.promotion.weighing import weigh

HAND = "Jean Dupont"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def reads(models: Path, hand: str = HAND) -> str | None:
    promoted = promoted_model(models, hand)
    return promoted.model if promoted else None


def test_a_hand_goes_back_step_by_step_and_its_history_only_grows(models: Path) -> None:
    one, two = add_model(models, "one"), add_model(models, "two")
    assert reads(models) is None
    promote(models, HAND, one, reason="first")
    promote(models, "jean  DUPONT", two, reason="second")
    assert (reads(models), reads(models, "JEAN dupont"), reads(models, "Jeanne")) == ("two", "two", None)
    steps = [rollback(models, HAND).promoted, rollback(models, HAND).promoted]
    assert [each.model if each else None for each in steps] == ["one", None]
    with pytest.raises(UsageError, match="no model is promoted for the hand 'Jean Dupont'"):
        rollback(models, HAND)
    promote(models, HAND, one)
    record = hand_record(models, HAND)
    assert record is not None
    assert record.name == HAND
    assert [entry.how for entry in record.history] == [
        "promoted",
        "promoted",
        "rolled back",
        "rolled back",
        "promoted",
    ]
    assert [entry.reason for entry in record.history[:2]] == ["first", "second"]
    assert (reads(models), record.before) == ("one", None)


def test_to_promote_what_is_promoted_changes_nothing(models: Path) -> None:
    one = add_model(models, "one")
    assert promote(models, HAND, one) == promote(models, HAND, one, reason="again")


def test_lines_are_found_as_before_where_nobody_names_a_model_for_them(models: Path) -> None:
    lines, others = (add_model(models, name, "segmentation") for name in ("lines", "others"))
    promote(models, HAND, add_model(models, "one"), segmentation=lines)
    for name, segmentation in (("two", None), ("three", others), ("four", None)):
        promote(models, HAND, add_model(models, name), segmentation=segmentation, reason="a person knows better")
    record = hand_record(models, HAND)
    assert record is not None
    found = [entry.promoted.segmentation_model for entry in record.history if entry.promoted]
    assert found == ["lines", "lines", "others", "others"]
    # They are as much in the way as the model itself if they were removed.
    others.path.unlink()
    with pytest.raises(ModelError, match="model others is not there any more"):
        promote(models, HAND, add_model(models, "five"))
    assert reads(models) == "four"


def test_two_at_once_lose_nothing(models: Path) -> None:
    several = [add_model(models, f"model-{number}") for number in range(8)]
    threads = [threading.Thread(target=promote, args=(models, HAND, model)) for model in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = hand_record(models, HAND)
    assert record is not None
    assert {entry.promoted.model for entry in record.history if entry.promoted} == {each.id for each in several}
    assert len(record.history) == 8


def test_what_finds_lines_or_is_served_is_not_promoted_to_read(models: Path) -> None:
    with pytest.raises(UsageError, match="another task"):
        promote(models, HAND, add_model(models, "lines", "segmentation"))
    with pytest.raises(UsageError, match="another task"):
        promote(models, HAND, add_model(models, "one"), segmentation=add_model(models, "two"))
    with pytest.raises(UsageError, match="read by a server"):
        promote(models, HAND, ModelLibrary(models).installed("surya-ocr-2"))
    assert hand_records(models) == ()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"schema_version": 1, "name": "Jean Dupont", "history": []}',
        '{"schema_version": 1, "name": "Another", "history": [{"how": "promoted", "promoted": null, "when": ""}]}',
        '{"schema_version": 1, "name": "Jean Dupont", "history": [{"how":"rolled back","promoted":null,"when":""}]}',
    ],
    ids=["torn", "empty", "no-history", "another-hand", "back-too-far"],
)
def test_a_damaged_record_is_said_and_never_taken_for_none(models: Path, text: str) -> None:
    record = promote(models, HAND, add_model(models, "one"))
    (models / "hands" / f"{record.key}.json").write_text(text)
    with pytest.raises(ModelError, match=r"says what model reads a hand, is damaged.*Restore it"):
        _raise_as_text(lambda: promoted_model(models, HAND))


def _raise_as_text(call: Any) -> None:
    try:
        call()
    except ArchiveError as error:
        raise type(error)(str(error)) from None


# --- pruning ---------------------------------------------------------------------------------------------------------


def test_models_that_a_hand_needs_are_not_pruned_and_those_it_had_are_told(models: Path) -> None:
    several = [add_model(models, name) for name in ("first", "second", "third", "other")]
    lines = add_model(models, "lines", "segmentation")
    promote(models, HAND, several[0], segmentation=lines)
    elsewhere = ModelLibrary(models).installed("kraken-blla")
    promote(models, HAND, several[1], segmentation=elsewhere)
    promote(models, HAND, several[2])
    found = {each.what: each for each in candidates(ModelLibrary(models), (), everything=True)}
    assert {name: each.hands for name, each in found.items()} == {
        "first": (),
        "second": (HAND,),
        "third": (HAND,),
        "other": (),
        "lines": (),
    }
    assert {name for name, each in found.items() if each.once} == {"first"}
    with pytest.raises(UsageError, match="model third reads Jean Dupont, or would after a rollback"):
        remove(found["third"], models)
    assert ModelLibrary(models).installed("third").path.exists()
    rollback(models, HAND)
    found = {each.what: each for each in candidates(ModelLibrary(models), (), everything=True)}
    # A rollback would go to the first one, and to its lines.
    assert {name for name, each in found.items() if each.hands} == {"first", "second", "lines"}
    assert {name for name, each in found.items() if each.once} == {"third"}


@pytest.mark.parametrize("role", ["recognition", "segmentation"])
def test_a_model_that_a_hand_got_since_it_was_listed_is_not_pruned(models: Path, role: str) -> None:
    one, lines = add_model(models, "one"), add_model(models, "lines", "segmentation")
    found = {each.what: each for each in candidates(ModelLibrary(models), (), everything=True)}
    promote(models, HAND, one, segmentation=lines)
    name = "one" if role == "recognition" else "lines"
    assert found[name].hands == ()
    with pytest.raises(UsageError, match=f"model {name} reads Jean Dupont"):
        remove(found[name], models)
    ModelLibrary(models).installed(name).verify()


def test_nothing_is_promoted_while_a_model_is_removed(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_model(models, "one")
    (found,) = candidates(ModelLibrary(models), (), everything=True)
    held: list[bool] = []

    def removed(folder: Path, root: Path) -> None:
        try:
            FileLock(root / "hands" / ".lock").acquire(timeout=0)
        except Timeout:
            held.append(True)

    monkeypatch.setattr(prune, "remove_folder", removed)
    assert remove(found, models)
    assert held == [True]


def test_a_model_that_was_pruned_meanwhile_is_not_promoted(models: Path) -> None:
    one = add_model(models, "one")
    (found,) = candidates(ModelLibrary(models), (), everything=True)
    assert remove(found, models)
    with pytest.raises(ModelError, match="model one is not there any more"):
        promote(models, HAND, one)
    assert promoted_model(models, HAND) is None


def test_the_prune_command_keeps_them(models: Path, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        promote(models, HAND, add_model(models, name))
    add_model(models, "four")
    environment = {"ARCHIVE_HOME": str(tmp_path)}
    (tmp_path / "store" / "documents").mkdir(parents=True)
    told = CliRunner().invoke(cli, ["models", "prune", "--all", "--json"], env=environment)
    stays = {row["what"]: row["stays"] for row in json.loads(told.stdout)}
    assert stays["four"] is None
    assert stays["one"] == "it has read the hand Jean Dupont; add --even-used"
    assert stays["three"].startswith("it reads the hand Jean Dupont, or would after a rollback")
    CliRunner().invoke(cli, ["models", "prune", "--all", "--even-used"], env=environment)
    assert {entry.id for entry in ModelLibrary(models).kept} == {"two", "three"}


# --- choice ----------------------------------------------------------------------------------------------------------


def said(where: str, **wishes: Any) -> Said:
    return Said(where, Wishes(**wishes), dict.fromkeys(wishes, 3), is_file=where.endswith(".yaml"))


PROMOTED = f"promoted for the hand {HAND}"


@pytest.mark.parametrize(
    ("places", "model", "origin"),
    [
        ([said("a.yaml", hand=HAND)], "of-jean", PROMOTED),
        ([said("a.yaml", hand="jean  dupont")], "of-jean", "promoted for the hand jean dupont"),
        ([said("a.yaml", hand="Another")], "ppocr-v6-latin", "built in"),
        ([said("a.yaml", hand=HAND, model="own")], "own", "a.yaml"),
        ([said("a.yaml", model="own"), said("above.yaml", hand=HAND)], "own", "a.yaml"),
        # The hand is named nearer to the document than the model.
        ([said("a.yaml", hand=HAND), said("above.yaml", model="own")], "of-jean", PROMOTED),
        ([said("a.yaml", hand="Another"), said("above.yaml", model="own", hand=HAND)], "own", "above.yaml"),
        ([said("a.yaml", hand=HAND), said("settings", model="own")], "of-jean", PROMOTED),
        ([said(RUN, model="own"), said("a.yaml", hand=HAND)], "own", RUN),
        ([said(RUN, hand=HAND), said("a.yaml", model="own")], "of-jean", PROMOTED),
    ],
    ids=[
        "hand",
        "folded",
        "unknown",
        "same-place",
        "model-nearer",
        "hand-nearer",
        "other-hand",
        "settings",
        "run",
        "run-hand",
    ],
)
def test_the_promoted_model_comes_right_behind_the_place_that_names_the_hand(
    models: Path, places: list[Said], model: str, origin: str
) -> None:
    add_model(models, "own")
    promote(models, HAND, add_model(models, "of-jean"))
    choices = decide(places, ModelLibrary(models)).choices
    assert (choices.model, choices.origins["model"]) == (model, origin)
    assert choices.chosen_by == (
        "run" if RUN in (places[0].where,) else "settings" if model[:3] == "ppo" else "document"
    )


@pytest.mark.parametrize(
    ("places", "segmentation", "origin"),
    [
        ([said("a.yaml", hand=HAND)], "kraken-blla", PROMOTED),
        ([said("a.yaml", hand=HAND), said("settings", engine="ppocr")], "kraken-blla", PROMOTED),
        ([said("a.yaml", hand=HAND, engine="ppocr")], "ppocr-v6-detection", "built in"),
        ([said("a.yaml", segmentation_model="own-lines", hand=HAND)], "own-lines", "a.yaml"),
        # Who names a model for reading has said nothing of lines.
        ([said(RUN, model="own"), said("a.yaml", hand=HAND)], "kraken-blla", PROMOTED),
    ],
    ids=["hand", "settings", "engine", "own", "run"],
)
def test_lines_are_found_as_the_promoted_model_needs_them_unless_somebody_nearer_says_otherwise(
    models: Path, places: list[Said], segmentation: str, origin: str
) -> None:
    add_model(models, "own")
    add_model(models, "own-lines", "segmentation")
    library = ModelLibrary(models)
    promote(models, HAND, add_model(models, "of-jean"), segmentation=library.installed("kraken-blla"))
    choices = decide(places, ModelLibrary(models)).choices
    assert (choices.segmentation_model, choices.origins["segmentation_model"]) == (segmentation, origin)


def test_a_promoted_model_that_is_gone_or_another_one_now_is_said_with_the_way_back(models: Path) -> None:
    model = add_model(models, "of-jean")
    promote(models, HAND, model)
    add_model(models, "of-jean", data=b"another")
    with pytest.raises(ModelError, match="of-jean, promoted for the hand Jean Dupont, cannot be used") as caught:
        decide([said("a.yaml", hand=HAND)], ModelLibrary(models))
    assert "hands rollback" in caught.value.remedy
    (models / "entries" / "of-jean.json").unlink()
    with pytest.raises(ModelError, match="of-jean, promoted for the hand Jean Dupont, cannot be used"):
        decide([said("a.yaml", hand=HAND)], ModelLibrary(models))
    # Whoever names a model has no use for it.
    assert decide([said(RUN, model="ppocr-v6-latin"), said("a.yaml", hand=HAND)], ModelLibrary(models))


def test_what_files_say_comes_back_from_a_state() -> None:
    wishes = (Wishes(hand="Jérôme", language="fr"), Wishes(language="de"), Wishes(engine="kraken", model="x"))
    assert [each.wishes for each in said_again(said_of(wishes))] == [
        Wishes(hand="Jérôme"),
        Wishes(engine="kraken", model="x"),
    ]
    assert said_of([Wishes(language="de")]) == said_of([]) == "[]"


# --- proofs ----------------------------------------------------------------------------------------------------------


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
    assert (reads(models), record.history[-1].decision) == ("one", first.name)
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
    assert reads(models) is None
    worse = keep(models, _decision(general, (three.id, three.digest), better=False))
    assert follow(models, worse, three, _in_use(models)) is None
    with pytest.raises(ModelError, match=r"another one than when it was proved.*Prove it anew: .* --model three"):
        _raise_as_text(lambda: follow(models, second, three, _in_use(models)))


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
