"""The scikit-learn pipeline: a Lasso on the logarithm of the price."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from regression_model.config import Config
from regression_model.schema import House, is_category


def frame(houses: Sequence[House], features: Sequence[str]) -> pd.DataFrame:
    """The houses as a table: text in the columns of categories, float64 in the others."""
    return pd.DataFrame(
        {
            name: pd.Series(
                [getattr(house, name) for house in houses],
                dtype=object if is_category(name) else np.float64,
            )
            for name in features
        }
    )


def fit(houses: Sequence[House], prices: npt.NDArray[np.float64], config: Config) -> Pipeline:
    """A pipeline fitted on the houses; it predicts log prices."""
    numbers = [name for name in config.features if not is_category(name)]
    categories = [name for name in config.features if is_category(name)]
    number_steps = [
        # A column without any number keeps its place, so that the export has all its inputs.
        ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
        ("scale", StandardScaler()),
    ]
    pipeline = Pipeline(
        [
            (
                "columns",
                ColumnTransformer(
                    [
                        ("numbers", Pipeline(number_steps), numbers),
                        (
                            "categories",
                            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                            categories,
                        ),
                    ]
                ),
            ),
            ("lasso", Lasso(alpha=config.alpha, max_iter=config.max_iterations)),
        ]
    )
    return pipeline.fit(frame(houses, config.features), np.log(prices))


def prices_of(
    pipeline: Pipeline, houses: Sequence[House], config: Config
) -> npt.NDArray[np.float64]:
    """What the pipeline itself predicts, in dollars: the reference for its export."""
    return np.exp(np.asarray(pipeline.predict(frame(houses, config.features)), dtype=np.float64))
