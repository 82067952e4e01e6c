"""The tool `calculator`: arithmetic that is exact where numbers are rational.

Owns the grammar (Python's, as far as arithmetic goes) and the bounds that keep any expression cheap. The tree is walked
here; nothing is ever compiled or run.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field

from handlers.tools.typed import ToolError, tool

LONGEST = 1000  # characters
DEEPEST = 60
MOST_BITS = 10_000  # of a numerator or denominator: about 3,000 digits
LARGEST_ARGUMENT = 1000  # of factorials and the like
DIGITS = 15  # of what isn't exact
EXACT_DIGITS = 30

Number = Fraction | float

_SPELLINGS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "^": "**", "π": "pi"})
_CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}
_LITERAL = re.compile(r"[\d.]+(?:e[+-]?(\d+))?", re.IGNORECASE)


@tool
def calculator(
    expression: Annotated[str, Field(description="For example: 2 * (3 + 4.5) ** 2 / sqrt(16)", max_length=LONGEST)],
) -> str:
    """Evaluate an arithmetic expression, exactly where that is possible.

    Operators: + - * / // % ** (or ^) and parentheses. Functions: sqrt, abs, round(x, digits), floor, ceil, min, max,
    sum, log(x, base), ln, log10, log2, exp, sin, cos, tan, asin, acos, atan, degrees, radians, factorial, comb, gcd,
    lcm. Constants: pi, e, tau. Angles are radians. A percentage is written as a fraction: 15 % of 80 is 80 * 15 / 100.
    """
    return formatted(evaluate(expression))


def evaluate(expression: str) -> Number:
    """The expression's value. Raises ToolError, in words that say what to write instead."""
    source = expression.translate(_SPELLINGS).strip()
    if not source or len(source) > LONGEST:
        raise ToolError(f"Write an expression of at most {LONGEST} characters.")
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ToolError(f"“{_shown(expression)}” isn't an arithmetic expression.") from None
    try:
        return _Evaluator(source).value(tree.body, 0)
    except ZeroDivisionError:
        raise ToolError("This divides by zero.") from None
    except OverflowError:
        raise ToolError("The result is too large.") from None
    except ValueError:
        raise ToolError("A function is given a number for which it has no value.") from None


class _Evaluator:
    """Walks one expression's tree. `source` is needed for literals: as floats they would lose their digits."""

    def __init__(self, source: str) -> None:
        self._source = source

    def value(self, node: ast.expr, depth: int) -> Number:
        """Raises ToolError, ZeroDivisionError, OverflowError and ValueError."""
        if depth > DEEPEST:
            raise ToolError("The expression is nested too deeply.")
        match node:
            case ast.Constant():
                return self._literal(node)
            case ast.UnaryOp(op=ast.USub()):
                return -self.value(node.operand, depth + 1)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.value(node.operand, depth + 1)
            case ast.BinOp() if type(node.op) in _OPERATORS:
                left, right = self.value(node.left, depth + 1), self.value(node.right, depth + 1)
                return _bounded(_OPERATORS[type(node.op)](left, right))
            case ast.Name() if node.id in _CONSTANTS:
                return _CONSTANTS[node.id]
            case ast.Call(func=ast.Name(id=name)) if not node.keywords:
                return _called(name, [self.value(argument, depth + 1) for argument in node.args])
            case ast.Tuple():
                raise ToolError("Write numbers without thousands separators, and one expression at a time.")
        raise ToolError(f"“{_shown(ast.get_source_segment(self._source, node) or '')}” isn't arithmetic.")

    def _literal(self, node: ast.Constant) -> Number:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ToolError(f"“{_shown(str(node.value))}” isn't a number.")
        if isinstance(node.value, int):
            return _bounded(Fraction(node.value))
        text = (ast.get_source_segment(self._source, node) or "").replace("_", "")
        literal = _LITERAL.fullmatch(text)
        if literal is None or (literal[1] and int(literal[1]) > LARGEST_ARGUMENT):
            raise OverflowError
        return _bounded(Fraction(text))


