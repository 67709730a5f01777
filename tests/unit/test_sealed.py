"""The sealed child: what it may, what it may not, and how it ends. The attempts are made from inside."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from archive_pipeline import errors
from archive_pipeline.sealed import Limits, SealedChild, hide_process, landlock, open_result
from archive_pipeline.sealed.parent import child_environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seals are Linux's")
needs_landlock = pytest.mark.skipif(sys.platform != "linux" or landlock.abi() < 1, reason="this kernel has no Landlock")

ENTRIES = Path(__file__).parent


def start(scratch: Path, entry: str = "sealed_entries:handle", **options) -> SealedChild:
    environment = {"PYTHONPATH": str(ENTRIES)} | options.pop("environment", {})
    read = [ENTRIES, *options.pop("read", [])]
    return SealedChild(entry, read=read, write=scratch, environment=environment, **options)


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    """One child for all tests that it survives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSTGRES_PASSWORD", "a-secret")
        scratch = tmp_path_factory.mktemp("scratch")
        with start(scratch, limits=Limits(memory_mb=512, file_mb=4)) as child:
            yield child


def do(child: SealedChild, name: str, *, files=(), timeout: float = 20, **request):
    return child.call({"do": name, **request}, files, timeout=timeout)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def errno_of(child: SealedChild, name: str, **request) -> str:
    """Name of the errno that an attempt ended with."""
    reply = do(child, name, **request)
    assert "errno" in reply, f"{name} was possible: {reply}"
    return errno.errorcode[reply["errno"]]


class TestWork:
    def test_answers_and_gets_open_files(self, child, tmp_path):
        (tmp_path / "a").write_text("content")
        with (tmp_path / "a").open("rb") as first, (tmp_path / "a").open("rb") as second:
            value = do(child, "echo", files=[first, second.fileno()], number=1)["value"]
        assert value["request"] == {"do": "echo", "number": 1}
        assert value["files"] == ["content", "content"]
        assert Path(value["scratch"]).is_dir()

    def test_reads_what_it_is_given(self, tmp_path):
        model = tmp_path / "model"
        model.write_text("weights")
        (tmp_path / "scratch").mkdir()
        with start(tmp_path / "scratch", read=[model]) as child:
            assert do(child, "read", path=str(model))["value"] == "weights"

    def test_writes_into_its_scratch_folder_only(self, child):
        scratch = do(child, "echo")["value"]["scratch"]
        do(child, "write", path=f"{scratch}/result", text="abc")
        with open_result(Path(scratch), "result", max_bytes=3) as file:
            assert file.read() == b"abc"

    def test_may_start_threads(self, child):
        assert do(child, "thread")["value"] == [1]

    def test_uses_what_parsers_and_engines_need(self, child):
        names = ["numpy", "cv2", "onnxruntime", "PIL.Image", "pikepdf", "pypdfium2"]
        assert do(child, "import", names=names, timeout=60)["value"] == sorted(names)

    def test_a_hundred_calls_leak_no_descriptors(self, child, tmp_path):
        (tmp_path / "a").write_text("x")
        do(child, "echo")
        before = descriptors(), len(do(child, "list", path="/proc/self/fd")["value"])
        for _ in range(100):
            with (tmp_path / "a").open("rb") as file:
                do(child, "echo", files=[file])
        assert before == (descriptors(), len(do(child, "list", path="/proc/self/fd")["value"]))

    def test_children_leak_no_descriptors(self, tmp_path):
        before = descriptors()
        with start(tmp_path) as child:
            do(child, "echo")
        child.close()
        assert descriptors() == before
        assert not child.alive

    def test_a_missing_entry_or_folder_is_named(self, tmp_path):
        with (
            start(tmp_path, entry="sealed_entries:nothing") as child,
            pytest.raises(errors.ChildError, match="nothing"),
        ):
            do(child, "echo")
        with (
            start(tmp_path, entry="no_such_module:f") as child,
            pytest.raises(errors.ChildError, match="no_such_module"),
        ):
            do(child, "echo")
        with start(tmp_path, read=[tmp_path / "gone"]) as child, pytest.raises(errors.ChildError, match="gone"):
            do(child, "echo")


