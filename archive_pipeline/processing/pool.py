"""Page workers: sealed children, each with a thread of the parent that feeds it."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

from filelock import FileLock, Timeout

from archive_pipeline.durable import storage_error
from archive_pipeline.errors import ArchiveError, ChildError, PageTimeout
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.sealed import Limits, SealedChild

_log = logging.getLogger(__name__)
_ENTRY = "archive_pipeline.processing.page_worker:handle"

# glibc raises these limits by itself as it goes, and then keeps page images that were freed: memory would creep up
# over a long document. Fixed, they are given back.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_TRIM_THRESHOLD_": "4194304"}

_PREFIX = "workers-"
IN_USE = "in-use"

Task = TypeVar("Task")
Result = TypeVar("Result")


class Worker:
    """One page worker. After a time-out or a death the next call starts a new process."""

    def __init__(self, folder: Path, options: ProcessingOptions, read: Sequence[Path] = ()) -> None:
        self.scratch = folder
        self._options = options
        self._read = read
        self._child: SealedChild | None = None

    def call(self, request: dict[str, Any], files: Sequence[BinaryIO | int] = ()) -> dict[str, Any]:
        """Have the worker handle a request within the page time limit.

        Raises:
            PageTimeout, ChildError, ArchiveError: As :meth:`SealedChild.call`.
        """
        if self._child is None or not self._child.alive:
            self.close()
            self.clear()
            limits = Limits(memory_mb=self._options.worker_memory_mb)
            self._child = SealedChild(_ENTRY, read=self._read, write=self.scratch, limits=limits, environment=_MEMORY)
        try:
            return self._child.call(request, files, timeout=self._options.page_timeout)
        except (ChildError, PageTimeout) as error:
            _log.debug("a page worker is given up: %s", error)
            self.close()
            raise

    def clear(self) -> None:
        """Empty the scratch folder."""
        for path in self.scratch.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def close(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None


def _clear_abandoned(folder: Path) -> None:
    """Remove the scratch folders of pools that were killed: nobody holds their locks any more.

    Not by process id: the folder may be a volume that containers with pid name spaces of their own share.
    """
    for pool in folder.glob(f"{_PREFIX}*"):
        lock = FileLock(pool / IN_USE)
        try:
            with lock.acquire(timeout=0):
                shutil.rmtree(pool, ignore_errors=True)
        except (Timeout, OSError):  # in use, or just removed by another
            continue


class WorkerPool:
    """Page workers below a folder of the store, so that what they make can be renamed into place.

    Args:
        folder: Where scratch folders are made.
        read: Files that the workers may read, beside code and the model store.
    """

    def __init__(self, folder: Path, options: ProcessingOptions, read: Sequence[Path] = ()) -> None:
        self._options = options
        # The model store may not be there yet, and a seal is made of what is.
        models = [options.models_dir] if options.models_dir is not None and options.models_dir.is_dir() else []
        self._read = (*models, *read)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _clear_abandoned(folder)
            self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
            self._in_use = FileLock(self._folder / IN_USE)
            self._in_use.acquire(timeout=0)
        except OSError as error:
            raise storage_error(error, folder) from error
        self._threads = ThreadPoolExecutor(options.workers, thread_name_prefix="page-worker")
        self._idle: list[Worker] = []
        self._all: list[Worker] = []
        self._lock = threading.Lock()

    def run(
        self,
        tasks: Iterable[Task],
        work: Callable[[Worker, Task], Result],
        done: Callable[[Task, Result | ArchiveError], None],
    ) -> None:
        """Do all tasks, as many at a time as there are workers; results come to ``done`` in the calling thread.

        If ``done`` or a signal raises, no more tasks are begun, those under way are finished and told, and then it is
        raised: stopping is polite. An ``ArchiveError`` of a task is a result; anything else is a bug and is raised.
        A signal may come between any two instructions: a task is noted before a thread can have it, and what no thread
        has begun is taken back.
        """
        waiting = iter(tasks)
        running: dict[Future[Result], Task] = {}
        stopped: BaseException | None = None

        def begin(number: int) -> None:
            for _ in range(number):
                task = next(waiting, None)
                if task is None:
                    return
                future: Future[Result] = Future()
                running[future] = task
                self._threads.submit(self._fill, future, work, task)

        while True:
            try:
                if stopped is None:
                    # No more than are worked on: the tasks that wait cost nothing.
                    begin(self._options.workers - len(running))
                if not running:
                    break
                wait(running, return_when=FIRST_COMPLETED)
                self._tell(running, done)
            except BaseException as error:  # also KeyboardInterrupt and the interrupts of a host framework
                if stopped is not None:
                    raise
                stopped = error
                for future in [future for future in running if future.cancel()]:
                    del running[future]
        if stopped is not None:
            raise stopped

    def _fill(self, future: Future[Result], work: Callable[[Worker, Task], Result], task: Task) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(self._do(work, task))
        except BaseException as error:  # told by the future, as an executor does
            future.set_exception(error)

    def _tell(self, running: dict[Future[Result], Task], done: Callable[[Task, Result | ArchiveError], None]) -> None:
        for future in [future for future in running if future.done()]:
            task = running.pop(future)
            try:
                result: Result | ArchiveError = future.result()
            except ArchiveError as error:
                result = error
            done(task, result)

    def call(self, work: Callable[[Worker], Result]) -> Result:
        """Have one worker do one thing, and wait for it."""
        return self._do(lambda worker, _: work(worker), None)

    def _do(self, work: Callable[[Worker, Task], Result], task: Task) -> Result:
        worker = self._take()
        try:
            return work(worker, task)
        finally:
            with self._lock:
                self._idle.append(worker)

    def _take(self) -> Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            folder = self._folder / f"{len(self._all) + 1}"
            try:
                folder.mkdir()
            except OSError as error:
                raise storage_error(error, folder) from error
            worker = Worker(folder, self._options, self._read)
            self._all.append(worker)
            return worker

    def close(self) -> None:
        """End all workers and remove their scratch folders."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._all:
            worker.close()
        self._in_use.release()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
