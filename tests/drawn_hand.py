"""Ground truth of a hand that is drawn, not found: lines in the typewriter's letters, of which some are exchanged."""

from __future__ import annotations

import random
from pathlib import Path

from archive_pipeline.demo.archive import write_truth
from archive_pipeline.demo.pages import jpeg, typed_page

CIPHER = str.maketrans("aeo", "äëö")
"""The truth has other letters than the paper: a general model is wrong, and one that learns need not be."""
_WORDS = (
    "acte",
    "notaire",
    "maison",
    "jardin",
    "terre",
    "enfants",
    "soeur",
    "annee",
    "rente",
    "ecrire",
    "signe",
    "temoin",
    "raison",
    "contre",
    "autre",
)


def drawn_hand(folder: Path, pages: int, lines: int = 8, *, writer: str = "Jean Dupont", seed: int = 0) -> Path:
    """A set of typed pages whose truth exchanges some letters throughout: a habit that can be learnt."""
    folder.mkdir(parents=True)
    draw = random.Random(seed)
    written = []
    for number in range(1, pages + 1):
        texts = [" ".join(draw.choices(_WORDS, k=4)) + f" {number}{line}" for line in range(lines)]
        pixels, page = typed_page(number, texts, seed=100 * seed + number)
        (folder / f"{number:04d}.jpg").write_bytes(jpeg(pixels))
        regions = tuple(
            region.model_copy(
                update={
                    "lines": tuple(
                        line.model_copy(update={"text": line.text.translate(CIPHER), "words": ()})
                        for line in region.lines
                    )
                }
            )
            for region in page.regions
        )
        written.append(page.model_copy(update={"regions": regions}))
    write_truth(folder, written)
    (folder / "hand.yaml").write_text(f"writer: {writer}\nscript: Latin\nlicence: CC0-1.0\n", "utf-8")
    return folder