def _shown(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"


def _bounded(number: Number) -> Number:
    if isinstance(number, Fraction):
        if max(number.numerator.bit_length(), number.denominator.bit_length()) > MOST_BITS:
            raise OverflowError
        return number
    if isinstance(number, complex):
        raise ToolError("The result isn't a real number.")
    if math.isinf(number):
        raise OverflowError
    if math.isnan(number):
        raise ValueError("not a number")
    return number


# --- operators


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if base not in {0, 1, -1} and (bits - 1) * abs(exponent.numerator) > MOST_BITS:
            raise OverflowError
        if base in {1, -1}:
            return base if exponent.numerator % 2 else Fraction(1)
        return base**exponent.numerator
    result: Number = float(base) ** float(exponent)
    return result


_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda left, right: Fraction(left // right),
    ast.Mod: operator.mod,
    ast.Pow: _power,
}


# --- functions


def _root(number: Number) -> Number:
    if isinstance(number, Fraction) and number >= 0:
        top, bottom = math.isqrt(number.numerator), math.isqrt(number.denominator)
        if Fraction(top * top, bottom * bottom) == number:
            return Fraction(top, bottom)
    return math.sqrt(number)


def _rounded(number: Number, digits: Number = Fraction(0)) -> Number:
    """Halves away from zero, as people round."""
    scale = Fraction(10) ** _small(digits)
    scaled = abs(Fraction(number) * scale)
    whole = math.floor(scaled + Fraction(1, 2))
    return Fraction(whole if number >= 0 else -whole) / scale


def _small(number: Number) -> int:
    if number != int(number):
        raise ToolError(f"{formatted(number)} has to be a whole number here.")
    if not -LARGEST_ARGUMENT <= number <= LARGEST_ARGUMENT:
        raise OverflowError
    return int(number)


def _whole(number: Number) -> int:
    if number != int(number):
        raise ToolError(f"{formatted(number)} has to be a whole number here.")
    return int(number)


_FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int, int]] = {
    "sqrt": (_root, 1, 1),
    "abs": (abs, 1, 1),
    "round": (_rounded, 1, 2),
    "floor": (lambda number: Fraction(math.floor(number)), 1, 1),
    "ceil": (lambda number: Fraction(math.ceil(number)), 1, 1),
    "min": (lambda *numbers: min(numbers), 2, 100),
    "max": (lambda *numbers: max(numbers), 2, 100),
    "sum": (lambda *numbers: sum(numbers, Fraction(0)), 1, 100),
    "log": (math.log, 1, 2),
    "ln": (math.log, 1, 1),
    "log10": (math.log10, 1, 1),
    "log2": (math.log2, 1, 1),
    "exp": (math.exp, 1, 1),
    "sin": (math.sin, 1, 1),
    "cos": (math.cos, 1, 1),
    "tan": (math.tan, 1, 1),
    "asin": (math.asin, 1, 1),
    "acos": (math.acos, 1, 1),
    "atan": (math.atan, 1, 1),
    "degrees": (math.degrees, 1, 1),
    "radians": (math.radians, 1, 1),
    "factorial": (lambda number: Fraction(math.factorial(_small(number))), 1, 1),
    "comb": (lambda total, chosen: Fraction(math.comb(_small(total), _small(chosen))), 2, 2),
    "gcd": (lambda *numbers: Fraction(math.gcd(*map(_whole, numbers))), 1, 100),
    "lcm": (lambda *numbers: Fraction(math.lcm(*map(_whole, numbers))), 1, 100),
}


def _called(name: str, arguments: list[Number]) -> Number:
    if name not in _FUNCTIONS:
        raise ToolError(f"There is no function “{_shown(name)}”. There are: {', '.join(_FUNCTIONS)}.")
    function, fewest, most = _FUNCTIONS[name]
    if not fewest <= len(arguments) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise ToolError(f"{name} takes {wanted} arguments, not {len(arguments)}.")
    return _bounded(function(*arguments))


# --- the result


def formatted(number: Number) -> str:
    """Whole numbers in full, exact decimals up to 30 digits, anything else to 15."""
    if isinstance(number, Fraction) and number.denominator == 1:
        return str(number.numerator)
    if isinstance(number, Fraction) and _is_decimal(number):
        exact = Context(prec=EXACT_DIGITS)
        text = exact.divide(Decimal(number.numerator), Decimal(number.denominator))
        if not exact.flags[Inexact]:
            return f"{text.normalize(exact):f}" if abs(text.adjusted()) < EXACT_DIGITS else str(text)
    try:
        return f"{float(number):.{DIGITS}g}"
    except OverflowError:
        rounded = Context(prec=DIGITS).divide(Decimal(number.numerator), Decimal(number.denominator))  # type: ignore[union-attr]
        return str(rounded)


def _is_decimal(number: Fraction) -> bool:
    """Whether its decimals end: its denominator has no other factors than 2 and 5."""
    rest = number.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return rest == 1
