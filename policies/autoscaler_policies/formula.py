"""Read a formula over named numbers, to be computed exactly and in bounded time."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import NoReturn, TypeAlias

from autoscaler.decide.exact import exact

Value: TypeAlias = int | Fraction
Compute: TypeAlias = Callable[[Mapping[str, Value]], Value]

# With nothing to repeat and no power, the length of a formula bounds its time: 500 characters take at most a tenth of a second.
_LONGEST = 500
_DEEPEST = 100  # levels of nesting, so that the depth of the stack never decides


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read: its text on one line, the names in it by first appearance, and how to compute it from their values."""

    text: str
    names: tuple[str, ...]
    compute: Compute  # raises ZeroDivisionError


@lru_cache(maxsize=1024)
def read_formula(text: str, known: tuple[str, ...]) -> Formula:
    """Read arithmetic in Python's notation: ``+ - * / // %``, comparisons, ``and or not``, ``a if b else c`` and ``FUNCTIONS``.

    Numbers are exact: 0.1 is one tenth and 1 / 3 a third. Raises ``ValueError`` that names the place of what cannot be read, for a
    name that is not ``known``, and for a formula over 500 characters or nested deeper than 100 levels.
    """
    line = " ".join(text.split())
    if len(line) > _LONGEST:
        raise ValueError(f"the formula has {len(line)} characters; write at most {_LONGEST}")
    reader = _Reader(line, known)
    compute = reader.read(_parse(line))
    return Formula(line, tuple(reader.names), compute)


def _parse(line: str) -> ast.expr:
    try:
        return ast.parse(line, mode="eval").body
    except SyntaxError as error:
        place = f"at character {error.offset}" if error.offset else "at its end"
        raise ValueError(f"{line!r} cannot be read {place}: {error.msg}; write arithmetic such as ceil(jobs / 20) if jobs > 0 else 0") from error
    except (RecursionError, MemoryError, ValueError) as error:  # nested beyond the parser, or a null character
        raise ValueError(f"{line!r} cannot be read: {error}; write a simpler formula") from error


