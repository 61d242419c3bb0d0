"""Processing's random numbers and noise, to the bit. Seeds and states in, numbers out; nothing is hidden.

Sources: `java.util.Random` (its algorithm is part of Java's specification) and `random`, `noise` of Processing's
PApplet, which compute in single precision.
"""

import math
import struct
from functools import lru_cache

import numpy as np
import numpy.typing as npt

_MULTIPLIER, _INCREMENT, _MASK = 0x5DEECE66D, 0xB, (1 << 48) - 1
_TABLE = 4096  # random values that noise is made of
_OCTAVES = 4
_TURN = 720  # entries of the cosine table, one each half degree
_FARTHEST = float(1 << 30)  # noise coordinates are cut off there; Java's would no longer fit an int
_TRIES = 64  # draws until one lies below the bound, which only the tiniest bounds need


def seed_state(seed: float) -> int:
    """The 48-bit state of a Random with this seed: a whole number, cut towards zero; what is not finite counts as 0."""
    whole = int(min(max(seed, -(2.0**63)), 2.0**63 - 1024)) if math.isfinite(seed) else 0
    return (whole ^ _MULTIPLIER) & _MASK


def next_float(state: int) -> tuple[int, float]:
    """Random.nextFloat: the next state, and a number in 0..1 (1 not included) of 24 bits."""
    state = (state * _MULTIPLIER + _INCREMENT) & _MASK
    return state, (state >> 24) / (1 << 24)


def random_below(state: int, high: float) -> tuple[int, float]:
    """Processing's random(high): the next state, and a number between 0 and high (not included)."""
    high = _single(high)
    if high == 0 or not math.isfinite(high):
        return state, 0.0
    value = high
    for _ in range(_TRIES):
        state, share = next_float(state)
        value = _single(share * high)
        if value != high:
            return state, value
    return state, 0.0


def random_between(state: int, low: float, high: float) -> tuple[int, float]:
    """Processing's random(low, high): the next state, and a number from low to high (not included); low if none is."""
    low, high = _single(low), _single(high)
    if not low < high or not math.isfinite(high - low):
        return state, low if math.isfinite(low) else 0.0
    difference = _single(high - low)
    for _ in range(_TRIES):
        state, value = random_below(state, difference)
        value = _single(value + low)
        if value != high:
            return state, value
    return state, low


def noise(seed: float, x: float, y: float = 0.0, z: float = 0.0) -> float:
    """Processing's noise(x, y, z) after noiseSeed(seed), in 0..1: smooth, the same for the same numbers."""
    table, cosines = _table(seed_state(seed)), _cosines()
    whole, part = [], []
    for value in (x, y, z):
        value = min(abs(value), _FARTHEST) if not math.isnan(value) else 0.0
        single = np.float32(value)
        whole.append(int(single))
        part.append(np.float32(single - np.float32(int(single))))

    def fade(share: np.float32) -> np.float32:
        return np.float32(np.float32(0.5) * (np.float32(1) - cosines[int(share * np.float32(_TURN // 2)) % _TURN]))

    total, strength = np.float32(0), np.float32(0.5)
    for _ in range(_OCTAVES):
        place = whole[0] + (whole[1] << 4) + (whole[2] << 8)
        across, down = fade(part[0]), fade(part[1])

        def layer(place: int, across: np.float32 = across, down: np.float32 = down) -> np.float32:
            above = table[place % _TABLE]
            above += across * (table[(place + 1) % _TABLE] - above)
            below = table[(place + 16) % _TABLE]
            below += across * (table[(place + 17) % _TABLE] - below)
            return np.float32(above + down * (below - above))

        near, far = layer(place), layer(place + 256)
        total += np.float32(near + fade(part[2]) * (far - near)) * strength
        strength *= np.float32(0.5)
        for i in range(3):
            whole[i] <<= 1
            part[i] *= np.float32(2)
            if part[i] >= 1:
                whole[i] += 1
                part[i] -= np.float32(1)
    return float(total)


@lru_cache(maxsize=8)
def _table(state: int) -> npt.NDArray[np.float32]:
    values = np.empty(_TABLE, np.float32)
    for i in range(_TABLE):
        state, values[i] = next_float(state)
    return values


@lru_cache(maxsize=1)
def _cosines() -> npt.NDArray[np.float32]:
    """PGraphics.cosLUT."""
    degrees = np.arange(_TURN, dtype=np.float32) * np.float32(math.radians(1)) * np.float32(0.5)
    return np.cos(degrees.astype(np.float64)).astype(np.float32)


def _single(value: float) -> float:
    """The nearest number of single precision."""
    try:
        rounded: float = struct.unpack("f", struct.pack("f", value))[0]
        return rounded
    except OverflowError:
        return math.copysign(math.inf, value)
