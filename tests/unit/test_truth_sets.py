"""Ground truth from folders and ZIPs into the store: found, read in a sealed child, looked over, stored once."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests_support import files_below

from archive_pipeline.bench.hostile_zips import ratio, with_name
from archive_pipeline.cli import cli
from archive_pipeline.errors import BadArchive, BadGroundTruth, BadSettings, TooLarge, UsageError
from archive_pipeline.training_sets import reading as truth_reading
from archive_pipeline.training_sets.checking import check_set, pages_for_tests
from archive_pipeline.training_sets.hand import Hand, parse_hand, same_hand
from archive_pipeline.training_sets.importing import Imported, import_truth
from archive_pipeline.training_sets.lines import pages_of_set
from archive_pipeline.training_sets.names import ImageNames, page_of_line, sort_names
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.stored import TruthStore

PAGE_2013 = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15"
PAGE_2019 = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
SIZE = (400, 300)
OPTIONS = ReadOptions()


def page_xml(image: str, texts: list[str], namespace: str = PAGE_2019, creator: str = "escriptorium") -> str:
    lines = "".join(
        f'<TextLine id="l{n}"><Coords points="10,{20 + 40 * n} 390,{20 + 40 * n} 390,{50 + 40 * n} 10,{50 + 40 * n}"/>'
        f'<Baseline points="10,{42 + 40 * n} 390,{42 + 40 * n}"/>'
        f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>"
        for n, text in enumerate(texts)
    )
    return (
        f'<PcGts xmlns="{namespace}"><Metadata><Creator>{creator}</Creator></Metadata>'
        f'<Page imageFilename="{image}" imageWidth="{SIZE[0]}" imageHeight="{SIZE[1]}">'
        f'<TextRegion id="r"><Coords points="0,0 399,0 399,299 0,299"/>{lines}</TextRegion></Page></PcGts>'
    )


def alto_xml(image: str, texts: list[str], version: int, unit: str = "pixel", scale: float = 1) -> str:
    def number(value: float) -> int:
        return round(value * scale)

    lines = "".join(
        f'<TextLine ID="l{n}" HPOS="{number(10)}" VPOS="{number(20 + 40 * n)}" WIDTH="{number(380)}" '
        f'HEIGHT="{number(30)}" '
        f'BASELINE="{number(42 + 40 * n)}"><String CONTENT="{text}" HPOS="{number(10)}" VPOS="{number(20 + 40 * n)}" '
        f'WIDTH="{number(380)}" HEIGHT="{number(30)}"/></TextLine>'
        for n, text in enumerate(texts)
    )
    return (
        f'<alto xmlns="http://www.loc.gov/standards/alto/ns-v{version}#"><Description>'
        f"<MeasurementUnit>{unit}</MeasurementUnit><sourceImageInformation><fileName>{image}</fileName>"
        f"</sourceImageInformation></Description><Layout>"
        f'<Page ID="p" WIDTH="{number(SIZE[0])}" HEIGHT="{number(SIZE[1])}">'
        f'<PrintSpace><TextBlock ID="b" HPOS="0" VPOS="0" WIDTH="{number(400)}" HEIGHT="{number(300)}">{lines}'
        "</TextBlock></PrintSpace></Page></Layout></alto>"
    )


def picture(path: Path, shade: int, dpi: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", SIZE, shade)
    image.save(path, **({"dpi": (dpi, dpi)} if dpi else {}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A page of each flavour, and two lines."""
    made = tmp_path / "given"
    made.mkdir()
    for shade, name in enumerate(("a.png", "b.jpg", "c.png", "sub/d.png", "line-1.png", "line-2.bin.png"), start=100):
        picture(made / name, shade, dpi=300 if name == "c.png" else 0)
    (made / "a.xml").write_text(page_xml("elsewhere/a.png", ["un", "deux"]), "utf-8")
    (made / "page").mkdir()
    (made / "page" / "0001_p.xml").write_text(page_xml("b.jpg", ["trois"], PAGE_2013, "Transkribus"), "utf-8")
    (made / "c.xml").write_text(alto_xml("c.tif", ["quatre"], 2, "inch1200", 4), "utf-8")
    (made / "alto").mkdir()
    (made / "alto" / "e.xml").write_text(alto_xml("d.png", ["cinq"], 4), "utf-8")
    (made / "line-1.gt.txt").write_text("six\n", "utf-8")
    (made / "line-2.gt.txt").write_text("e\u0301", "utf-8")
    (made / "hand.yaml").write_text("writer: Jean\nlanguage: fra\nlicence: CC-BY-4.0\nperiod: 1858\n", "utf-8")
    return made


