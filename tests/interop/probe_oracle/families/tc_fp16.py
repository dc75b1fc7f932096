"""Family tc_fp16: 11-bit significands, single and half precision accumulators."""

from ..tensor import Class, Format, Side, family_of, float_results


def side(bits, full=False, shift=0, least_scale=-14, scales=20):
    return Side(bits, full, shift, least_scale, scales)


DENSE = Class(side(11), side(8), (16, 8))
WHOLE = Class(side(11, full=True), side(11, full=True), (14, 0), sparse=True)
ALIGNED = Class(side(1, full=True, shift=15, scales=15), side(5), (16, 4))
NARROW = Class(side(4, least_scale=-7, scales=10), side(3, least_scale=-7, scales=10), (9, 0), narrow=True)

FORMAT = Format("fp16", 4, 16, 16, 11, (DENSE, WHOLE, WHOLE, ALIGNED, WHOLE, DENSE, WHOLE, NARROW))
FAMILY = family_of("tc_fp16", 8, 448, lambda *tile: float_results(FORMAT, *tile))
