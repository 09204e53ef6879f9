"""Turns the pipeline into ONNX, and checks that both say the same."""

import numpy as np
import numpy.typing as npt
from onnx import helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.pipeline import Pipeline

from regression_model.config import Config
from regression_model.errors import ExportDiffers
from regression_model.schema import is_category

# Fixed, so that a newer converter does not silently ask for a newer runtime.
OPSET = {"": 18, "ai.onnx.ml": 3}


def export(pipeline: Pipeline, config: Config, version: str) -> bytes:
    """The pipeline as ONNX: one input a feature, one output, the log price.

    The same pipeline and version give the same bytes. Another version gives others, so that a
    digest tells two versions apart even when training found the same model twice.
    """
    inputs = [
        (name, (StringTensorType if is_category(name) else FloatTensorType)([None, 1]))
        for name in config.features
    ]
    model = convert_sklearn(
        # The name is given because the converter would otherwise draw a random one.
        pipeline,
        name=config.name,
        initial_types=inputs,
        target_opset=OPSET,
    )
    # The converter lists these in the order of a set.
    opsets = sorted(model.opset_import, key=lambda opset: opset.domain)
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    helper.set_model_props(model, {"name": config.name, "version": version})
    return bytes(model.SerializeToString(deterministic=True))


def largest_relative_difference(
    expected: npt.NDArray[np.float64], found: npt.NDArray[np.float64], allowed: float
) -> float:
    """How far the export is off at worst. Raises ExportDiffers above `allowed`, and for NaN."""
    largest = float(np.max(np.abs(found - expected) / np.abs(expected)))
    if not largest <= allowed:
        raise ExportDiffers(
            f"the export differs from the pipeline by {largest:.2g}, more than {allowed:.2g}"
        )
    return largest
