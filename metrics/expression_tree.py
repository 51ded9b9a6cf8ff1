"""What an expression says once it is checked: a tree in which every node knows its kind.

Conversions are nodes of their own, so that writing the tree as SQL decides nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

Kind = Literal["test", "boolean", "integer", "double", "text", "instant", "day", "null"]
"""test is never empty; boolean is a column's 0 or 1 and may be; double is a real number."""

LARGEST = 18
"""Powers of ten: a number column beyond 10**LARGEST has no value in arithmetic, one within
10**-LARGEST of zero is zero."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Node:
    """A part of an expression. `stack` is how many entries of SQLite's parser stack it may take up."""

    kind: Kind
    stack: ClassVar[int] = 3

    def parts(self) -> Iterator[Node]:
        """The nodes directly inside this one."""
        for field in fields(self):
            yield from _nodes(getattr(self, field.name))


@dataclass(frozen=True)
class Column(Node):
    """A column of the source; as a day, also the local day kept beside an instant (`of_instant`)."""

    name: str
    of_instant: bool = False


@dataclass(frozen=True)
class Constant(Node):
    """A literal. An instant is in our stored text, with the city's day beside it."""

    value: str | int | Decimal | None
    local_day: str | None = None


@dataclass(frozen=True)
class Connective(Node):
    word: Literal["AND", "OR"]
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Not(Node):
    operand: Node
    stack: ClassVar[int] = 2


@dataclass(frozen=True)
class IsTrue(Node):
    """A boolean as a test: empty is not true."""

    operand: Node
    stack: ClassVar[int] = 6


@dataclass(frozen=True)
class Compare(Node):
    operator: Literal["=", "<>", "<", "<=", ">", ">="]
    left: Node
    right: Node
    stack: ClassVar[int] = 6


@dataclass(frozen=True)
class Between(Node):
    operand: Node
    low: Node
    high: Node
    stack: ClassVar[int] = 8


@dataclass(frozen=True)
class OneOf(Node):
    operand: Node
    options: tuple[Node, ...]
    stack: ClassVar[int] = 8


@dataclass(frozen=True)
class Like(Node):
    operand: Node
    pattern: str
    stack: ClassVar[int] = 6


@dataclass(frozen=True)
class IsNull(Node):
    operand: Node
    stack: ClassVar[int] = 2


@dataclass(frozen=True)
class Choice(Node):
    """case: the result beside the first true test, else `otherwise`."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node
    stack: ClassVar[int] = 7


@dataclass(frozen=True)
class Coalesce(Node):
    operands: tuple[Node, ...]
    stack: ClassVar[int] = 6


@dataclass(frozen=True)
class Text(Node):
    function: Literal["lower", "trim"]
    operand: Node
    stack: ClassVar[int] = 5


@dataclass(frozen=True)
class AsDouble(Node):
    """An integer as a real number."""

    operand: Node


@dataclass(frozen=True)
class Bounded(Node):
    """A number column inside arithmetic: see LARGEST."""

    operand: Column
    stack: ClassVar[int] = 10


@dataclass(frozen=True)
class Arithmetic(Node):
    """first (+ or -) next … or first (* or /) next …, from left to right, all of them doubles."""

    first: Node
    rest: tuple[tuple[Literal["+", "-", "*", "/"], Node], ...]
    stack: ClassVar[int] = 8


@dataclass(frozen=True)
class Microseconds(Node):
    """Microseconds from 1970 to an instant column."""

    operand: Column
    stack: ClassVar[int] = 8


@dataclass(frozen=True)
class Elapsed(Node):
    """Real time from one instant to another, both in microseconds, in units of `unit` microseconds."""

    start: Node
    end: Node
    unit: int
    stack: ClassVar[int] = 8


@dataclass(frozen=True)
class DaysApart(Node):
    """Days of the calendar from one day to another."""

    start: Node
    end: Node
    stack: ClassVar[int] = 8


@dataclass(frozen=True)
class Workdays(Node):
    """Business days after the first day up to and including the second."""

    start: Node
    end: Node
    stack: ClassVar[int] = 16


def walk(node: Node) -> Iterator[Node]:
    """The node and every node inside it."""
    yield node
    for part in node.parts():
        yield from walk(part)


def conjuncts(node: Node) -> Iterator[Node]:
    """The tests that must all be true for a test to be: itself, where it is not joined by `and`."""
    if isinstance(node, Connective) and node.word == "AND":
        for operand in node.operands:
            yield from conjuncts(operand)
    else:
        yield node


def columns(node: Node) -> frozenset[str]:
    """The names of the source's columns that the node reads."""
    return frozenset(part.name for part in walk(node) if isinstance(part, Column))


