"""Schemas that pydantic makes, by itself and as the official client changes them for `parse`."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel, ConfigDict, Field

Word = Annotated[str, Field(max_length=5)]
Digit = Annotated[int, Field(ge=0, le=9)]


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Address(BaseModel):
    street: Word
    number: Digit = Field(description="of the house")
    zip: Annotated[str, Field(pattern=r"^\d{5}$")]


class Person(BaseModel):
    """Somebody."""

    model_config = ConfigDict(extra="forbid")

    name: Word
    colour: Colour
    home: Address
    work: Address | None = None
    nicknames: Annotated[list[Word], Field(max_length=2)]


class Cat(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["cat"]
    lives: Annotated[int, Field(gt=0, lt=10)]


class Dog(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["dog"]
    good: bool


class Owner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    others: Annotated[list[Cat | Dog], Field(max_length=2)]


class Booking(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: UUID
    day: date
    made: datetime
    price: Annotated[float, Field(ge=0, le=100)]
    seats: Annotated[tuple[Digit, Digit], Field()]


class Folder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Word
    folders: Annotated[list["Folder"], Field(max_length=1)]


class Scores(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by_name: Annotated[dict[Annotated[str, Field(max_length=3)], Digit], Field(max_length=2)] | None
    by_colour: Annotated[dict[Literal["red", "green"], bool], Field(max_length=2)]


class Choice(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answer: Literal["yes", "no", 1, None]
    reason: Word | Digit | bool | None


PLAIN = (Person, Owner, Booking, Folder, Scores, Choice)
STRICT = (Address, Person, Booking, Folder, Choice)

MODELS: dict[str, dict[str, Any]] = {
    **{f"pydantic: {model.__name__}": model.model_json_schema() for model in PLAIN},
    **{f"openai: {model.__name__}": to_strict_json_schema(model) for model in STRICT},
}
