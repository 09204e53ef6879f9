"""What is trained, and how. The defaults are the model that is released."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from regression_model.schema import House

PACKAGE = Path(__file__).parent
DATA = PACKAGE.parent / "data"
MODEL_FILE = "model.onnx"
CARD_FILE = "model_card.json"


class Config(BaseModel):
    """The choices of one training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "regression-model"
    target: str = "SalePrice"
    features: tuple[str, ...] = tuple(House.model_fields)
    alpha: float = Field(default=0.0005, gt=0)
    max_iterations: int = Field(default=20_000, gt=0)
    test_size: float = Field(default=0.1, gt=0, lt=1)
    seed: int = 2009
    known_answers: int = Field(default=5, ge=1)
    # float32 in the export, float64 in scikit-learn: 5e-7 is usual, 1e-4 means a wrong export.
    max_relative_difference: float = Field(default=1e-4, gt=0)