TEXTS = {
    "a.xml": ["un", "deux"],
    "alto/e.xml": ["cinq"],
    "c.xml": ["quatre"],
    "page/0001_p.xml": ["trois"],
    "line-1.gt.txt": ["six"],
    "line-2.gt.txt": ["é"],
}


def zipped(folder: Path, inside: str = "") -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in files_below(folder):
            archive.write(folder / name, f"{inside}{name}")
    return path


@pytest.fixture
def store(tmp_path: Path) -> TruthStore:
    return TruthStore(tmp_path / "store" / "ground-truth")


def imported(path: Path, store: TruthStore, name: str = "jean", *, replace: bool = False) -> Imported:
    return import_truth(path, name, store, OPTIONS, replace=replace, work=store.root.parent / "work")


def texts_of(store: TruthStore, name: str = "jean") -> dict[str, list[str]]:
    truth = store.load(name)
    assert truth is not None
    return {
        page.id.removeprefix(f"{name}/"): [line.text for line in page.lines()] for page in pages_of_set(store, truth)
    }


def test_every_flavour_is_read_from_a_folder_and_stored_with_its_provenance(folder: Path, store: TruthStore) -> None:
    truth = imported(folder, store).truth
    assert texts_of(store) == TEXTS
    assert truth.hand == Hand(writer="Jean", language="fr", licence="CC-BY-4.0", period="1858")
    assert truth.left_out == {}
    pages = {entry.file: store.page("jean", entry) for entry in truth.pages}
    found = {file: (page.image_name, page.found_by) for file, page in pages.items()}
    assert found == {
        "a.xml": ("a.png", "named"),
        "alto/e.xml": ("sub/d.png", "named"),
        "c.xml": ("c.png", "name"),
        "page/0001_p.xml": ("b.jpg", "named"),
        "line-1.gt.txt": ("line-1.png", "name"),
        "line-2.gt.txt": ("line-2.bin.png", "name"),
    }
    # Inches became pixels by the resolution of the image.
    assert [line.box for line in pages["c.xml"].page.lines()] == [(10, 20, 390, 50)]
    assert all(store.image_path("jean", entry.image).is_file() for entry in truth.pages)
    assert files_below(store.root.parent / "work") == []


def test_a_zip_of_the_folder_is_the_same_ground_truth(folder: Path, store: TruthStore) -> None:
    first = imported(folder, store)
    again = imported(zipped(folder), store)
    assert (first.changed, again.changed) == (True, False)
    assert again.truth == first.truth
    assert files_below(store.root.parent / "work") == []


def test_a_zip_with_the_folder_in_it_is_read_too(folder: Path, store: TruthStore) -> None:
    truth = imported(zipped(folder, "given/"), store).truth
    assert truth.writer == "Jean"
    assert len(truth.pages) == len(TEXTS)


def test_another_set_of_the_same_name_is_refused_until_it_may_replace(folder: Path, store: TruthStore) -> None:
    imported(folder, store)
    (folder / "line-1.gt.txt").write_text("sept", "utf-8")
    with pytest.raises(UsageError, match=r"other ground truth of the name jean \(6 pages\)"):
        imported(folder, store)
    assert texts_of(store) == TEXTS
    before = files_below(store.root)
    assert imported(folder, store, replace=True).changed
    assert texts_of(store)["line-1.gt.txt"] == ["sept"]
    # What only the old one had is gone.
    assert len(files_below(store.root)) == len(before)


