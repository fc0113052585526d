"""JSON schemas that clients send, and those that test every keyword: `ACCEPTED` and `REFUSED`, each by its name."""

from tests.schemas.clients import CLIENTS
from tests.schemas.combinations import COMBINATIONS
from tests.schemas.containers import ARRAYS, OBJECTS
from tests.schemas.models import MODELS
from tests.schemas.refused import REFUSED
from tests.schemas.scalars import CHOICES, NUMBERS, STRINGS

ACCEPTED = {**STRINGS, **NUMBERS, **CHOICES, **ARRAYS, **OBJECTS, **COMBINATIONS, **CLIENTS, **MODELS}

__all__ = ["ACCEPTED", "REFUSED"]
