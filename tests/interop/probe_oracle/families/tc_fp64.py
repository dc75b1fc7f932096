"""Family tc_fp64: binary64, integers and single products of whole significands."""

from ..tensor import family_of, fp64_results

FAMILY = family_of("tc_fp64", 13, 128, fp64_results)
