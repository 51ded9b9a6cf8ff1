"""What sqlglot read becomes our own tree, node by node of a whitelist, with every type known.

Whatever is not listed, filled where we expect nothing, or compared with another type is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Literal, NoReturn
from zoneinfo import ZoneInfo

from sqlglot import exp

from metrics import expression_tree as tree
from metrics.expression_tree import Kind, Node
from metrics.expression_types import NUMBERS, SAID, Reading, as_double, as_operand, as_test
from metrics.expression_words import LANGUAGE
from metrics.model import ColumnType

Type = Literal["test", "number", "text", "instant", "day"]

_COLUMN_KINDS: Mapping[ColumnType, Kind] = {
    "text": "text",
    "integer": "integer",
    "number": "double",
    "instant": "instant",
    "day": "day",
    "boolean": "boolean",
    "district": "text",
}
_COMPARISONS: Mapping[type[exp.Expr], Literal["=", "<>", "<", "<=", ">", ">="]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_OPERATORS: Mapping[type[exp.Expr], Literal["+", "-", "*", "/"]] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}
_UNITS = {"minutes_between": 60_000_000, "hours_between": 3_600_000_000, "days_between": 86_400_000_000}
_MOST_OPERANDS = 100
_LARGEST_POWER = 300
_AS_NUMBER = "Write: case when … then 1 else 0 end."
_EQUALITY = "Compare them with = or <>."
_ARGUMENTS: Mapping[type[exp.Expr], frozenset[str]] = {
    exp.Column: frozenset({"this"}),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Boolean: frozenset({"this"}),
    exp.Null: frozenset(),
    exp.Paren: frozenset({"this"}),
    exp.Not: frozenset({"this"}),
    exp.Neg: frozenset({"this"}),
    exp.In: frozenset({"this", "expressions"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Like: frozenset({"this", "expression", "negate"}),
    exp.Is: frozenset({"this", "expression", "negate"}),
    exp.Case: frozenset({"ifs", "default"}),
    exp.Coalesce: frozenset({"this", "expressions"}),
    exp.Lower: frozenset({"this"}),
    exp.Trim: frozenset({"this"}),
    exp.Anonymous: frozenset({"this", "expressions"}),
    **dict.fromkeys((exp.And, exp.Or, *_COMPARISONS, *_OPERATORS), frozenset({"this", "expression"})),
}
"""The nodes of sqlglot that are understood, and the only parts of each that may be filled."""


def check(
    read: exp.Expr, text: str, columns: Mapping[str, ColumnType], zone: ZoneInfo, expects: Type
) -> Node:
    """Our tree of what was read from `text`: a test, or a value of the type expected, numbers as doubles.

    Raises ExpressionError; RecursionError where the caller's own stack is nearly used up.
    """
    checker = _Checker(text, columns, zone)
    return checker.test(read) if expects == "test" else checker.expected(read, expects)


class _Checker:
    """Turns sqlglot's tree into ours, or says where it cannot."""

    def __init__(self, text: str, columns: Mapping[str, ColumnType], zone: ZoneInfo) -> None:
        self._reading = Reading(text, zone)
        self._columns = columns
        self._tests: Mapping[type[exp.Expr], Callable[[exp.Expr], Node]] = {
            exp.And: self._connective,
            exp.Or: self._connective,
            exp.Not: lambda node: tree.Not("test", self.test(node.this)),
            exp.In: self._one_of,
            exp.Between: self._between,
            exp.Like: self._like,
            exp.Is: self._is_null,
            **dict.fromkeys(_COMPARISONS, self._compare),
        }
        self._values: Mapping[type[exp.Expr], Callable[[exp.Expr], Node]] = {
            exp.Column: self._column,
            exp.Literal: self._reading.literal,
            exp.Boolean: lambda node: tree.Constant("boolean", int(node.this)),
            exp.Null: lambda _: tree.Constant("null", None),
            exp.Neg: self._negative,
            exp.Case: self._case,
            exp.Coalesce: self._coalesce,
            exp.Lower: self._text_function,
            exp.Trim: self._text_function,
            exp.Anonymous: self._own_function,
            **dict.fromkeys(_OPERATORS, self._arithmetic),
        }

    def expected(self, node: exp.Expr, expects: Type) -> Node:
        """A value of the type expected."""
        value = self._value(node)
        if expects == "number" and value.kind in NUMBERS:
            return as_double(value)
        if value.kind != expects:
            fix = _AS_NUMBER if value.kind == "boolean" else f"Give {SAID[expects]}."
            self._refuse(node, f"This is {SAID[value.kind]} where {SAID[expects]} is expected", fix)
        return value

    def test(self, node: exp.Expr) -> Node:
        """A test, never unknown: a boolean on its own is one."""
        node = self._opened(node)
        if type(node) in self._tests:
            return self._tests[type(node)](node)
        value = self._values[type(node)](node)
        if value.kind == "null":
            self._refuse_null(node)
        if value.kind not in ("test", "boolean"):
            what = f"This is {SAID[value.kind]} where a test is expected"
            self._refuse(node, what, "Compare it with something.")
        return as_test(value)

    # --- tests ---

    def _connective(self, node: exp.Expr) -> Node:
        first, rest = _chain(node, (type(node),))
        operands = (self.test(first), *(self.test(operand) for _, operand in rest))
        return tree.Connective("test", "AND" if isinstance(node, exp.And) else "OR", operands)

    def _compare(self, node: exp.Expr) -> Node:
        operator = _COMPARISONS[type(node)]
        left, right = self._alike(node.this, node.expression)
        if left.kind == "boolean" and operator not in ("=", "<>"):
            self._refuse(node, f"True and false have no order for {operator}", _EQUALITY)
        return tree.Compare("test", operator, left, right)

    def _one_of(self, node: exp.Expr) -> Node:
        options = node.expressions
        if not options:
            self._refuse(node, "`in` has no list of values", "Write them in brackets: in ('a', 'b').")
        operand, *checked = self._alike(node.this, *options)
        return tree.OneOf("test", operand, tuple(checked))

    def _between(self, node: exp.Expr) -> Node:
        operand, low, high = self._alike(node.this, node.args["low"], node.args["high"])
        if operand.kind == "boolean":
            self._refuse(node, "True and false have no order for between", _EQUALITY)
        return tree.Between("test", operand, low, high)

    def _like(self, node: exp.Expr) -> Node:
        operand = self._of_kind(node.this, "text", "`like` compares texts")
        pattern = node.expression
        if not (isinstance(pattern, exp.Literal) and pattern.is_string):
            what = "The pattern of `like` is not a text in quotes"
            self._refuse(pattern, what, "Write it out: like 'Pot%'.")
        found = tree.Like("test", operand, str(self._reading.literal(pattern).value))
        return tree.Not("test", found) if node.args.get("negate") else found

    def _is_null(self, node: exp.Expr) -> Node:
        if not isinstance(node.expression, exp.Null):
            self._refuse(node, "`is` asks only for null", "Write is null, is not null, or compare with =.")
        found = tree.IsNull("test", self._present(node.this))
        return tree.Not("test", found) if node.args.get("negate") else found

    # --- values ---

    def _value(self, node: exp.Expr) -> Node:
        """A value of any kind but test; null is one."""
        node = self._opened(node)
        value = None if type(node) in self._tests else self._values[type(node)](node)
        if value is None or value.kind == "test":
            fix = "Compare columns and literals, and join tests with and, or, not."
            self._refuse(node, "A test stands where a value is expected", fix)
        return value

    def _present(self, node: exp.Expr) -> Node:
        """A value that is not the word null."""
        value = self._value(node)
        if value.kind == "null":
            self._refuse_null(node)
        return value

    def _of_kind(self, node: exp.Expr, kind: Kind, why: str) -> Node:
        value = self._present(node)
        if value.kind != kind:
            self._refuse(node, f"{why}, and this is {SAID[value.kind]}", f"Give {SAID[kind]}.")
        return value

    def _column(self, node: exp.Expr) -> Node:
        """Names come quoted from `expression_words`; any other is a keyword that sqlglot took for a name."""
        if not (isinstance(node.this, exp.Identifier) and node.this.args.get("quoted")):
            fix = f'If a column is meant, write it in double quotes: "{node.name}".'
            self._refuse(node, f"`{node.name}` is a word of the language", fix)
        return tree.Column(_COLUMN_KINDS[self._columns[node.name]], node.name)

    def _negative(self, node: exp.Expr) -> Node:
        operand = self._number(node.this)
        if isinstance(operand, tree.Constant) and isinstance(operand.value, int | Decimal):
            return tree.Constant(operand.kind, -operand.value)
        return tree.Arithmetic("double", tree.Constant("double", 0), (("-", as_operand(operand)),))

    def _arithmetic(self, node: exp.Expr) -> Node:
        family = (exp.Add, exp.Sub) if isinstance(node, exp.Add | exp.Sub) else (exp.Mul, exp.Div)
        first, rest = _chain(node, family)
        start = as_operand(self._number(first))
        terms = tuple((_OPERATORS[kind], as_operand(self._number(term))) for kind, term in rest)
        found = tree.Arithmetic("double", start, terms)
        low, high = tree.magnitude(found)
        if low < -_LARGEST_POWER or high > _LARGEST_POWER:
            self._refuse(node, "So many factors can leave the range of numbers", "Multiply and divide less.")
        return found

    def _number(self, node: exp.Expr) -> Node:
        value = self._present(node)
        if value.kind not in NUMBERS:
            fix = _AS_NUMBER if value.kind == "boolean" else "Give a number."
            if value.kind in ("instant", "day"):
                fix = "For the time between two, write minutes_between, hours_between or days_between."
            self._refuse(node, f"Arithmetic needs numbers, and this is {SAID[value.kind]}", fix)
        return value

    def _coalesce(self, node: exp.Expr) -> Node:
        operands = [node.this, *node.expressions]
        if not 2 <= len(operands) <= _MOST_OPERANDS:
            fix = f"Give at least two and at most {_MOST_OPERANDS}."
            self._refuse(node, f"coalesce is of {len(operands)} values", fix)
        if any(type(self._opened(operand)) in self._tests for operand in operands):
            fix = "Put coalesce around the columns inside the test."
            self._refuse(node, "A test is never empty, so coalesce would change nothing", fix)
        values = self._results(node, operands, [self._value(operand) for operand in operands])
        return tree.Coalesce(_kind(values), tuple(values))

    def _case(self, node: exp.Expr) -> Node:
        tests = [self.test(branch.this) for branch in node.args["ifs"]]
        given = [branch.args["true"] for branch in node.args["ifs"]]
        given.append(node.args.get("default") or exp.Null())
        values = [self._result(result) for result in given]
        if any(value.kind == "test" for value in values):
            values = [self._as_result_test(*pair) for pair in zip(values, given, strict=True)]
        else:
            values = self._results(node, given, values)
        *results, otherwise = values
        return tree.Choice(_kind(values), tuple(zip(tests, results, strict=True)), otherwise)

    def _result(self, node: exp.Expr) -> Node:
        """A result of case: a value, or a test."""
        node = self._opened(node)
        return self._tests[type(node)](node) if type(node) in self._tests else self._values[type(node)](node)

    def _as_result_test(self, value: Node, node: exp.Expr) -> Node:
        if value.kind not in ("test", "boolean", "null"):
            what = f"One result is a test, and this is {SAID[value.kind]}"
            self._refuse(node, what, "Let all be of one type.")
        return as_test(value)

    def _results(self, node: exp.Expr, given: Sequence[exp.Expr], values: list[Node]) -> list[Node]:
        """The values of coalesce or case as one type; nulls fit every type."""
        present = [i for i, value in enumerate(values) if value.kind != "null"]
        if not present:
            self._refuse(node, "Every result is null", "Give at least one value.")
        alike = self._reading.alike([given[i] for i in present], [values[i] for i in present])
        for i, value in zip(present, alike, strict=True):
            values[i] = value
        return values

    def _text_function(self, node: exp.Expr) -> Node:
        function: Literal["lower", "trim"] = "lower" if isinstance(node, exp.Lower) else "trim"
        return tree.Text("text", function, self._of_kind(node.this, "text", f"{function} changes a text"))

    def _own_function(self, node: exp.Expr) -> Node:
        name = str(node.this)
        if len(node.expressions) != 2:
            fix = f"Write {name}(start, end)."
            self._refuse(node, f"{name} has {len(node.expressions)} values instead of two", fix)
        start, end = self._moments(name, node.expressions)
        if name == "workdays_between":
            return tree.Workdays("integer", tree.local_day(start), tree.local_day(end))
        if start.kind != end.kind:
            self._refuse(node, f"{name} cannot mix a day and an instant", "Give two of one type.")
        if start.kind == "instant":
            return tree.Elapsed("double", tree.microseconds(start), tree.microseconds(end), _UNITS[name])
        if name != "days_between":
            self._refuse(node, f"{name} needs instants, and these are days", "Write days_between.")
        return tree.DaysApart("integer", start, end)

    def _moments(self, name: str, nodes: Sequence[exp.Expr]) -> list[Node]:
        """The two instants or days of a function; texts written out take the type of the other."""
        values = [self._present(node) for node in nodes]
        if "day" in (value.kind for value in values) and name == "days_between":
            values = self._reading.alike(nodes, values)
        values = [self._reading.moment(node, value) for node, value in zip(nodes, values, strict=True)]
        for node, value in zip(nodes, values, strict=True):
            if value.kind not in ("instant", "day"):
                what = f"{name} counts between instants or days, and this is {SAID[value.kind]}"
                self._refuse(node, what, "Give two such columns.")
        return values

    # --- the parts of a tree ---

    def _alike(self, *nodes: exp.Expr) -> list[Node]:
        """The sides of a comparison, as one type."""
        return self._reading.alike(nodes, [self._present(node) for node in nodes])

    def _opened(self, node: exp.Expr) -> exp.Expr:
        """The node inside its brackets, one that is understood and filled only where we look."""
        while True:
            allowed = _ARGUMENTS.get(type(node))
            filled = {name for name, part in node.args.items() if part not in (None, False, [])}
            if allowed is None or filled - allowed:
                self._refuse_node(node)
            if not isinstance(node, exp.Paren):
                return node
            node = node.this

    def _refuse(self, node: exp.Expr, what: str, fix: str) -> NoReturn:
        self._reading.refuse(node, what, fix)

    def _refuse_node(self, node: exp.Expr) -> NoReturn:
        if isinstance(node, exp.Case):
            self._refuse(node, "`case` has a value before `when`", "Write: case when column = value then …")
        what = f"`{self._reading.quote(node)}` is not part of the language"
        self._refuse(node, what, f"It has {LANGUAGE}.")

    def _refuse_null(self, node: exp.Expr) -> NoReturn:
        fix = "Ask with is null or is not null; null can only be a result of case or coalesce."
        self._refuse(node, "Nothing can be compared with null", fix)


def _chain(
    node: exp.Expr, family: tuple[type[exp.Expr], ...]
) -> tuple[exp.Expr, list[tuple[type[exp.Expr], exp.Expr]]]:
    """A run of operators that the parser hangs on each other's left, however long, from left to right."""
    rest: list[tuple[type[exp.Expr], exp.Expr]] = []
    while type(node) in family:
        rest.append((type(node), node.expression))
        node = node.this
    return node, rest[::-1]


def _kind(values: Sequence[Node]) -> Kind:
    return next(value.kind for value in values if value.kind != "null")
