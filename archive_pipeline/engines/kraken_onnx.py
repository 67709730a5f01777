"""The derived ONNX form of a trained model in the place of kraken's own network: the same function in less time."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from archive_pipeline.engines.onnx_session import session
from archive_pipeline.models.installed import InstalledModel


class OnnxNetwork(nn.Module):
    """What kraken calls: one line (1 x channels x height x width) to logits (1 x classes x 1 x steps) and their number.

    Raises:
        ModelError: The file is damaged or no model.
    """

    def __init__(self, model: InstalledModel, data: bytes) -> None:
        super().__init__()
        self._session = session(data, model.id)

    def forward(self, line: torch.Tensor, _widths: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        values = np.ascontiguousarray(line.numpy(), np.float32)
        logits = torch.from_numpy(self._session.run(None, {"line": values})[0])
        return logits[:, :, None], torch.tensor([logits.shape[2]])
