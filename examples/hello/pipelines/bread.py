"""A bread recipe: flour fans out to the other ingredients, and the dough brings them together.

Weights are in grams, temperatures in degrees Celsius.
"""

from pathlib import Path

from flowerpower.cfg import Config
from hamilton.function_modifiers import config, parameterize, tag

PARAMS = Config.load(str(Path(__file__).parents[1]), pipeline_name="bread").pipeline.h_params


def flour(loaves: int, flour_per_loaf: int) -> int:
    """The weight from which every other weight follows."""
    return loaves * flour_per_loaf


@tag(kind="ingredient")
@parameterize(**PARAMS["water"], **PARAMS["salt"], **PARAMS["yeast"])
def ingredient(flour: int, percent: float) -> float:
    """An ingredient: {percent} % of the flour."""
    return round(flour * percent / 100, 1)


def dough(flour: int, water: float, salt: float, yeast: float) -> float:
    """The weight of the whole dough."""
    return round(flour + water + salt + yeast, 1)


def loaf(dough: float, loaves: int) -> float:
    """The weight of one loaf before it is baked."""
    return round(dough / loaves, 1)


@config.when(oven="deck")
def oven_temperature__deck() -> int:
    """A deck oven starts hot: its stone gives the loaf its rise."""
    return 250


@config.when(oven="fan")
def oven_temperature__fan() -> int:
    """Moving air browns faster, so a fan oven is set lower."""
    return 220


def baking_minutes(loaf: float, oven_temperature: int) -> int:
    """Half an hour for a kilogram at 250 degrees; less weight or more heat takes less."""
    return round(30 * (loaf / 1000) ** 0.5 * 250 / oven_temperature)


@tag(audience="baker")
def shopping_list(flour: int, water: float, salt: float, yeast: float) -> dict[str, float]:
    """What to weigh out."""
    return {"flour": float(flour), "water": water, "salt": salt, "yeast": yeast}


@tag(audience="baker")
def baking_plan(loaves: int, loaf: float, oven_temperature: int, baking_minutes: int) -> str:
    """The plan in one sentence."""
    return f"Bake {loaves} x {loaf:g} g at {oven_temperature} °C for {baking_minutes} minutes."
