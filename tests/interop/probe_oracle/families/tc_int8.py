"""Family tc_int8: signed bytes, 32-bit accumulators."""

from ..tensor import family_of, int8_results

FAMILY = family_of("tc_int8", 12, 128, int8_results)