def stack(node: Node) -> int:
    """The most entries of SQLite's parser stack that the node may need."""
    return node.stack + max((stack(part) for part in node.parts()), default=0)


def at_leaves(node: Node, change: Callable[[Node], Node]) -> Node:
    """The same value with `change` applied inside coalesce and case, where the values come from.

    `change` must keep empty values empty and no others.
    """
    if isinstance(node, Coalesce):
        operands = tuple(at_leaves(part, change) for part in node.operands)
        return replace(node, kind=_kind_of(operands), operands=operands)
    if isinstance(node, Choice):
        branches = tuple((test, at_leaves(result, change)) for test, result in node.branches)
        otherwise = at_leaves(node.otherwise, change)
        kind = _kind_of([result for _, result in branches] + [otherwise])
        return replace(node, kind=kind, branches=branches, otherwise=otherwise)
    return node if node.kind == "null" else change(node)


def local_day(node: Node) -> Node:
    """The city's day of an instant, or the day itself."""
    return at_leaves(node, _local_day)


def microseconds(node: Node) -> Node:
    """An instant as a whole number of microseconds since 1970."""
    return at_leaves(node, _microseconds)


def bounded(node: Node) -> Node:
    """A number fit for arithmetic that overflows on neither engine."""
    return at_leaves(node, lambda leaf: Bounded("double", leaf) if isinstance(leaf, Column) else leaf)


def negated_columns(node: Node) -> frozenset[str]:
    """Columns under not or <> whose being empty would be taken for an answer.

    `is null` asks for the empty and a coalesce that ends in a literal fills it: neither counts.
    """
    return frozenset(_negated(node, under=False))


def magnitude(node: Node) -> tuple[float, float]:
    """Powers of ten between which the absolute value of a number lies unless it is 0."""
    if isinstance(node, Constant):
        return _digits(node)
    if isinstance(node, Arithmetic):
        return _arithmetic_magnitude(node)
    if isinstance(node, Elapsed):
        return -12, 19
    if isinstance(node, Choice):
        return _widest([result for _, result in node.branches] + [node.otherwise])
    if isinstance(node, Coalesce | AsDouble):
        return _widest(list(node.parts()))
    return (-LARGEST, LARGEST) if isinstance(node, Bounded) else (0, 19)


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _nodes(part)


def _kind_of(results: list[Node] | tuple[Node, ...]) -> Kind:
    return next(result.kind for result in results if result.kind != "null")


def _local_day(leaf: Node) -> Node:
    if leaf.kind == "day":
        return leaf
    if isinstance(leaf, Constant):
        return Constant("day", leaf.local_day)
    assert isinstance(leaf, Column), leaf
    return Column("day", leaf.name, of_instant=True)


def _microseconds(leaf: Node) -> Node:
    if isinstance(leaf, Constant):
        instant = datetime.fromisoformat(str(leaf.value))
        return Constant("integer", (instant - _EPOCH) // timedelta(microseconds=1))
    assert isinstance(leaf, Column), leaf
    return Microseconds("integer", leaf)


def _negated(node: Node, *, under: bool) -> Iterator[str]:
    if isinstance(node, IsNull) or (isinstance(node, Coalesce) and _is_filled(node.operands[-1])):
        return
    if isinstance(node, Column) and under:
        yield node.name
    under = under or isinstance(node, Not) or (isinstance(node, Compare) and node.operator == "<>")
    for part in node.parts():
        yield from _negated(part, under=under)


def _is_filled(node: Node) -> bool:
    return isinstance(node, Constant) and node.value is not None


def _digits(node: Constant) -> tuple[float, float]:
    number = Decimal(node.value or 1)
    return (number.adjusted(), number.adjusted() + 1)


def _widest(nodes: list[Node]) -> tuple[float, float]:
    known = [magnitude(node) for node in nodes if node.kind != "null"]
    return min(low for low, _ in known), max(high for _, high in known)


def _arithmetic_magnitude(node: Arithmetic) -> tuple[float, float]:
    if node.rest[0][0] in ("+", "-"):
        low, high = _widest([node.first, *(term for _, term in node.rest)])
        # A difference of doubles is a multiple of the last binary place of the smallest.
        return low - 16, high + len(str(len(node.rest)))
    low, high = magnitude(node.first)
    for operator, factor in node.rest:
        least, most = magnitude(factor)
        low, high = (low + least, high + most) if operator == "*" else (low - most, high - least)
    return low, high