def test_a_kill_before_the_list_is_written_leaves_the_old_set(
    folder: Path, store: TruthStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(folder, store)
    (folder / "line-1.gt.txt").write_text("sept", "utf-8")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TruthStore, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            imported(folder, store, replace=True)
    assert texts_of(store) == TEXTS
    assert not imported_again(folder, store)


def imported_again(folder: Path, store: TruthStore) -> bool:
    (folder / "line-1.gt.txt").write_text("six\n", "utf-8")
    return imported(folder, store).changed


def test_pages_that_cannot_be_trained_with_are_left_out_with_the_reason(folder: Path, store: TruthStore) -> None:
    (folder / "broken.xml").write_text("<PcGts", "utf-8")
    (folder / "alone.xml").write_text(page_xml("alone.png", ["x"]), "utf-8")
    picture(folder / "small.png", 7)
    (folder / "small.xml").write_text(page_xml("small.png", ["x"]).replace('"400"', '"800"'), "utf-8")
    (folder / "entity.xml").write_text(
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>\n<PcGts>&b;</PcGts>', "utf-8"
    )
    picture(folder / "twice.png", 100)
    (folder / "twice.xml").write_text(page_xml("twice.png", ["x"]), "utf-8")
    left_out = imported(folder, store).truth.left_out
    assert sorted(left_out) == ["alone.xml", "broken.xml", "entity.xml", "small.xml", "twice.xml"]
    assert left_out["alone.xml"].startswith("there is no image for it")
    assert left_out["small.xml"] == "it is of an image of 800 x 300 pixels, small.png has 400 x 300"
    assert left_out["twice.xml"] == "its image is that of a.xml"
    assert "document type declaration" in left_out["entity.xml"]
    assert texts_of(store) == TEXTS


def test_a_line_that_is_unfit_stays_on_its_page_and_is_not_trained_with(folder: Path, store: TruthStore) -> None:
    text = (folder / "a.xml").read_text("utf-8")
    (folder / "a.xml").write_text(text.replace("10,42 390,42", "10,200 390,200"), "utf-8")
    truth = imported(folder, store).truth
    (entry,) = [entry for entry in truth.pages if entry.file == "a.xml"]
    assert entry.skip == (0,)
    assert texts_of(store)["a.xml"] == ["deux"]
    assert [line.text for line in store.page("jean", entry).page.lines()] == ["un", "deux"]


def test_nothing_to_train_with_is_an_error_that_says_why(tmp_path: Path, store: TruthStore) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadGroundTruth, match="it has no transcriptions"):
        imported(tmp_path / "empty", store)
    (tmp_path / "empty" / "a.xml").write_text(page_xml("a.png", ["x"]), "utf-8")
    with pytest.raises(BadGroundTruth, match=r"nothing in it can be trained with \(a\.xml: there is no image"):
        imported(tmp_path / "empty", store)
    assert store.load("jean") is None


def test_hostile_zips_are_refused_as_a_whole_and_leave_nothing(tmp_path: Path, store: TruthStore) -> None:
    path = tmp_path / "a.zip"
    for data, error in ((with_name("../../a.xml"), BadArchive), (ratio(), TooLarge), (b"PK", BadArchive)):
        path.write_bytes(data)
        with pytest.raises(error, match=r"a\.zip"):
            imported(path, store)
    assert [name for name in files_below(tmp_path) if not name.endswith("lock")] == ["a.zip"]


def test_a_file_that_the_child_does_not_survive_stops_no_other(tmp_path: Path) -> None:
    for name in ("a", "b"):
        picture(tmp_path / f"{name}.png", 1)
        (tmp_path / f"{name}.xml").write_text(page_xml(f"{name}.png", ["x"]), "utf-8")
    (tmp_path / "hand.yaml").write_text("writer: Jean\nlicence: CC0-1.0", "utf-8")
    found = check_set(tmp_path, ReadOptions(seconds=1e-9)).findings
    assert [(each.code, each.file) for each in found] == [
        ("unreadable", "a.xml"),
        ("unreadable", "b.xml"),
        ("nothing", ""),
    ]
    assert "was not finished" in found[0].what


def test_links_in_a_folder_are_not_followed(folder: Path, store: TruthStore, tmp_path: Path) -> None:
    picture(tmp_path / "secret.png", 1)
    (folder / "s.png").symlink_to(tmp_path / "secret.png")
    (folder / "s.xml").write_text(page_xml("s.png", ["x"]), "utf-8")
    (folder / "up").symlink_to(tmp_path)
    assert imported(folder, store).truth.left_out.keys() == {"s.xml"}


