"""A child process in which untrusted bytes are parsed.

Every parser has holes, so none of them runs in a process that holds anything worth stealing. The parent opens files
and hands them over; the child has no path to a document, no secret in its environment, no network, no way to start
or signal another process, and one folder to write into.

The threat: a document that takes over the parser, so that its author's code runs in the child. What holds then:

* files: Landlock lets it read code, fonts and the folders in ``read``, and write below ``write`` only;
* network and other processes: a seccomp filter refuses the system calls, whatever the user id may do;
* memory, file sizes, open files: resource limits; time: the parent kills it;
* the parent: talks JSON over a socket pair, checks every frame, and takes results by :func:`open_result`.

What is accepted: such a child can lie about the very documents it was given, can fill its scratch folder, can learn
what files are in the code folders, and can burn the CPU time of its call. Where a kernel lacks Landlock or seccomp the
child still works, and :attr:`SealedChild.seal_report` says so.
"""

from archive_pipeline.sealed.libc import hide_process
from archive_pipeline.sealed.limits import Limits
from archive_pipeline.sealed.parent import SealedChild
from archive_pipeline.sealed.results import open_result

__all__ = ["Limits", "SealedChild", "hide_process", "open_result"]
