"""One day of departures from New York: how late, where to, and how much of it was the rain.

A day is compared with the other days of its month, airport by airport. Delays are minutes at
departure, an airport is a destination, and an hour is in the rain when any fell at the origin.
"""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hamilton.function_modifiers import tag
from hamilton.htypes import Collect, Parallelizable
from loguru import logger

FLIGHT = ["month", "day", "carrier", "flight", "origin", "sched_dep_time"]
HOUR = ["origin", "month", "day", "hour"]
MIN_RAINY_FLIGHTS = 10
MIN_SHARE_WITH_WEATHER = 0.95


@tag(stage="extract", source="Bureau of Transportation Statistics")
def raw_flights(day: date) -> pd.DataFrame:
    """Every flight that was scheduled in the day's month, as published."""
    return _read_month("flights", day)


@tag(stage="extract", source="ASOS, Iowa Environmental Mesonet")
def raw_weather(day: date) -> pd.DataFrame:
    """The weather at the three airports of departure, hour by hour, as published."""
    return _read_month("weather", day)


@tag(stage="validate")
def validation_report(
    raw_flights: pd.DataFrame, raw_weather: pd.DataFrame, day: date
) -> dict[str, Any]:
    """What is wrong with the data, and whether a report can be made of it all the same."""
    flights = _with_hour(raw_flights)
    cancelled = flights["dep_delay"].isna()
    repeated = flights.duplicated(FLIGHT)
    observed = pd.MultiIndex.from_frame(raw_weather[HOUR])
    has_weather = pd.MultiIndex.from_frame(flights[HOUR]).isin(observed)
    rows_of_day = int((flights["day"] == day.day).sum())
    problems = []
    if rows_of_day == 0:
        problems.append(f"no flights on {day}")
    if has_weather.mean() < MIN_SHARE_WITH_WEATHER:
        problems.append(f"only {has_weather.mean():.0%} of the flights have weather")
    return {
        "is_valid": not problems,
        "problems": problems,
        "rows": len(flights),
        "rows_of_day": rows_of_day,
        "cancelled": int(cancelled.sum()),
        "repeated": int(repeated.sum()),
        "without_weather": int((~has_weather).sum()),
        "rows_dropped": int((cancelled | repeated | ~has_weather).sum()),
    }


@tag(stage="transform")
def clean_flights(raw_flights: pd.DataFrame, validation_report: dict[str, Any]) -> pd.DataFrame:
    """The flights that departed, each once. Data that is not valid ends the run here."""
    if not validation_report["is_valid"]:
        raise ValueError(f"The data is not valid: {'; '.join(validation_report['problems'])}.")
    once = _with_hour(raw_flights).drop_duplicates(FLIGHT)
    return once.dropna(subset=["dep_delay"]).reset_index(drop=True)


@tag(stage="transform")
def departures(clean_flights: pd.DataFrame, raw_weather: pd.DataFrame) -> pd.DataFrame:
    """Each flight with the weather of its scheduled hour; flights without any are left out."""
    hourly = raw_weather[[*HOUR, "temp", "wind_speed", "precip", "visib"]]
    joined = clean_flights.merge(hourly, on=HOUR, how="inner", validate="many_to_one")
    return joined.assign(rain=joined["precip"] > 0)


@tag(stage="analyse")
def weather_effect(departures: pd.DataFrame) -> float:
    """How many minutes later a flight leaves in the rain, on average over the month."""
    delay, rain = departures["dep_delay"], departures["rain"]
    return round(float(delay[rain].mean() - delay[~rain].mean()), 2)


def airport(departures: pd.DataFrame, day: date, min_flights: int) -> Parallelizable[str]:
    """The airports that had enough flights that day, the busiest first."""
    flights = departures.loc[departures["day"] == day.day, "dest"].value_counts()
    busy = flights[flights >= min_flights]
    if busy.empty:
        raise ValueError(f"No airport had {min_flights} flights on {day}, at most {flights.max()}.")
    logger.info(f"{len(busy)} of {len(flights)} airports had {min_flights} flights or more")
    yield from busy.index