def test_pages_of_a_set_for_tests_are_found_by_their_images(folder: Path, store: TruthStore) -> None:
    imported(folder, store)
    checked = check_set(folder, OPTIONS, pages_for_tests(store, ["jean"]))
    assert [each.file for each in checked.findings if each.code == "in-test-set"] == sorted(
        TEXTS, key=list(TEXTS).index
    )
    assert "in-test-set" not in {each.code for each in check_set(folder, OPTIONS).findings}
    with pytest.raises(UsageError, match="there is no ground truth nobody"):
        pages_for_tests(store, ["nobody"])


@pytest.mark.parametrize("name", ["../up", "", "A", "a/b", ".a", "a..b", "a" * 81])
def test_a_set_has_a_name_that_is_safe(name: str, store: TruthStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no name for ground truth"):
        store.folder(name)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("writter: a", "line 1: there is no field 'writter'"),
        ("writer: &a b", "line 1: anchors and aliases"),
        ("writer: [a]", "line 1: lists and nested"),
        ("writer: !!python/object:os.system a", "line 1: tags"),
        ("period: 1\nlanguage: klingon99999999", "line 2: language cannot be"),
        ("writer: " + "a" * 300, "line 1: writer cannot be .* it has more than 200 characters"),
    ],
)
def test_a_hand_that_cannot_be_obeyed_is_refused_with_its_line(text: str, error: str) -> None:
    with pytest.raises(BadSettings, match=error):
        parse_hand(text.encode())


def test_who_wrote_no_yaml_is_sent_to_what_is_said_of_this_file() -> None:
    with pytest.raises(BadSettings, match="line 2: this is no YAML") as error:
        parse_hand(b"writer\nlicence: CC0-1.0\n")
    assert error.value.remedy == "Mend hand.yaml; see ground-truth.md."


def test_a_hand_says_what_stands_there_and_nothing_where_nothing_stands() -> None:
    assert parse_hand(b"") == Hand()
    assert parse_hand(b"writer: no\nperiod: 1858\nscript:\n") == Hand(writer="no", period="1858")


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_a_hand_or_refused(data: bytes) -> None:
    try:
        parse_hand(data)
    except BadSettings as error:
        assert error.what  # noqa: PT017 - either is right


def test_hands_are_the_same_whatever_their_case_and_blanks_and_nobody_is_nobody_else() -> None:
    assert same_hand("Jean  Dupont", "jean dupont ")
    assert not same_hand("Jean", "Jeanne")
    assert not same_hand("", "")
    assert not same_hand(None, None)


@pytest.mark.parametrize(
    ("file", "told", "images", "found"),
    [
        ("a.xml", "b.jpg", ["a.jpg", "b.jpg"], ("b.jpg", "named")),
        ("a.xml", "b.jpg", ["a.jpg"], ("a.jpg", "name")),
        ("a.xml", r"C:\scans\B.JPG", ["b.jpg"], ("b.jpg", "named")),
        ("a.xml", "https://example.org/iiif/b.jpg", ["b.jpg"], ("b.jpg", "named")),
        ("page/a.xml", "x", ["a.png"], ("a.png", "name")),
        ("page/a.xml", "x", ["other/a.png"], None),
        ("1/a.xml", "b.jpg", ["2/b.jpg"], ("2/b.jpg", "named")),
        ("1/a.xml", "b.jpg", ["2/b.jpg", "3/b.jpg"], None),
        ("a.xml", "../../etc/passwd", [], None),
    ],
)
def test_an_image_is_the_one_that_is_named_or_of_the_same_name(
    file: str, told: str, images: list[str], found: tuple[str, str] | None
) -> None:
    assert ImageNames(images).of_page(file, told) == found


@pytest.mark.parametrize("alto_scale", [1, 2], ids=["both-good", "alto-of-another-size"])
def test_of_a_page_as_page_and_as_alto_one_is_taken(tmp_path: Path, store: TruthStore, alto_scale: int) -> None:
    folder = tmp_path / "both"
    for name in ("page", "alto"):
        (folder / name).mkdir(parents=True)
    Image.new("L", (SIZE[0], SIZE[1]), 7).save(folder / "1.png")
    (folder / "page" / "1.xml").write_text(page_xml("1.png", ["un deux"]), "utf-8")
    (folder / "alto" / "1.xml").write_text(alto_xml("1.png", ["un deux"], 4, scale=alto_scale), "utf-8")
    truth = imported(folder, store).truth
    taken = "alto/1.xml" if alto_scale == 1 else "page/1.xml"
    assert [each.file for each in truth.pages] == [taken]
    assert len(truth.left_out) == 1
    errors = [each.code for each in truth.findings if each.severity == "error"]
    assert errors == ([] if alto_scale == 1 else ["image-size"])
    if alto_scale == 1:
        assert truth.left_out["page/1.xml"] == "it is passed over: alto/1.xml is of the same image, and is taken"


