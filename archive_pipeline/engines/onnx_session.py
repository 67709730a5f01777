"""ONNX Runtime on one thread: a page worker uses one CPU, and parallelism is by pages."""

from __future__ import annotations

import onnxruntime as ort


def session(model: bytes) -> ort.InferenceSession:
    """A session for a model given as bytes, so that what was checked is what is loaded.

    External data files cannot be named by a model loaded from bytes without a folder, which is as it should be.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Line widths differ, so a memory plan of one line is of no use to the next and only keeps memory.
    options.enable_mem_pattern = False
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
