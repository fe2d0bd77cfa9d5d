"""Types in each other, as a context for grammars."""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from typing import Callable, Dict, Final, List, NamedTuple, Optional, TypedDict

grid: List[List[float]] = [[1.0]]
deep: Dict[str, Dict[int, Optional[bool]]] = {}
flags: dict[bool, str] = {}
maybe_list: Optional[list[int]] = None
maybe_map: dict[str, int] | None = None
PAGE: Final[int] = 3
make: Callable[[], int] = lambda: 1
choose: Callable[[Callable[[int], bool], int], bool] = lambda f, x: f(x)


class Point(NamedTuple):
    x: float
    y: float

    def mirrored(self) -> Point:
        return Point(self.y, self.x)


class Options(TypedDict):
    name: str


class Shape(ABC):
    @abstractmethod
    def area(self) -> float: ...

    @property
    def name(self) -> str:
        return "shape"


class Square(Shape):
    def __init__(self, side: float, *, label: str = "") -> None:
        self.side: float = side
        self.label = label

    def area(self) -> float:
        return self.side**2

    def grow(self, /, by: float, *more: float, **options: int) -> Square:
        return self

    def __len__(self) -> int:
        return 1


class Node:
    value: int
    next: Node | None
    children: "list[Node]"
    visit: Callable[[int], bool]

    def __init__(self, value: int, parent: Optional["Node"] = None) -> None:
        self.value = value
        self.next = parent


def is_even(x: int) -> bool:
    return x % 2 == 0


def apply(
    f: Callable[[int], bool],
    x: int,
    options: typing.Any = None,
) -> bool:
    return f(x)


def origin() -> Point:
    return Point(0, 0)


def area(shape: Shape) -> float:
    return shape.area()


def complete(node: Node, shape: Shape, points: list[Point], by_name: dict[str, Square]) -> int:
    return 0