class Counted(list[str]):
    """Names that count how often somebody goes through all of them."""

    gone_through = 0

    def __iter__(self) -> Iterator[str]:
        self.gone_through += 1
        return super().__iter__()


def test_however_many_pages_and_lines_there_are_their_images_are_gone_through_once() -> None:
    images = Counted(name for n in range(50) for name in (f"scans/{n}.JPG", f"lines/{n}-1.nrm.png"))
    names = ImageNames(images)
    for number in range(50):
        assert names.of_page(f"page/{number}.xml", f"{number}.jpg") == (f"scans/{number}.JPG", "named")
        assert names.of_line(f"lines/{number}-1.gt.txt") == f"lines/{number}-1.nrm.png"
    assert names.of_line("lines/99-1.gt.txt") is None
    assert images.gone_through == 1


def test_a_reader_makes_the_index_of_its_images_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    class Noted(ImageNames):
        def __init__(self, images: Sequence[str]) -> None:
            made.append(len(images))
            super().__init__(images)

    monkeypatch.setattr(truth_reading, "ImageNames", Noted)
    for number in range(3):
        Image.new("L", (200, 40), number).save(folder / f"9-{number}.png")
        (folder / f"9-{number}.gt.txt").write_text("un deux", "utf-8")
    with truth_reading.reading(folder, OPTIONS) as reader:
        assert sum(page.image_name.startswith("9-") for page in reader.pages()) == 3
    assert len(made) == 1


@pytest.mark.parametrize("writer", ["auto", "' AUTO '"])
def test_a_hand_that_nobody_knows_is_no_writer(writer: str) -> None:
    with pytest.raises(BadSettings, match=r"line 2: .*stands for a hand that nobody knows"):
        parse_hand(f"licence: CC0-1.0\nwriter: {writer}\n".encode())


@pytest.mark.parametrize(
    ("file", "page"),
    [
        ("box/12-003.gt.txt", "box/12"),
        ("p7_line_04.gt.txt", "p7"),
        ("box/04b6c770.gt.txt", "box"),
        ("a/000-001.gt.txt", "a/000"),
    ],
)
def test_lines_of_one_page_are_known_by_their_names(file: str, page: str) -> None:
    assert page_of_line(file) == page


def test_names_are_sorted_as_people_count() -> None:
    found = sort_names(["p10.xml", "p2.xml", "p2.jpg", "x/hand.yaml", "hand.yaml", "mets.xml", "l.gt.txt"])
    assert found.pages == ("p2.xml", "p10.xml")
    assert (found.lines, found.images, found.hand) == (("l.gt.txt",), ("p2.jpg",), "hand.yaml")


def test_the_commands_check_import_and_list(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "home"))
    run = CliRunner().invoke
    checked = run(cli, ["ground-truth", "check", str(folder), "--json"])
    assert checked.exit_code == 0, checked.output
    (found,) = json.loads(checked.stdout)["sets"]
    assert (found["pages"], found["lines"], found["errors"]) == (6, 7, 0)
    assert [each["code"] for each in found["findings"]] == ["normal-form"]
    assert run(cli, ["ground-truth", "import", str(folder), "--name", "jean"]).stdout == "jean: 6 pages, 7 lines\n"
    again = run(cli, ["ground-truth", "import", str(folder), "--name", "jean"])
    assert again.stdout == "jean: 6 pages, 7 lines (as it was stored before)\n"
    assert run(cli, ["ground-truth", "list"]).stdout == "jean: 6 pages, 7 lines (Jean, fr, 1858, CC-BY-4.0)\n"
    (folder / "a.xml").write_text("<PcGts", "utf-8")
    assert run(cli, ["ground-truth", "check", str(folder)]).exit_code == 3
