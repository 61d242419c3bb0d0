"""What a renderer that only remembers is worth: training pairs in, their mean picture and the nearest one's out."""

import re
from zlib import crc32

import numpy as np

from treesketch.experiments.pairs import Pairs

BINS = 1024
STEP = 16.0  # canvas units, or steps of a colour, that are one word apart
_WORDS = re.compile(r"\(([a-z-]+)|(-?\d+\.?\d*)")


class Nearest:
    """Up to so many of the training pairs, evenly spread. mean is their mean picture, (64, 64, 3) in 0..1.

    The nearest program has the bag of words of the least angle with the asked one's: a word for each form's head, and
    one for each number with its head, its place behind it and its multiple of STEP; counts of words by root, in BINS.
    """

    def __init__(self, pairs: Pairs, most: int):
        count = min(most, len(pairs))
        self._pairs = pairs.take([k * len(pairs) // count for k in range(count)])
        self._bags = np.stack([bag(program) for program in self._pairs.programs])
        total = np.zeros(self._pairs.picture(0).shape)
        for number in range(count):
            total += self._pairs.picture(number)
        self.mean: np.ndarray = (total / count / 255).astype(np.float32)

    def copy(self, program: str) -> np.ndarray:
        """The picture (64, 64, 3) in 0..1 of the nearest program."""
        number = int((self._bags @ bag(program)).argmax())
        return self._pairs.picture(number).astype(np.float32) / 255


def bag(program: str) -> np.ndarray:
    """The words of a program, (BINS,) float32 of length 1."""
    counts = np.zeros(BINS, np.float32)
    head, place = "", 0
    for match in _WORDS.finditer(program):
        if match[1]:
            head, place, word = match[1], 0, match[1]
        else:
            word, place = f"{head} {place} {round(float(match[2]) / STEP)}", place + 1
        counts[crc32(word.encode()) % BINS] += 1
    counts = np.sqrt(counts)
    return counts / max(float(np.linalg.norm(counts)), 1e-6)
