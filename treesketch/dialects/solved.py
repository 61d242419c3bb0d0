"""When a problem counts as solved: two pictures in, a likeness and a yes or no out.

The tests are Tree Diffusion's (Kapur, Jenner and Russell, ICLR 2025), so that figures can stand beside the published
ones: csg2d compares what is inside and what is outside, tinysvg the error of the colours. `..._exact` are stricter
tests of our own: a program that passes one shows the target, not something like it.
"""

import math

import numpy as np
import numpy.typing as npt

COVER_THRESHOLD = 0.98  # likeness above which csg2d is solved
COVER_EXACT = 0.995  # the same for the strict test
DEVIATION = 0.1  # of the normal density that tinysvg is measured with; colours go from 0 to 1
LARGEST_DENSITY = -math.log(DEVIATION * math.sqrt(2 * math.pi))  # of no error at all, as a logarithm
DENSITY_THRESHOLD = 0.99 * LARGEST_DENSITY  # so the mean squared error must be below 2.767e-4
CHANNEL_EXACT = 1  # of 255, by which any channel of any pixel may differ in the strict test

Coverage = npt.NDArray[np.floating]  # (H, W), 0..1
Pixels = npt.NDArray[np.uint8]  # (H, W, 3)
Mask = npt.NDArray[np.bool_]


def csg2d_solved(drawn: Coverage, target: Coverage) -> bool:
    """Whether a coverage is like another one or like its complement."""
    return csg2d_likeness(drawn, target) > COVER_THRESHOLD


def csg2d_likeness(drawn: Coverage, target: Coverage) -> float:
    """The mean of the intersections over unions of what is inside and what is outside, 0..1.

    A pixel of more than a half is inside. The complement of `drawn` is tried too, and the larger value counts.
    """
    return max(_mean_overlap(drawn, target), _mean_overlap(1 - drawn, target))


def csg2d_exact(drawn: Coverage, target: Coverage) -> bool:
    """The strict test: the complement does not count, and the likeness is above .995."""
    return _mean_overlap(drawn, target) > COVER_EXACT


def tinysvg_solved(drawn: Pixels, target: Pixels) -> bool:
    """Whether the error of a picture is small enough."""
    return tinysvg_density(drawn, target) > DENSITY_THRESHOLD


def tinysvg_density(drawn: Pixels, target: Pixels) -> float:
    """The mean over all channels of the logarithm of a normal density at their differences, colours from 0 to 1."""
    assert drawn.shape == target.shape
    difference = (drawn.astype(np.float64) - target) / 255
    return float(LARGEST_DENSITY - np.mean(difference**2) / (2 * DEVIATION**2))


def tinysvg_exact(drawn: Pixels, target: Pixels) -> bool:
    """The strict test: no channel of any pixel differs by more than 1 of 255."""
    assert drawn.shape == target.shape
    return bool(np.abs(drawn.astype(np.int16) - target).max() <= CHANNEL_EXACT)


def _mean_overlap(a: Coverage, b: Coverage) -> float:
    assert a.shape == b.shape
    return (_overlap(a > 0.5, b > 0.5) + _overlap(1 - a > 0.5, 1 - b > 0.5)) / 2


def _overlap(a: Mask, b: Mask) -> float:
    """Intersection over union; 1 for two empty masks."""
    union = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / union) if union else 1.0
