"""Family tc_fp8: e4m3, sums of at most 14 bits."""

from ..tensor import Class, Format, Side, family_of, float_results


def side(bits, full=False, shift=0, scales=11):
    return Side(bits, full, shift, -6, scales)


WHOLE = Class(side(4, full=True), side(4, full=True), (14, 0))
DENSE = Class(side(4), side(4), (14, 0))
ALIGNED = Class(side(1, full=True, shift=7, scales=8), side(2, scales=13), (12, 0))

FORMAT = Format("fp8", 8, 8, 8, 4, (WHOLE, DENSE, WHOLE, ALIGNED, WHOLE, DENSE, WHOLE, WHOLE))
FAMILY = family_of("tc_fp8", 11, 128, lambda *tile: float_results(FORMAT, *tile))
