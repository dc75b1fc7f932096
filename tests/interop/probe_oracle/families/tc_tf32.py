"""Family tc_tf32: 11-bit significands in 32-bit registers, single precision accumulators."""

from ..tensor import Class, Format, Side, family_of, float_results


def side(bits, full=False, shift=0):
    return Side(bits, full, shift, -60, 100)


DENSE = Class(side(11), side(9), (16, 8))
WHOLE = Class(side(11, full=True), side(11, full=True), (14, 0), sparse=True)
ALIGNED = Class(side(1, full=True, shift=15), side(6), (16, 3))

FORMAT = Format("tf32", 2, 32, 16, 11, (DENSE, WHOLE, WHOLE, ALIGNED, WHOLE, DENSE, WHOLE, WHOLE))
FAMILY = family_of("tc_tf32", 10, 256, lambda *tile: float_results(FORMAT, *tile))
