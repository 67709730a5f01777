"""A short training in a process of its own, for tests that kill it: python training_run.py FOLDER SETS OUT"""

import sys
from pathlib import Path

from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.training.recognition import loop
from archive_pipeline.training.recognition.recipe import Limits, Recipe
from archive_pipeline.training.recognition.training import train_recognition
from archive_pipeline.training_sets.lines import pages_of_set
from archive_pipeline.training_sets.stored import TruthStore

RECIPE = Recipe(steps=8, batch=4, evaluations=4, warm_up=4, seed=1, threads=1, patience=0, average=0.9)

if __name__ == "__main__":
    folder, sets = map(Path, sys.argv[1:3])
    loop._CHECKPOINT_SECONDS = 0.0  # each step is kept
    truths = TruthStore(sets)
    truth = truths.load("drawn")
    assert truth is not None
    pages = list(pages_of_set(truths, truth))
    train_recognition(
        pages[:2],
        pages[2:],
        ModelLibrary(None).installed("ppocr-v6-latin"),
        RECIPE,
        folder,
        limits=Limits(minutes=60, memory_mb=16_000),
        told=lambda at: print(at.step, flush=True),
    )
