"""What a row of the flight data has to look like before anyone scores it."""

from __future__ import annotations

import pandera.pandas as pa


class Flights(pa.DataFrameModel):
    """One flight out of New York, as it is known before departure, and whether it arrived late."""

    year: int = pa.Field(ge=2013)
    month: int = pa.Field(ge=1, le=12)
    day: int = pa.Field(ge=1, le=31)
    dow: int = pa.Field(ge=0, le=6, description="day of the week, Monday is 0")
    hour: int = pa.Field(ge=0, le=23, description="hour of the scheduled departure, local time")
    carrier: str = pa.Field(str_matches="^[0-9A-Z]{2}$")
    origin: str = pa.Field(isin=["EWR", "JFK", "LGA"])
    dest: str = pa.Field(str_matches="^[A-Z]{3}$")
    distance: int = pa.Field(ge=50, le=6000, description="miles")
    temp: float = pa.Field(ge=-40, le=120, nullable=True, description="degrees Fahrenheit")
    humid: float = pa.Field(ge=0, le=100, nullable=True)
    wind_speed: float = pa.Field(ge=0, le=150, nullable=True, description="miles per hour")
    precip: float = pa.Field(ge=0, le=10, nullable=True, description="inches in this hour")
    visib: float = pa.Field(ge=0, le=10, nullable=True, description="miles")
    pressure: float = pa.Field(ge=900, le=1100, nullable=True, description="millibars")
    late: int = pa.Field(isin=[0, 1], description="arrived more than 30 minutes late")
