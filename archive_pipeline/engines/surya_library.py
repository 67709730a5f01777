"""surya's package, with the settings that this program needs; import it from here first.

surya reads its settings when it is imported. Nothing of it may start a server, look for one, or draw progress bars.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

import torch
from surya.settings import settings

VERSION = importlib.metadata.version("surya-ocr")

_SETTINGS: dict[str, Any] = {
    "TORCH_DEVICE": "cpu",
    "DISABLE_TQDM": True,
    "SURYA_INFERENCE_URL": None,
    "SURYA_INFERENCE_AUTOSTART": False,
    "DETECTOR_SERVER_AUTOSTART": False,
    "OCR_ERROR_SERVER_AUTOSTART": False,
    "FAST_LAYOUT_SERVER_AUTOSTART": False,
    "DETECTOR_POSTPROCESSING_CPU_WORKERS": 1,
    # Asking for a page anew at other temperatures, before its blocks are asked for one by one, takes minutes.
    "SURYA_FULLPAGE_REGEN": False,
    "SURYA_GUIDED_LAYOUT": True,
    "SURYA_INFERENCE_LOGPROBS": True,
}
for _name, _value in _SETTINGS.items():
    setattr(settings, _name, _value)
torch.set_num_threads(1)