class TestSeal:
    def test_says_what_is_in_force(self, child):
        assert child.seal_report == {"landlock": landlock.abi(), "seccomp": True}
        status = do(child, "status")["value"]
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0

    def test_environment_holds_no_secret_of_the_parent(self, child):
        environment = do(child, "environment")["value"]
        assert "a-secret" not in str(environment)
        assert environment["OMP_NUM_THREADS"] == "1"
        environment.pop("LD_LIBRARY_PATH", None)  # OpenCV sets it on import
        assert environment.keys() == child_environment(Path("/scratch")).keys() | {"PYTHONPATH"}

    @needs_landlock
    @pytest.mark.parametrize("path", ["/etc/passwd", "/root", "/home", "/var", "/proc/1/cmdline", "/proc/sys/kernel"])
    def test_system_files_are_out_of_reach(self, child, path):
        if Path(path).exists():
            assert errno_of(child, "list" if Path(path).is_dir() else "read", path=path) == "EACCES"

    @needs_landlock
    def test_documents_and_secrets_are_out_of_reach(self, child, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("x")
        for attempt in ("read", "write", "rename", "hardlink"):
            assert errno_of(child, attempt, path=str(secret)) in ("EACCES", "EXDEV")
        assert errno_of(child, "write", path=str(tmp_path / "new")) == "EACCES"
        assert errno_of(child, "list", path=str(tmp_path)) == "EACCES"
        assert secret.read_text() == "x"
        assert [path.name for path in tmp_path.iterdir()] == ["secret"]

    @needs_landlock
    def test_code_cannot_be_changed(self, child):
        assert errno_of(child, "write", path=errors.__file__) == "EACCES"
        assert errno_of(child, "write", path=f"{sys.prefix}/new.pth") == "EACCES"

    @needs_landlock
    def test_parent_is_out_of_reach(self, child):
        for name in ("environ", "maps", "mem", "cmdline", "fd/0"):
            assert errno_of(child, "read", path=f"/proc/{os.getpid()}/{name}") == "EACCES"

    @needs_landlock
    def test_an_open_document_cannot_be_opened_for_writing(self, child, tmp_path):
        (tmp_path / "a").write_text("x")
        with (tmp_path / "a").open("rb") as file:
            assert errno_of(child, "reopen_for_writing", files=[file]) == "EACCES"

    @pytest.mark.parametrize("attempt", ["chmod", "truncate", "symlink", "fifo"])
    def test_attributes_links_and_fifos_are_refused(self, child, tmp_path, attempt):
        (tmp_path / "a").write_text("x")
        assert errno_of(child, attempt, path=str(tmp_path / "a")) in ("EPERM", "EACCES")
        assert (tmp_path / "a").read_text() == "x"

    @pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
    def test_no_socket(self, child, family):
        assert errno_of(child, "socket", family=family) == "EPERM"

    @pytest.mark.parametrize("attempt", ["socketpair", "fork", "exec"])
    def test_no_process_and_no_program(self, child, attempt):
        assert errno_of(child, attempt) == "EPERM"

    def test_no_signal_to_others(self, child):
        for pid in (os.getpid(), 1, 0, -1):
            assert errno_of(child, "signal", pid=pid) == "EPERM"

    @pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
    @pytest.mark.parametrize(
        ("name", "arguments"),
        {
            "ptrace": [101, 16, 1],
            "process_vm_readv": [310, 1],
            "bpf": [321, 0],
            "io_uring_setup": [425, 1],
            "userfaultfd": [323],
            "keyctl": [250, 0],
            "unshare": [272, 0x10000000],
            "mount": [165],
            "perf_event_open": [298],
            "prlimit of another": [302, 1, 7, 0, 0],
            "getpid of the x32 ABI": [0x40000000 + 39],
        }.items(),
    )
    def test_no_way_into_the_kernel(self, child, name, arguments):
        assert errno_of(child, "syscall", arguments=arguments) == "EPERM"

    def test_signals_to_finish_are_the_parents_business(self, child):
        assert do(child, "ignores_signals")["value"] == [True, True]
        assert os.getsid(child.pid) == child.pid

    def test_hide_process(self):
        code = (
            "import ctypes; from archive_pipeline.sealed import hide_process; "
            "before = ctypes.CDLL(None).prctl(3); hide_process(); print(before, ctypes.CDLL(None).prctl(3))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["1", "0"]
        assert callable(hide_process)


class TestLimits:
    def test_memory_is_a_clear_error_and_the_child_goes_on(self, child):
        with pytest.raises(errors.PageFailed, match="more memory than the 512 MB"):
            do(child, "allocate", megabytes=1024)
        assert do(child, "allocate", megabytes=64)["value"] == 64 << 20

    def test_a_large_file_is_a_clear_error(self, child):
        with pytest.raises(errors.PageFailed, match="larger than 4 MB"):
            do(child, "big_file", megabytes=8, **{"raise": True})

    def test_time(self, tmp_path):
        with start(tmp_path) as child:
            do(child, "echo")
            begin = time.monotonic()
            with pytest.raises(errors.PageTimeout, match=r"after 0\.3 seconds"):
                do(child, "sleep", seconds=60, timeout=0.3)
            assert time.monotonic() - begin < 5
            assert not child.alive
            with pytest.raises(errors.ChildError, match="was stopped"):
                do(child, "echo")


class TestErrors:
    def test_an_error_of_ours_comes_back_as_it_was(self, child):
        with pytest.raises(errors.PasswordProtected) as caught:
            do(child, "refuse")
        assert (
            caught.value.to_dict()
            == errors.PasswordProtected("it asks for a password", document="a.pdf", page=3).to_dict()
        )

    def test_any_other_is_named_and_made_printable(self, child):
        with pytest.raises(errors.ChildError, match=r"ValueError: \\x1b\[31mred"):
            do(child, "raise")

    def test_a_library_that_exits_does_not_end_the_child(self, child):
        with pytest.raises(errors.ChildError, match="a library wants to leave"):
            do(child, "exit")
        assert child.alive

    def test_the_child_cannot_speak_for_the_parent(self, child):
        with pytest.raises(errors.ChildError, match="claims: Stopped"):
            do(child, "claim")

    def test_a_result_that_cannot_be_sent(self, child):
        with pytest.raises(errors.ChildError, match="not JSON"):
            do(child, "not_json")
        with pytest.raises(errors.ChildError, match="longer than"):
            do(child, "huge_reply")
        assert child.alive

    def test_much_on_stderr_does_not_block(self, child):
        do(child, "chatter")

    @pytest.mark.parametrize(
        ("attempt", "how"),
        [
            ("abort", "SIGABRT"),
            ("segfault", "SIGSEGV"),
            ("kill_itself", "SIGKILL; memory may have run out"),
            ("really_exit", r"status 7 \(last words\)"),
        ],
    )
    def test_a_death_is_explained(self, tmp_path, attempt, how):
        with start(tmp_path) as child:
            with pytest.raises(errors.ChildError, match=how):
                do(child, attempt)
            assert not child.alive

    @pytest.mark.parametrize(
        "data",
        [
            b"\xff" * 64,  # a length beyond the limit
            b"\0\0\0\x02\0[]",  # no object
            b"\0\0\0\x02\0\xff\xff",  # no text
            b"\0\0\0\x03\0NaN",
            b"\0\0\x27\x10\0" + b"[" * 10_000,
            b"\0\0\0\x02\x01{}",  # pretends to bring a file
            b"\0\0\0\x02\0{}",  # neither result nor error
        ],
    )
    def test_garbage_on_the_channel(self, tmp_path, data):
        with start(tmp_path) as child, pytest.raises(errors.ChildError, match="sealed child sent"):
            do(child, "garbage", bytes=data.hex())

    def test_results_are_not_taken_from_elsewhere(self, tmp_path):
        (tmp_path / "folder").mkdir()
        (tmp_path / "secret").write_text("x")
        (tmp_path / "folder" / "link").symlink_to(tmp_path / "secret")
        os.mkfifo(tmp_path / "folder" / "fifo")
        for name in ("../secret", "link", "fifo", "gone", "", "..", "a\0b", "\ud800"):
            with pytest.raises(errors.ChildError):
                open_result(tmp_path / "folder", name, max_bytes=100)


class TestEnd:
    def test_kill_from_another_thread_ends_a_call(self, tmp_path):
        with start(tmp_path) as child:
            do(child, "echo")
            threading.Timer(0.3, child.kill).start()
            with pytest.raises(errors.ChildError, match="was stopped"):
                do(child, "sleep", seconds=60)

    def test_started_by_a_thread_it_outlives_the_thread(self, tmp_path):
        children: list[SealedChild] = []
        thread = threading.Thread(target=lambda: children.append(start(tmp_path)))
        thread.start()
        thread.join()
        with children[0] as child:
            time.sleep(0.2)
            assert do(child, "echo")

    def test_dies_with_its_parent_even_in_the_middle_of_c_code(self, tmp_path):
        code = f"""if True:
            from pathlib import Path
            from archive_pipeline.sealed import SealedChild
            here, scratch = {str(ENTRIES)!r}, Path({str(tmp_path)!r})
            path = {{'PYTHONPATH': here}}
            child = SealedChild('sealed_entries:handle', read=[Path(here)], write=scratch, environment=path)
            child.seal_report
            print(child.pid, flush=True)
            child.call({{'do': 'hold_lock_of_interpreter'}}, timeout=60)
        """
        parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        with parent.stdout as out:
            pid = int(out.readline())
        deadline = time.monotonic() + 20
        while not (tmp_path / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        deadline = time.monotonic() + 2
        while _running(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not _running(pid)


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
