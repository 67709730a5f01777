"""ONNX Runtime on one thread: a page worker uses one CPU, and parallelism is by pages."""

from __future__ import annotations

import onnxruntime as ort

from archive_pipeline.errors import ModelError


def session(model: bytes, model_id: str) -> ort.InferenceSession:
    """A session for a model given as bytes, so that what was checked is what is loaded.

    External data files cannot be named by a model loaded from bytes without a folder, which is as it should be.

    Raises:
        ModelError: It is no model that ONNX Runtime can run.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Line widths differ, so a memory plan of one line is of no use to the next and only keeps memory.
    options.enable_mem_pattern = False
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common class that is public
        raise no_model(model_id, error) from error


def no_model(model_id: str, error: Exception) -> ModelError:
    """What to say of a file that is no ONNX model, or none that can be run."""
    return ModelError(f"model {model_id} cannot be loaded as ONNX: {' '.join(str(error).split())[:300]}")