def _round(value: Value) -> int:
    """Round to the nearest whole number, a half away from zero."""
    if value < 0:
        return -_round(-value)
    return math.floor(value + Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class _Function:
    call: Callable[..., Value]
    fewest: int = 1  # arguments
    most: int = 1


FUNCTIONS: Mapping[str, _Function] = {
    "abs": _Function(abs),
    "ceil": _Function(math.ceil),
    "floor": _Function(math.floor),
    "max": _Function(max, 2, _LONGEST),
    "min": _Function(min, 2, _LONGEST),
    "round": _Function(_round),
    "trunc": _Function(math.trunc),
}
_OPERATORS: Mapping[type[ast.AST], Callable[[Value, Value], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: Fraction,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_SIGNS: Mapping[type[ast.AST], Callable[[Value], Value]] = {
    ast.USub: lambda value: -value,
    ast.UAdd: lambda value: value,
    ast.Not: operator.not_,
}


@dataclass(slots=True)
class _Reader:
    """Turns a syntax tree into functions; whatever it does not know is refused, so nothing but numbers is ever touched."""

    line: str
    known: Collection[str]
    names: dict[str, None] = field(default_factory=dict)  # an ordered set
    depth: int = 0

    def read(self, node: ast.expr) -> Compute:
        self.depth += 1
        if self.depth > _DEEPEST:
            self._refuse(node, f"the formula is nested deeper than {_DEEPEST} levels", "write a simpler one")
        compute = self._read_node(node)
        self.depth -= 1
        return compute

    def _read_node(self, node: ast.expr) -> Compute:
        match node:
            case ast.Constant():
                compute = self._number(node)
            case ast.Name():
                compute = self._name(node)
            case ast.Call():
                compute = self._call(node)
            case ast.BinOp():
                compute = _pair(self._operator(node, node.op), self.read(node.left), self.read(node.right))
            case ast.UnaryOp():
                compute = _signed(self._sign(node), self.read(node.operand))
            case ast.Compare():
                compute = self._comparison(node)
            case ast.BoolOp():
                compute = (_first_false if isinstance(node.op, ast.And) else _first_true)([self.read(value) for value in node.values])
            case ast.IfExp():
                compute = _choice(self.read(node.test), self.read(node.body), self.read(node.orelse))
            case _:
                self._refuse(node, f"{self._written(node)} is no arithmetic", "write numbers, names and + - * / // % with functions")
        return compute

    def _number(self, node: ast.Constant) -> Compute:
        written = node.value
        if isinstance(written, bool) or not isinstance(written, int | float) or not math.isfinite(written):
            self._refuse(node, f"{self._written(node)} is no number here", "write one such as 20 or 0.5")
        value = exact(written) if isinstance(written, float) else written
        return lambda _: value

    def _name(self, node: ast.Name) -> Compute:
        if node.id not in self.known:
            self._refuse(node, f"{node.id} is not known", f"the names are {', '.join(self.known)}; list a metric under readings")
        self.names.setdefault(node.id)
        return operator.itemgetter(node.id)

    def _call(self, node: ast.Call) -> Compute:
        name = node.func.id if isinstance(node.func, ast.Name) else self._written(node.func)
        function = FUNCTIONS.get(name)
        if function is None:
            self._refuse(node, f"{name} is no function here", f"the functions are {', '.join(FUNCTIONS)}")
        if node.keywords or not function.fewest <= len(node.args) <= function.most:
            self._refuse(node, f"{name} takes {'1 argument' if function.most == 1 else '2 arguments or more'}", "correct it")
        return _called(function.call, [self.read(argument) for argument in node.args])

    def _operator(self, node: ast.expr, kind: ast.AST) -> Callable[[Value, Value], Value]:
        found = _OPERATORS.get(type(kind))
        if found is None:
            self._refuse(node, f"{self._written(node)} has an operator that is not known", "write + - * / // % < <= > >= == !=")
        return found

    def _sign(self, node: ast.UnaryOp) -> Callable[[Value], Value]:
        found = _SIGNS.get(type(node.op))
        if found is None:
            self._refuse(node, f"{self._written(node)} has an operator that is not known", "write -, + or not")
        return found

    def _comparison(self, node: ast.Compare) -> Compute:
        """Read ``a < b < c`` as ``a < b and b < c``."""
        values = [self.read(value) for value in (node.left, *node.comparators)]
        operators = [self._operator(node, kind) for kind in node.ops]
        pairs = [_pair(compare, *pair) for compare, pair in zip(operators, pairwise(values), strict=True)]
        return pairs[0] if len(pairs) == 1 else _first_false(pairs)

    def _written(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.line, node) or self.line

    def _refuse(self, node: ast.expr, said: str, fix: str) -> NoReturn:
        place = len(self.line.encode()[: node.col_offset].decode()) + 1
        raise ValueError(f"{self.line!r}, character {place}: {said}; {fix}")


def _pair(compute: Callable[[Value, Value], Value], left: Compute, right: Compute) -> Compute:
    return lambda values: compute(left(values), right(values))


def _signed(compute: Callable[[Value], Value], operand: Compute) -> Compute:
    return lambda values: compute(operand(values))


def _called(function: Callable[..., Value], arguments: list[Compute]) -> Compute:
    return lambda values: function(*[argument(values) for argument in arguments])


def _choice(test: Compute, then: Compute, otherwise: Compute) -> Compute:
    return lambda values: then(values) if test(values) else otherwise(values)


def _first_false(parts: list[Compute]) -> Compute:
    """Give the first value that is 0, else the last, as Python's ``and``."""

    def compute(values: Mapping[str, Value]) -> Value:
        value: Value = 1
        for part in parts:
            value = part(values)
            if not value:
                break
        return value

    return compute


def _first_true(parts: list[Compute]) -> Compute:
    """Give the first value that is not 0, else the last, as Python's ``or``."""

    def compute(values: Mapping[str, Value]) -> Value:
        value: Value = 0
        for part in parts:
            value = part(values)
            if value:
                break
        return value

    return compute
