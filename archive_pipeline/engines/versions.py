"""Versions of what the engines do beside their model. Raise one when its results change: they are then made again.

Kept apart from the engines, so that a parent process knows them without loading a model.
"""

PPOCR_SEGMENTATION = "1"
PPOCR_RECOGNITION = "1"
KRAKEN_SEGMENTATION = "1"
SURYA_SEGMENTATION = "1"
SURYA_RECOGNITION = "1"
KRAKEN_RECOGNITION = "1"
KRAKEN_STRIPS = "2"
"""How lines are cut out for kraken models that were trained here, which have an ONNX form; of those alone."""
KRAKEN_LANGUAGE = "1"
"""How kraken models read with a language, of those that have one."""
