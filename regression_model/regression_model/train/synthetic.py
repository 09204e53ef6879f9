"""Makes up houses with the schema of the Ames data. One seed gives one file, byte by byte.

It stands in where nobody has credentials for the real one. Prices follow size, quality, age and
neighbourhood with noise, so that a Lasso has something to find; it says nothing about Ames.
"""

import csv
import io
import math
from random import Random

# fmt: off
NEIGHBOURHOODS = (
    "NAmes", "CollgCr", "OldTown", "Edwards", "Somerst", "Gilbert", "NridgHt", "Sawyer",
    "NWAmes", "SawyerW", "BrkSide", "Crawfor", "Mitchel", "NoRidge", "Timber", "IDOTRR",
    "ClearCr", "StoneBr", "SWISU", "MeadowV", "Blmngtn", "BrDale", "Veenker", "NPkVill",
    "Blueste",
)
# fmt: on
EXTERIORS = ("VinylSd", "HdBoard", "MetalSd", "Wd Sdng", "Plywood", "CemntBd", "BrkFace", "Stucco")
SECOND_SPELLING = {"CemntBd": "CmentBd", "BrkFace": "Brk Cmn", "Wd Sdng": "Wd Shng"}
GRADES = ("Po", "Fa", "TA", "Gd", "Ex")
Line = dict[str, str | int]


