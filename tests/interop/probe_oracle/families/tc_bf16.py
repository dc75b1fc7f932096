"""Family tc_bf16: 8-bit significands, single precision accumulators."""

from ..tensor import Class, Format, Side, family_of, float_results


def side(bits, full=False, shift=0):
    return Side(bits, full, shift, -60, 100)


WHOLE = Class(side(8, full=True), side(8, full=True), (16, 8))
DENSE = Class(side(8), side(8), (16, 8))
ALIGNED = Class(side(1, full=True, shift=15), side(5), (16, 4))
SHIFTED = Class(side(4, full=True, shift=7), side(8), (16, 8))

FORMAT = Format("bf16", 4, 16, 16, 8, (WHOLE, DENSE, WHOLE, ALIGNED, WHOLE, SHIFTED, WHOLE, WHOLE))
FAMILY = family_of("tc_bf16", 9, 256, lambda *tile: float_results(FORMAT, *tile))
