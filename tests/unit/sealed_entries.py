"""What the sealed children of the tests do: the attempts of a document that has taken over its parser."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from archive_pipeline.errors import PasswordProtected, Stopped
from archive_pipeline.sealed.connections import ConnectionSource


def handle(request: dict[str, Any], files: list[BinaryIO], scratch: Path) -> dict[str, Any]:
    """Do ``request["do"]``; an ``OSError`` is reported as its errno."""
    try:
        return {"value": globals()[f"do_{request['do']}"](request, files, scratch)}
    except OSError as error:
        if request.get("raise"):
            raise
        return {"errno": error.errno}


def do_echo(request, files, scratch):
    return {"request": request, "files": [file.read().decode() for file in files], "scratch": str(scratch)}


def do_read(request, files, scratch):
    return Path(request["path"]).read_text()


def do_list(request, files, scratch):
    return [path.name for path in Path(request["path"]).iterdir()]


def do_write(request, files, scratch):
    return Path(request["path"]).write_text(request.get("text", "x"))


def do_rename(request, files, scratch):
    return str(Path(request["path"]).rename(scratch / "stolen"))


def do_hardlink(request, files, scratch):
    return os.link(request["path"], scratch / "link")


def do_symlink(request, files, scratch):
    return (scratch / "link").symlink_to(request["path"])


def do_fifo(request, files, scratch):
    return os.mkfifo(scratch / "fifo")


def do_chmod(request, files, scratch):
    return Path(request["path"]).chmod(0)


def do_truncate(request, files, scratch):
    return os.truncate(request["path"], 0)


def do_reopen_for_writing(request, files, scratch):
    return Path(f"/proc/self/fd/{files[0].fileno()}").write_text("changed")


def do_socket(request, files, scratch):
    return socket.socket(getattr(socket, request["family"])).fileno()


def do_socketpair(request, files, scratch):
    return len(socket.socketpair())


def do_fork(request, files, scratch):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return pid


def do_exec(request, files, scratch):
    os.execv("/bin/sh", ["sh", "-c", "exit 0"])  # noqa: S606


def do_signal(request, files, scratch):
    return os.kill(request["pid"], 0)


def do_thread(request, files, scratch):
    done = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    return done


def do_syscall(request, files, scratch):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(*[ctypes.c_long(a) for a in request["arguments"]]) == -1:
        raise OSError(ctypes.get_errno(), "")
    return 0


def do_environment(request, files, scratch):
    return dict(os.environ)


def do_status(request, files, scratch):
    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def do_allocate(request, files, scratch):
    return len(bytearray(request["megabytes"] << 20))


def do_big_file(request, files, scratch):
    with (scratch / "big").open("wb") as file:
        for _ in range(request["megabytes"]):
            file.write(bytes(1 << 20))


def do_sleep(request, files, scratch):
    time.sleep(request["seconds"])


def do_hold_lock_of_interpreter(request, files, scratch):
    # PyDLL keeps the interpreter's lock, as a C library at work may: no Python thread can run meanwhile.
    (scratch / "started").touch()
    ctypes.PyDLL(None).sleep(60)


def do_abort(request, files, scratch):
    os.abort()


def do_segfault(request, files, scratch):
    ctypes.string_at(0)


def do_exit(request, files, scratch):
    sys.exit("a library wants to leave")


def do_really_exit(request, files, scratch):
    print("last words", file=sys.stderr, flush=True)
    os._exit(7)


def do_kill_itself(request, files, scratch):
    os.kill(os.getpid(), signal.SIGKILL)


def do_refuse(request, files, scratch):
    raise PasswordProtected("it asks for a password", document="a.pdf", page=3)


def do_claim(request, files, scratch):
    raise Stopped("\x1b[2Jstopped")


def do_raise(request, files, scratch):
    raise ValueError("\x1b[31mred")


def do_chatter(request, files, scratch):
    sys.stderr.write("x" * (1 << 20) + "\nthe end\n")
    sys.stderr.flush()


def do_not_json(request, files, scratch):
    return {1, 2}


def do_huge_reply(request, files, scratch):
    return "x" * (17 << 20)


def do_garbage(request, files, scratch):
    """Write raw bytes on the channel, found among the open descriptors."""
    for descriptor in range(3, 64):
        try:
            os.fstat(descriptor)
            channel = socket.socket(fileno=os.dup(descriptor))
            channel.sendall(bytes.fromhex(request["bytes"]))
        except OSError:
            continue
    time.sleep(30)


def do_ignores_signals(request, files, scratch):
    return [signal.getsignal(number) == signal.SIG_IGN for number in (signal.SIGINT, signal.SIGTERM)]


def do_import(request, files, scratch):
    for name in request["names"]:
        __import__(name)
    return sorted(set(request["names"]) & sys.modules.keys())


def do_ask_server(request, files, scratch):
    """Ask for connections through the parent, send a line by each, and say what came back."""
    source = ConnectionSource(files[0])
    answers = []
    for _ in range(request.get("times", 1)):
        try:
            with source.connect(5) as connection:
                connection.sendall(b"hello\n")
                answers.append(connection.recv(100).decode())
                connection.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            answers.append(str(error))
    return answers


def do_keep_connections(request, files, scratch):
    source = ConnectionSource(files[0])
    try:
        while len(KEPT) < 100:
            KEPT.append(source.connect(5))
    except OSError as error:
        return [len(KEPT), str(error)]


def do_use_kept(request, files, scratch):
    try:
        KEPT[0].sendall(b"hello\n")
        return KEPT[0].recv(100).decode()
    except OSError as error:
        return type(error).__name__


def do_turn_connection(request, files, scratch):
    """Try to bring a connection that was given to another address: each way a kernel might know."""
    connection = ConnectionSource(files[0]).connect(5)
    elsewhere = ("127.0.0.1", request["port"])
    tried = {}
    for name, attempt in {
        "connect": lambda: connection.connect(elsewhere),
        "disconnect": lambda: libc_connect_unspec(connection.fileno()),
        "fast open": lambda: connection.sendto(b"x", socket.MSG_FASTOPEN, elsewhere),
        "shut, then fast open": lambda: (
            connection.shutdown(socket.SHUT_RDWR),
            connection.sendto(b"x", socket.MSG_FASTOPEN, elsewhere),
        ),
        "listen": lambda: connection.listen(),
        "bind": lambda: connection.bind(("127.0.0.1", 0)),
    }.items():
        try:
            attempt()
            tried[name] = "done"
        except OSError as error:
            tried[name] = errno.errorcode[error.errno]
    return tried


def libc_connect_unspec(descriptor):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.connect(descriptor, bytes(16), 16) == -1:
        raise OSError(ctypes.get_errno(), "")


KEPT = []
