"""A shop, as a context for grammars."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Callable, Optional, TypeVar

T = TypeVar("T")

TAX: float = 0.19
limit: int = 100
names: list[str] = ["ada"]
stock: dict[str, int] = {}
best: Optional["Item"] = None
discount: Callable[[float, int], float] = lambda price, count: price
anything: Any = 1
untyped = 3


class Kind(Enum):
    FOOD = 1
    TOOL = 2

    def label(self) -> str:
        return self.name


@dataclass
class Item:
    name: str
    price: float
    kind: Kind
    tags: list[str]

    def total(self, count: int, reduced: bool = False) -> float:
        return self.price * count

    @property
    def size(self) -> int:
        return len(self.name)

    @classmethod
    def free(cls, name: str) -> "Item":
        return cls(name, 0.0, Kind.FOOD, [])


class Cart:
    def __init__(self, owner: str, items: list[Item]) -> None:
        self.owner = owner
        self.items = items
        self.note: str | None = None
        self._seen: set[str] = set()

    def find(self, name: str) -> Optional[Item]:
        return None

    def is_empty(self) -> bool:
        return not self.items

    def add(self, item: Item) -> None:
        self.items.append(item)


def half(price: float, count: int) -> float:
    return price / 2


def repeat(text: str, times: int = 2, *, sep: str = "") -> str:
    return sep.join([text] * times)


def cheapest(items: list[Item]) -> Item:
    return items[0]


def counts(items: list[Item]) -> dict[str, int]:
    return {}


def first(items: list[T]) -> T:
    return items[0]


async def fetch(name: str) -> Item:
    raise NotImplementedError


def price_of(cart: Cart, name: str, count: int, sale: bool) -> float:
    return 0.0
