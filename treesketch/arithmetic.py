"""What numbers do in a program: IEEE doubles; no operation raises. Floats in, floats (or truth values) out.

Where Clojure would throw (`mod` by zero) the result is not a number. Quil's functions mean what Processing's mean.
"""

import math
from collections.abc import Callable, Iterator

CONSTANTS = {"PI": math.pi, "TWO-PI": 2 * math.pi, "HALF-PI": math.pi / 2, "QUARTER-PI": math.pi / 4}

Truth = bool | float | None  # what a condition evaluates to: false and nil do not hold, all else does


def add(*terms: float) -> float:
    """The sum of one or more numbers, left to right."""
    total = terms[0]
    for term in terms[1:]:
        total += term
    return total


def subtract(first: float, *others: float) -> float:
    """The first number less each of the others, left to right."""
    for other in others:
        first -= other
    return first


def negate(number: float) -> float:
    """The number with its sign changed."""
    return -number


def multiply(*factors: float) -> float:
    """The product of one or more numbers, left to right."""
    product = factors[0]
    for factor in factors[1:]:
        product *= factor
    return product


def divide(first: float, *others: float) -> float:
    """The first number divided by each of the others; by zero it is infinite, 0/0 is not a number, as IEEE has it."""
    for other in others:
        if other:
            first /= other
        elif first == 0 or math.isnan(first) or math.isnan(other):
            first = math.nan
        else:
            first = math.copysign(math.inf, first) * math.copysign(1.0, other)
    return first


def quot(number: float, divisor: float) -> float:
    """The quotient cut towards zero."""
    quotient = divide(number, divisor)
    return float(math.trunc(quotient)) if math.isfinite(quotient) else math.nan


def rem(number: float, divisor: float) -> float:
    """What `quot` leaves over; it has the sign of the number."""
    return number - divisor * quot(number, divisor)


def mod(number: float, divisor: float) -> float:
    """What is left over below the number; it has the sign of the divisor."""
    left = rem(number, divisor)
    return left + divisor if left and (left < 0) != (divisor < 0) else left


def inc(number: float) -> float:
    """One more."""
    return number + 1


def dec(number: float) -> float:
    """One less."""
    return number - 1


def least(*numbers: float) -> float:
    """The smallest; not a number if one of them is none."""
    return math.nan if any(map(math.isnan, numbers)) else min(numbers)


def greatest(*numbers: float) -> float:
    """The largest; not a number if one of them is none."""
    return math.nan if any(map(math.isnan, numbers)) else max(numbers)


def sqrt(number: float) -> float:
    """The square root; of less than zero it is not a number."""
    return math.sqrt(number) if number >= 0 else math.nan


def power(base: float, exponent: float) -> float:
    """base to the exponent: too large is infinite, a root of less than zero is not a number, as Java has it."""
    if abs(base) == 1 and not math.isfinite(exponent):
        return math.nan
    odd = abs(exponent) < 2**53 and exponent % 2 == 1
    sign = math.copysign(1.0, base) if odd else 1.0
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return sign * math.inf
    except ValueError:  # a root of less than zero, or zero to less than zero
        return sign * math.inf if base == 0 else math.nan


def sine(angle: float) -> float:
    """Of radians; of what is not finite it is not a number."""
    return math.sin(angle) if math.isfinite(angle) else math.nan


def cosine(angle: float) -> float:
    """Of radians; of what is not finite it is not a number."""
    return math.cos(angle) if math.isfinite(angle) else math.nan


def tangent(angle: float) -> float:
    """Of radians; of what is not finite it is not a number."""
    return math.tan(angle) if math.isfinite(angle) else math.nan


def floor(number: float) -> float:
    """The whole number at or below."""
    return float(math.floor(number)) if math.isfinite(number) else number


def ceil(number: float) -> float:
    """The whole number at or above."""
    return float(math.ceil(number)) if math.isfinite(number) else number


def nearest(number: float) -> float:
    """The nearest whole number; a half goes up, as in Java."""
    return floor(number + 0.5) if abs(number) < 2**52 else number


def lerp(start: float, stop: float, amount: float) -> float:
    """The number that lies `amount` (0..1, or beyond) of the way from start to stop."""
    return start + (stop - start) * amount


def map_range(number: float, low: float, high: float, to_low: float, to_high: float) -> float:
    """Where a number of low..high lies in to_low..to_high."""
    return to_low + (to_high - to_low) * divide(number - low, high - low)


def constrain(number: float, low: float, high: float) -> float:
    """The number, or the bound that it lies beyond."""
    return low if number < low else high if number > high else number


def dist(start: tuple[float, float], end: tuple[float, float]) -> float:
    """The distance between two points."""
    return math.hypot(end[0] - start[0], end[1] - start[1])


def holds(condition: Truth) -> bool:
    """Clojure's truth: only false and nil do not hold, so nought does."""
    return condition is not None and condition is not False


def less(*numbers: float) -> bool:
    """Whether each is less than the next."""
    return all(a < b for a, b in zip(numbers, numbers[1:], strict=False))


def less_equal(*numbers: float) -> bool:
    """Whether none is greater than the next."""
    return all(a <= b for a, b in zip(numbers, numbers[1:], strict=False))


def greater(*numbers: float) -> bool:
    """Whether each is greater than the next."""
    return all(a > b for a, b in zip(numbers, numbers[1:], strict=False))


def greater_equal(*numbers: float) -> bool:
    """Whether none is less than the next."""
    return all(a >= b for a, b in zip(numbers, numbers[1:], strict=False))


def equal(*numbers: float) -> bool:
    """Whether all are the same number."""
    return all(a == b for a, b in zip(numbers, numbers[1:], strict=False))


def not_equal(*numbers: float) -> bool:
    """Whether not all are the same number."""
    return not equal(*numbers)


def times(number: float) -> int:
    """How often a loop with this count runs: truncated, none for less than one, at most a billion."""
    return int(min(max(number, 0.0), 1e9)) if not math.isnan(number) else 0


def span(*numbers: float) -> tuple[float, float, float]:
    """Start, end and step of a range that says its end, its start and end, or all three."""
    start, end, step = numbers if len(numbers) == 3 else (*(0.0, *numbers)[-2:], 1.0)
    return start, end, step


def steps(start: float, end: float, step: float) -> Iterator[float]:
    """The numbers from start (included) to end (not included), each a step on: Clojure's `range`. The step is not 0."""
    while start < end if step > 0 else start > end:
        yield start
        start += step


OPERATIONS: dict[str, Callable[..., float]] = {
    "add": add,
    "subtract": subtract,
    "negate": negate,
    "multiply": multiply,
    "divide": divide,
    "quot": quot,
    "rem": rem,
    "mod": mod,
    "inc": inc,
    "dec": dec,
    "abs": abs,
    "min": least,
    "max": greatest,
    "sqrt": sqrt,
    "pow": power,
    "sin": sine,
    "cos": cosine,
    "tan": tangent,
    "radians": math.radians,
    "degrees": math.degrees,
    "floor": floor,
    "ceil": ceil,
    "round": nearest,
    "lerp": lerp,
    "map_range": map_range,
    "constrain": constrain,
    "dist": dist,
}
"""Production -> what it does with the values of its children. Both evaluators read this table."""

COMPARISONS: dict[str, Callable[..., bool]] = {
    "less": less,
    "less_equal": less_equal,
    "greater": greater,
    "greater_equal": greater_equal,
    "equal": equal,
    "equivalent": equal,
    "not_equal": not_equal,
}
"""The same for conditions."""