def generate(rows: int, seed: int, *, first_id: int = 1, priced: bool = True) -> bytes:
    """A CSV file of so many houses, spelled as the competition's own."""
    random = Random(seed)  # noqa: S311 -- nothing here is secret; the same seed must give the same file
    lines = [_house(random, first_id + number) for number in range(rows)]
    columns = [name for name in lines[0] if priced or name != "SalePrice"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


def _grade(random: Random, quality: float) -> str:
    return GRADES[min(4, max(0, round(quality / 2.2 + random.gauss(-0.3, 0.4))))]


def _pick(random: Random, **weights: float) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def _some(random: Random, chance: float, low: int, high: int) -> int:
    return random.randint(low, high) if random.random() < chance else 0


def _house(random: Random, number: int) -> Line:
    place = min(int(random.expovariate(0.16)), len(NEIGHBOURHOODS) - 1)
    charm = math.sin(place * 1.7) * 0.5  # what the neighbourhood is worth, the same in every file
    built = min(2009, max(1880, round(random.gauss(1972 + 22 * charm, 24))))
    remodelled = max(1950, built, random.randint(built, 2009) if random.random() < 0.45 else built)
    quality = min(10, max(1, round(random.gauss(6 + 1.6 * charm + (built - 1972) / 45, 1.1))))
    condition = min(9, max(1, round(random.gauss(5.6, 1.1))))
    ground = max(400, round(random.gauss(900 + 110 * (quality - 4), 240)))
    upper = round(ground * random.uniform(0.5, 1.05)) if random.random() < 0.43 else 0
    unfinished = _some(random, 0.02, 80, 500)
    living = ground + upper + unfinished
    lot = max(1300, round(random.lognormvariate(9.1, 0.42)))
    basement = random.random() > 0.026
    cellar = max(150, round(ground * random.uniform(0.75, 1.05))) if basement else 0
    finished = round(cellar * random.betavariate(1.1, 1.4)) if random.random() < 0.68 else 0
    finished_too = round((cellar - finished) * 0.3) if random.random() < 0.11 and finished else 0
    cars = min(4, max(0, round(random.gauss(1.1 + (quality - 5) * 0.25, 0.6))))
    fires = min(3, max(0, round(random.gauss(0.1 + (quality - 4) * 0.25, 0.6))))
    bath = 1 + (upper > 0 or quality > 7) + (living > 3000)
    porch, deck = _some(random, 0.55, 12, 150), _some(random, 0.48, 40, 360)
    veneer = _some(random, 0.4, 20, 600)
    pool = _some(random, 0.006, 480, 740)
    shed = _some(random, 0.035, 400, 2500)
    sold, month = random.randint(2006, 2010), random.randint(1, 12)
    new = built >= sold - 1 and random.random() < 0.8
    condition_of_sale = (
        "Partial" if new else _pick(random, Normal=85, Abnorml=8, Family=1.5, Alloca=1, AdjLand=0.5)
    )
    exterior = random.choice(EXTERIORS)
    heating = _grade(random, 3 + (remodelled - 1940) / 12)
    kitchen = _grade(random, quality)
    air = "Y" if built > 1958 or random.random() < 0.75 else "N"
    functional = _pick(random, Typ=93, Min1=2, Min2=2.3, Mod=1, Maj1=1, Maj2=0.4, Sev=0.1)
    log_price = (
        10.72
        + 0.42 * math.log(living / 1500)
        + 0.085 * quality
        + 0.045 * condition
        + 0.0021 * (built - 1900)
        + 0.0008 * (remodelled - 1950)
        + 0.16 * charm
        + 0.10 * math.log(lot / 9000)
        + 0.00012 * cellar
        + 0.00008 * finished
        + 0.045 * cars
        + 0.035 * fires
        + 0.03 * GRADES.index(kitchen)
        + 0.012 * GRADES.index(heating)
        + (0.07 if air == "Y" else 0.0)
        + (0.0 if functional == "Typ" else -0.07)
        + {"Partial": 0.06, "Abnorml": -0.08}.get(condition_of_sale, 0.0)
        + random.gauss(0, 0.095)
    )
    garage = cars > 0
    return {
        "Id": number,
        "MSSubClass": 60 if upper else random.choice((20, 20, 20, 30, 50, 80, 85, 90, 120, 160)),
        "MSZoning": _pick(random, RL=79, RM=15, FV=4, RH=1) if number % 146 else "C (all)",
        "LotFrontage": "NA" if random.random() < 0.18 else max(21, round(lot**0.5 * 0.72)),
        "LotArea": lot,
        "Street": "Pave" if random.random() < 0.995 else "Grvl",
        "Alley": _pick(random, NA=94, Grvl=3.4, Pave=2.6),
        "LotShape": _pick(random, Reg=63, IR1=33, IR2=3, IR3=1),
        "LandContour": _pick(random, Lvl=90, Bnk=4, HLS=3.5, Low=2.5),
        "Utilities": "AllPub",
        "LotConfig": _pick(random, Inside=72, Corner=18, CulDSac=6.4, FR2=3.2, FR3=0.4),
        "LandSlope": _pick(random, Gtl=94.6, Mod=4.5, Sev=0.9),
        "Neighborhood": NEIGHBOURHOODS[place],
        "Condition1": _pick(random, Norm=86, Feedr=5.5, Artery=3.3, RRAn=1.8, PosN=1.3, RRNn=1),
        "Condition2": _pick(random, Norm=99, Feedr=0.5, Artery=0.3, PosN=0.2),
        "BldgType": random.choices(
            ("1Fam", "TwnhsE", "Duplex", "Twnhs", "2fmCon"), (83, 8, 3.6, 3, 2.4)
        )[0],
        "HouseStyle": "2Story" if upper else random.choice(("1Story", "1Story", "1.5Fin", "SLvl")),
        "OverallQual": quality,
        "OverallCond": condition,
        "YearBuilt": built,
        "YearRemodAdd": remodelled,
        "RoofStyle": _pick(random, Gable=78, Hip=20, Flat=1, Gambrel=0.7, Mansard=0.3),
        "RoofMatl": random.choices(("CompShg", "Tar&Grv", "WdShngl"), (98.2, 1, 0.8))[0],
        "Exterior1st": exterior,
        "Exterior2nd": SECOND_SPELLING.get(exterior, exterior),
        "MasVnrType": ("BrkFace" if random.random() < 0.75 else "Stone") if veneer else "None",
        "MasVnrArea": "NA" if random.random() < 0.006 else veneer,
        "ExterQual": _grade(random, quality),
        "ExterCond": _grade(random, condition),
        "Foundation": "PConc" if built > 1985 else random.choice(("CBlock", "CBlock", "BrkTil")),
        "BsmtQual": _grade(random, quality) if basement else "NA",
        "BsmtCond": _grade(random, condition) if basement else "NA",
        "BsmtExposure": _pick(random, No=67, Av=15, Gd=9, Mn=8) if basement else "NA",
        "BsmtFinType1": random.choice(("GLQ", "ALQ", "BLQ", "Rec", "LwQ"))
        if finished
        else ("Unf" if basement else "NA"),
        "BsmtFinSF1": finished,
        "BsmtFinType2": ("Rec" if finished_too else "Unf") if basement else "NA",
        "BsmtFinSF2": finished_too,
        "BsmtUnfSF": cellar - finished - finished_too,
        "TotalBsmtSF": cellar,
        "Heating": _pick(random, GasA=97.8, GasW=1.3, Grav=0.5, Wall=0.3, OthW=0.1),
        "HeatingQC": heating,
        "CentralAir": air,
        "Electrical": _pick(random, SBrkr=91, FuseA=6.4, FuseF=1.9, FuseP=0.3, Mix=0.1, NA=0.1),
        "1stFlrSF": ground,
        "2ndFlrSF": upper,
        "LowQualFinSF": unfinished,
        "GrLivArea": living,
        "BsmtFullBath": int(finished > 500),
        "BsmtHalfBath": _some(random, 0.06, 1, 1),
        "FullBath": bath,
        "HalfBath": int(upper > 0 and random.random() < 0.6),
        "BedroomAbvGr": max(1, round(living / 520)),
        "KitchenAbvGr": 1 + _some(random, 0.045, 1, 1),
        "KitchenQual": kitchen,
        "TotRmsAbvGrd": max(3, round(living / 240)),
        "Functional": functional,
        "Fireplaces": fires,
        "FireplaceQu": _grade(random, quality) if fires else "NA",
        "GarageType": _pick(random, Attchd=63, Detchd=28, BuiltIn=7, Basment=2) if garage else "NA",
        "GarageYrBlt": random.randint(built, max(built, remodelled)) if garage else "NA",
        "GarageFinish": _pick(random, Unf=44, RFn=31, Fin=25) if garage else "NA",
        "GarageCars": cars,
        "GarageArea": round(cars * random.gauss(265, 30)) if garage else 0,
        "GarageQual": _pick(random, TA=95, Fa=3.5, Gd=1, Po=0.5) if garage else "NA",
        "GarageCond": _pick(random, TA=96, Fa=2.6, Gd=0.9, Po=0.5) if garage else "NA",
        "PavedDrive": _pick(random, Y=92, N=6, P=2),
        "WoodDeckSF": deck,
        "OpenPorchSF": porch,
        "EnclosedPorch": _some(random, 0.14, 24, 280),
        "3SsnPorch": _some(random, 0.016, 100, 320),
        "ScreenPorch": _some(random, 0.08, 60, 320),
        "PoolArea": pool,
        "PoolQC": random.choice(("Ex", "Gd", "Fa")) if pool else "NA",
        "Fence": _pick(random, NA=81, MnPrv=11, GdPrv=4, GdWo=3.5, MnWw=0.5),
        "MiscFeature": "Shed" if shed else "NA",
        "MiscVal": shed,
        "MoSold": month,
        "YrSold": sold,
        "SaleType": "New" if new else _pick(random, WD=94, COD=3.3, ConLD=0.7, CWD=0.3, Oth=0.3),
        "SaleCondition": condition_of_sale,
        "SalePrice": round(math.exp(log_price) / 100) * 100,
    }
