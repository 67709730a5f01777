"""Two processes fetch the same model and are killed at random: always one good copy, and nothing torn."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import threading
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from model_server import CONFIG, NAME, ModelServer, fetch_into, in_process, safetensors, serving, staged_bytes, visible

from archive_pipeline.models.entry import ModelEntry
from archive_pipeline.models.remote import digest

ROUNDS = 20
SEED = 6


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as server:
        server.files = {NAME: safetensors(1_000_000), "config.json": CONFIG}
        server.pace = 0.02  # some 0.3 s a transfer
        yield server


class Watcher(threading.Thread):
    """Looks at the store all the time, and counts what should never be seen."""

    def __init__(self, root: Path, entry: ModelEntry) -> None:
        super().__init__(daemon=True)
        self.folder = root / str(entry.digest)
        self.entry = entry
        self.looks = self.seen = self.torn = 0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.002):
            self.looks += 1
            if self.folder.exists():
                self.seen += 1
                try:
                    whole = all(digest(self.folder / file.name, "sha256") == file.sha256 for file in self.entry.files)
                except FileNotFoundError:
                    whole = not self.folder.exists()  # the test has just removed it for the next round
                self.torn += not whole


def wait_for(process: BaseProcess, chance: random.Random, root: Path, size: int) -> None:
    """Wait for a random time, or until a random part of the model has come, so that a loaded machine is hit, too."""
    if chance.random() < 0.4:
        process.join(chance.uniform(0.05, 0.5))
        return
    part = chance.uniform(0, size)
    while process.is_alive() and staged_bytes(root) < part:
        time.sleep(0.005)


def test_two_processes_killed_at_random_leave_one_good_copy_and_nothing_torn(
    server: ModelServer, tmp_path: Path
) -> None:
    entry = server.entry("web", engine="surya", task="segmentation")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["archive_pipeline.models.fetch"])
    chance = random.Random(SEED)
    watcher = Watcher(tmp_path, entry)
    watcher.start()
    killed = good = begun = 0
    for _ in range(ROUNDS):
        processes = [
            context.Process(target=in_process, args=(str(tmp_path), entry.model_dump(mode="json"), server.network))
            for _ in range(2)
        ]
        for process in processes:
            process.start()
            begun += 1
        for process in chance.sample(processes, 2):
            wait_for(process, chance, tmp_path, sum(map(len, server.files.values())))
            if process.is_alive() and chance.random() < 0.8:
                process.kill()
        for process in processes:
            process.join(60)
            killed += process.exitcode == -9
            assert process.exitcode in (0, -9)
        if visible(tmp_path):
            assert visible(tmp_path) == [entry.digest]
            good += 1
            # Out of sight first, as models prune does it.
            (tmp_path / str(entry.digest)).rename(tmp_path / "gone")
            shutil.rmtree(tmp_path / "gone")
    assert fetch_into(tmp_path, entry, server.network).new
    fetch_into(tmp_path, entry, server.network).model.verify()
    time.sleep(0.05)
    watcher.done.set()
    watcher.join()
    left = staged_bytes(tmp_path)
    resumed = sum(wanted is not None for wanted in server.transfers())
    print(
        f"\n{begun} fetches by 2 processes at a time, {killed} killed, {good + 1} times a good copy; "
        f"{watcher.looks} looks, {watcher.seen} at a visible model, {watcher.torn} torn; "
        f"{resumed} transfers taken up; {left} bytes left in staging"
    )
    assert (watcher.torn, left) == (0, 0)
    assert visible(tmp_path) == [entry.digest]
    assert begun == 2 * ROUNDS
    assert killed >= 5
    assert watcher.seen > 0
    assert resumed > 0


def test_without_kills_the_second_process_finds_what_the_first_has_fetched(server: ModelServer, tmp_path: Path) -> None:
    entry = server.entry("web", engine="surya", task="segmentation")
    context = multiprocessing.get_context("forkserver")
    for round_number in range(3):
        processes = [
            context.Process(target=in_process, args=(str(tmp_path), entry.model_dump(mode="json"), server.network))
            for _ in range(2)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
            assert process.exitcode == 0
        assert len(server.transfers()) == (round_number + 1) * len(server.files)
        shutil.rmtree(tmp_path / str(entry.digest))
