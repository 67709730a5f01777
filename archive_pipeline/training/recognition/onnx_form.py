"""A trained network for ONNX Runtime, which reads documents in half of torch's time: derived, never trained."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from archive_pipeline.errors import ModelError
from archive_pipeline.training.recognition.network import TrainableNetwork

_OPSET = 17
_WIDTHS = (320, 333, 1024)  # pixels; not those that it is traced with
_TRACED = 640
_TOLERANCE = 1e-3  # of a probability


class _Probabilities(nn.Module):
    """One line to probabilities, 1 x classes x steps."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._network = network

    def forward(self, line: torch.Tensor) -> torch.Tensor:
        logits, _ = self._network(line)
        return logits.squeeze(2)  # type: ignore[no-any-return]


def onnx_form(network: TrainableNetwork) -> bytes:
    """The network as an ONNX file: ``line`` (1 x channels x height x width) to ``logits`` (1 x classes x steps).

    Raises:
        ModelError: It reads lines of noise otherwise than the network itself.
    """
    module = _Probabilities(network.module.cpu().eval()).eval()
    shape = (1, network.channels, network.height)
    with tempfile.TemporaryDirectory(prefix="onnx-") as folder, warnings.catch_warnings(), torch.no_grad():
        path = Path(folder, "model.onnx")
        # The exporter with other needs is not in the lock; this one warns of its age, and of shapes that do not vary.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (torch.rand(*shape, _TRACED),),
            path,
            input_names=["line"],
            output_names=["logits"],
            dynamic_axes={"line": {3: "width"}, "logits": {2: "steps"}},
            opset_version=_OPSET,
            dynamo=False,
        )
        data = path.read_bytes()
    _compare(module, data, shape)
    return data


def _compare(module: nn.Module, data: bytes, shape: tuple[int, int, int]) -> None:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    draw = np.random.default_rng(0)
    for width in _WIDTHS:
        # Ink is rare: few pixels are far from white.
        line = (draw.random((*shape, width)) ** 8).astype(np.float32)
        with torch.no_grad():
            expected = module(torch.from_numpy(line)).softmax(1).numpy()
        found = torch.from_numpy(session.run(None, {"line": line})[0]).softmax(1).numpy()
        worst = float(np.abs(expected - found).max()) if expected.shape == found.shape else 1.0
        if not worst <= _TOLERANCE:  # nor is it with weights that are no numbers
            raise ModelError(f"the ONNX form of the model differs by {worst:.4f} on a line of {width} pixels")