@tag(stage="analyse")
def airport_profile(
    airport: str, departures: pd.DataFrame, day: date, resamples: int = 10_000
) -> dict[str, Any]:
    """One airport's day against its month.

    Chance is the share of random days, drawn from the rest of the month, that are as late as this
    one; the margin of the rain's effect covers 95 % of its resampled values.
    """
    flights = departures.loc[departures["dest"] == airport]
    of_day = (flights["day"] == day.day).to_numpy()
    delay = flights["dep_delay"].to_numpy()
    today, other_days = delay[of_day], delay[~of_day]
    # The same day and airport draw the same numbers, in whichever thread and order they run.
    random = np.random.default_rng([day.toordinal(), *airport.encode()])
    random_days = _resampled_medians(random, other_days, len(today), resamples)
    by_hour: pd.Series = flights.loc[of_day].groupby("hour")["dep_delay"].mean()
    return {
        "airport": airport,
        "flights": len(today),
        "median_delay": float(_median(today)),
        "usual_delay": float(_median(other_days)),
        "chance": round(float((random_days >= _median(today)).mean()), 4),
        "peak": f"{by_hour.idxmax():02}:00",
        **_rain_effect(random, delay, flights["rain"].to_numpy(), resamples),
    }


def airport_profiles(airport_profile: Collect[dict[str, Any]]) -> pd.DataFrame:
    """All profiles as one frame, a row per airport."""
    return pd.DataFrame(list(airport_profile))


@tag(stage="load")
def daily_report(airport_profiles: pd.DataFrame) -> pd.DataFrame:
    """The airports of the day, those that lost most minutes against their month first."""
    lost = airport_profiles["median_delay"] - airport_profiles["usual_delay"]
    return (
        airport_profiles.assign(unusual=airport_profiles["chance"] < 0.01)
        .iloc[lost.argsort(kind="stable")[::-1]]
        .reset_index(drop=True)
    )


def _read_month(table: str, day: date) -> pd.DataFrame:
    path = Path(f"data/{table}-{day:%Y-%m}.csv.gz")
    if not path.exists():
        raise ValueError(f"There is no data for {day}: {path} is missing.")
    rows = pd.read_csv(path)
    logger.info(f"read {path}: {len(rows)} rows")
    return rows


def _with_hour(flights: pd.DataFrame) -> pd.DataFrame:
    """Times of day are published as numbers: 1735 is 17:35."""
    return flights.assign(hour=flights["sched_dep_time"] // 100)


def _rain_effect(
    random: np.random.Generator, delay: np.ndarray, rain: np.ndarray, resamples: int
) -> dict[str, float | None]:
    wet, dry = delay[rain], delay[~rain]
    if len(wet) < MIN_RAINY_FLIGHTS:
        return {"rain_effect": None, "rain_margin": None}
    wet_means = _resampled_means(random, wet, resamples)
    dry_means = _resampled_means(random, dry, resamples)
    low, high = np.percentile(wet_means - dry_means, [2.5, 97.5])
    return {
        "rain_effect": round(float(wet.mean() - dry.mean()), 1),
        "rain_margin": round(float(high - low) / 2, 1),
    }


def _median(delays: np.ndarray) -> float:
    """The middle delay, of two middle ones the smaller: always one that occurred."""
    return float(np.quantile(delays, 0.5, method="inverted_cdf"))


def _resampled_medians(
    random: np.random.Generator, delays: np.ndarray, size: int, resamples: int
) -> np.ndarray:
    distinct, drawn = _resample(random, delays, size, resamples)
    return distinct[(drawn.cumsum(axis=1) * 2 >= size).argmax(axis=1)]


def _resampled_means(random: np.random.Generator, delays: np.ndarray, resamples: int) -> np.ndarray:
    distinct, drawn = _resample(random, delays, len(delays), resamples)
    return drawn @ distinct / len(delays)


def _resample(
    random: np.random.Generator, delays: np.ndarray, size: int, resamples: int
) -> tuple[np.ndarray, np.ndarray]:
    """The distinct delays, and for each random sample how often it drew each of them.

    Delays are whole minutes, so counts say all that a sample does. And it is one long call: the
    many short ones of drawing flight by flight would let the threads wait for each other.
    """
    distinct, counts = np.unique(delays.astype(int), return_counts=True)
    return distinct, random.multinomial(size, counts / counts.sum(), size=resamples)
