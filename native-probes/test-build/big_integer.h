// Unsigned integers of 640 bits: wide enough for any sum of a product and an addend of 16-bit floating-point numbers as a
// multiple of the least product.
#pragma once
#include "../core/platform.h"

namespace sentinel {

class BigInteger {
 public:
  BigInteger() = default;
  // value * 2^shift.
  BigInteger(uint64_t value, uint32_t shift) {
    const uint32_t at = shift / 64, bits = shift % 64;
    limbs_[at] = value << bits;
    if (bits != 0) limbs_[at + 1] = value >> (64 - bits);
  }

  bool bit(uint32_t n) const { return (limbs_[n / 64] >> n % 64 & 1) != 0; }

  // Number of the highest set bit, plus one; 0 for 0.
  uint32_t length() const {
    for (uint32_t k = kLimbs; k-- > 0;) {
      if (limbs_[k] != 0) return 64 * k + 64 - static_cast<uint32_t>(leading_zeros64(limbs_[k]));
    }
    return 0;
  }

  bool operator<(const BigInteger& other) const {
    for (uint32_t k = kLimbs; k-- > 0;) {
      if (limbs_[k] != other.limbs_[k]) return limbs_[k] < other.limbs_[k];
    }
    return false;
  }

  BigInteger operator+(const BigInteger& other) const {
    BigInteger sum;
    unsigned __int128 carry = 0;
    for (uint32_t k = 0; k < kLimbs; k++) {
      carry += static_cast<unsigned __int128>(limbs_[k]) + other.limbs_[k];
      sum.limbs_[k] = static_cast<uint64_t>(carry);
      carry >>= 64;
    }
    return sum;
  }

  // Of one that is not larger.
  BigInteger operator-(const BigInteger& other) const {
    BigInteger difference;
    uint64_t borrow = 0;
    for (uint32_t k = 0; k < kLimbs; k++) {
      const unsigned __int128 taken = static_cast<unsigned __int128>(other.limbs_[k]) + borrow;
      borrow = limbs_[k] < taken;
      difference.limbs_[k] = static_cast<uint64_t>(limbs_[k] - taken);
    }
    return difference;
  }

  // This integer / 2^shift, to the nearest, ties to even; the quotient fits in 64 bits.
  uint64_t rounded(uint32_t shift) const {
    uint64_t quotient = 0;
    for (uint32_t n = length(); n > shift; n--) quotient = quotient << 1 | bit(n - 1);
    if (shift == 0 || !bit(shift - 1)) return quotient;
    return quotient + (any_below(shift - 1) || (quotient & 1) != 0);
  }

 private:
  // Whether one of the lowest n bits is set.
  bool any_below(uint32_t n) const {
    for (uint32_t k = 0; k < n / 64; k++) {
      if (limbs_[k] != 0) return true;
    }
    return (limbs_[n / 64] & ((uint64_t{1} << n % 64) - 1)) != 0;
  }

  static constexpr uint32_t kLimbs = 10;
  uint64_t limbs_[kLimbs] = {};
};

}  // namespace sentinel
