"""A trained network for ONNX Runtime, which reads documents in half of torch's time: derived, never trained."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from archive_pipeline.engines.base import Image
from archive_pipeline.errors import ModelError
from archive_pipeline.training.recognition.network import TrainableNetwork
from archive_pipeline.training.recognition.tensors import batch_tensor

_OPSET = 17
_TRACED = 640
_COMPARED = 8  # lines
_TOLERANCE = 0.01  # of a probability: that of rounding, many layers later, where the network is not sure


class _Probabilities(nn.Module):
    """One line to probabilities, 1 x classes x steps."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._network = network

    def forward(self, line: torch.Tensor) -> torch.Tensor:
        logits, _ = self._network(line)
        return logits.squeeze(2)  # type: ignore[no-any-return]


def onnx_form(network: TrainableNetwork, lines: Sequence[Image]) -> bytes:
    """The network as an ONNX file: ``line`` (1 x channels x height x width) to ``logits`` (1 x classes x steps).

    Args:
        lines: Strips by which both are compared; a few are taken.

    Raises:
        ModelError: It reads them otherwise than the network itself.
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
    _compare(module, data, lines[:: max(1, len(lines) // _COMPARED)], network.channels)
    return data


def _compare(module: nn.Module, data: bytes, lines: Sequence[Image], channels: int) -> None:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    for strip in lines:
        line, _ = batch_tensor([strip], channels)
        with torch.no_grad():
            expected = module(line).softmax(1).numpy()
        found = torch.from_numpy(session.run(None, {"line": line.numpy()})[0]).softmax(1).numpy()
        worst = float(np.abs(expected - found).max()) if expected.shape == found.shape else 1.0
        if not worst <= _TOLERANCE:  # nor is it with weights that are no numbers
            raise ModelError(f"the ONNX form of the model differs by {worst:.4f} on a line of {strip.shape[1]} pixels")
