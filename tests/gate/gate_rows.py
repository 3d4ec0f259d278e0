"""The rows that tests of gates share: two informative columns, and what several models say of them."""

import numpy as np
import pandas as pd

N = 2000


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def make_frame(n=N, seed=7):
    """Return rows with a target and the probabilities of two models, joined by ``id``."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    y = (x + z + rng.normal(size=n) > 0).astype("int64")
    region = np.where(np.arange(n) < n // 100, "isle", np.where(np.arange(n) % 2 == 0, "north", "south"))
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "x": x,
            "z": z,
            "y": y,
            "region": region,
            "cand": sigmoid(2 * (x + z)),
            "prod": sigmoid(2 * x + 1.8 * z),
            "bad": sigmoid(x),
        }
    )
