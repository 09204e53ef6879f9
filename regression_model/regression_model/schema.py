"""A house as the model sees it: one field a column of the Ames data, in its order.

Names are identifiers, so `1stFlrSF` is `FirstFlrSF`, `2ndFlrSF` `SecondFlrSF`, `3SsnPorch`
`ThreeSsnPorch`. A category is any short text: one that the training never saw is no error, it
just says nothing to the model. Fields with a default may be left out: the data has gaps there too.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

ABSENT = "NA"


def _absent(value: object) -> object:
    return ABSENT if value is None else value


def _code(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


# The bounds are far outside any house; they keep float32 and the exponential finite.
Amount = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
Area = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000)]
Grade = Annotated[int, Field(ge=1, le=10)]
Month = Annotated[int, Field(ge=1, le=12)]
Year = Annotated[int, Field(ge=1500, le=2500)]
Kind = Annotated[str, StringConstraints(min_length=1, max_length=40)]
KindOrAbsent = Annotated[Kind, BeforeValidator(_absent)]
ClassCode = Annotated[Kind, BeforeValidator(_code)]


class House(BaseModel):
    """One row. Areas are in square feet, lengths in feet, `MiscVal` in dollars."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    MSSubClass: ClassCode
    MSZoning: KindOrAbsent = ABSENT
    LotFrontage: Area | None = None
    LotArea: Amount
    Street: Kind
    Alley: KindOrAbsent = ABSENT
    LotShape: Kind
    LandContour: Kind
    Utilities: KindOrAbsent = ABSENT
    LotConfig: Kind
    LandSlope: Kind
    Neighborhood: Kind
    Condition1: Kind
    Condition2: Kind
    BldgType: Kind
    HouseStyle: Kind
    OverallQual: Grade
    OverallCond: Grade
    YearBuilt: Year
    YearRemodAdd: Year
    RoofStyle: Kind
    RoofMatl: Kind
    Exterior1st: KindOrAbsent = ABSENT
    Exterior2nd: KindOrAbsent = ABSENT
    MasVnrType: KindOrAbsent = ABSENT
    MasVnrArea: Area | None = None
    ExterQual: Kind
    ExterCond: Kind
    Foundation: Kind
    BsmtQual: KindOrAbsent = ABSENT
    BsmtCond: KindOrAbsent = ABSENT
    BsmtExposure: KindOrAbsent = ABSENT
    BsmtFinType1: KindOrAbsent = ABSENT
    BsmtFinSF1: Area | None = None
    BsmtFinType2: KindOrAbsent = ABSENT
    BsmtFinSF2: Area | None = None
    BsmtUnfSF: Area | None = None
    TotalBsmtSF: Area | None = None
    Heating: Kind
    HeatingQC: Kind
    CentralAir: Kind
    Electrical: KindOrAbsent = ABSENT
    FirstFlrSF: Area
    SecondFlrSF: Area
    LowQualFinSF: Area
    GrLivArea: Area
    BsmtFullBath: Count | None = None
    BsmtHalfBath: Count | None = None
    FullBath: Count
    HalfBath: Count
    BedroomAbvGr: Count
    KitchenAbvGr: Count
    KitchenQual: KindOrAbsent = ABSENT
    TotRmsAbvGrd: Count
    Functional: KindOrAbsent = ABSENT
    Fireplaces: Count
    FireplaceQu: KindOrAbsent = ABSENT
    GarageType: KindOrAbsent = ABSENT
    GarageYrBlt: Year | None = None
    GarageFinish: KindOrAbsent = ABSENT
    GarageCars: Count | None = None
    GarageArea: Area | None = None
    GarageQual: KindOrAbsent = ABSENT
    GarageCond: KindOrAbsent = ABSENT
    PavedDrive: Kind
    WoodDeckSF: Area
    OpenPorchSF: Area
    EnclosedPorch: Area
    ThreeSsnPorch: Area
    ScreenPorch: Area
    PoolArea: Area
    PoolQC: KindOrAbsent = ABSENT
    Fence: KindOrAbsent = ABSENT
    MiscFeature: KindOrAbsent = ABSENT
    MiscVal: Amount
    MoSold: Month
    YrSold: Year
    SaleType: KindOrAbsent = ABSENT
    SaleCondition: Kind


def is_category(column: str) -> bool:
    """Whether the column holds a category; the others hold numbers."""
    return House.model_fields[column].annotation is str
