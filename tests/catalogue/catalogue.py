"""All rows, in the order of the table."""

from __future__ import annotations

from tests.catalogue.bad_code import CODE
from tests.catalogue.bad_data import DATA
from tests.catalogue.bad_files import FILES
from tests.catalogue.bad_models import MODELS
from tests.catalogue.bad_specs import SPECS
from tests.catalogue.row import Row

__all__ = ["CATALOGUE", "ROWS"]

CATALOGUE: dict[str, tuple[Row, ...]] = {
    "Specs": SPECS,
    "Source models": MODELS,
    "Datasets": DATA,
    "The user's code": CODE,
    "Quantized files": FILES,
}
ROWS = tuple(row for rows in CATALOGUE.values() for row in rows)
