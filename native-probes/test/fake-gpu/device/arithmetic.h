// Arithmetic of the fake GPU: by the floating-point instructions of this CPU. Nothing here is taken from core/, which
// makes the golden.
#pragma once
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

namespace sentinel::fake {

template <class To, class From>
To bits_as(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &value, sizeof to);
  return to;
}

inline float f32(uint32_t bits) { return bits_as<float>(bits); }
inline double f64(uint64_t bits) { return bits_as<double>(bits); }
inline uint32_t bits(float value) { return bits_as<uint32_t>(value); }
inline uint64_t bits(double value) { return bits_as<uint64_t>(value); }

// Rounding to odd keeps what a second, narrower rounding must know: an inexact value has an odd last bit.
inline double odd(double rounded, double error) {
  if (error == 0 || isnan(error) || isinf(rounded) || (bits(rounded) & 1) != 0) return rounded;
  return nextafter(rounded, error > 0 ? INFINITY : -INFINITY);
}

inline double sum_to_odd(double a, double b) {
  const double sum = a + b;
  const double part = sum - a;
  return odd(sum, (a - (sum - part)) + (b - part));
}

inline float narrowed_to_odd(double value) {
  const float rounded = static_cast<float>(value);
  if (isnan(value) || static_cast<double>(rounded) == value || (bits(rounded) & 1) != 0) return rounded;
  if (isinf(rounded)) return rounded;
  return nextafterf(rounded, static_cast<double>(rounded) < value ? INFINITY : -INFINITY);
}

struct Half {
  static double widened(uint32_t word) { return static_cast<double>(_cvtsh_ss(static_cast<uint16_t>(word))); }
  static uint32_t rounded(double value) {
    return static_cast<uint16_t>(_cvtss_sh(narrowed_to_odd(value), _MM_FROUND_TO_NEAREST_INT));
  }
};

struct Bfloat {
  static double widened(uint32_t word) { return static_cast<double>(f32(word << 16)); }
  static uint32_t rounded(double value) {
    const uint32_t word = bits(narrowed_to_odd(value));
    if (isnan(value)) return (word >> 16 | 0x40u) & 0xffffu;
    return (word + 0x7fffu + (word >> 16 & 1)) >> 16;
  }
};

// Both halves of a word; the product of two of these formats is exact in binary64.
template <class Format, class Operation>
uint32_t packed(Operation operation) {
  return Format::rounded(operation(0)) | Format::rounded(operation(16)) << 16;
}

template <class Format>
uint32_t packed_fma(uint32_t a, uint32_t b, uint32_t c) {
  return packed<Format>([&](uint32_t shift) {
    const double product = Format::widened(a >> shift & 0xffffu) * Format::widened(b >> shift & 0xffffu);
    return sum_to_odd(product, Format::widened(c >> shift & 0xffffu));
  });
}

template <class Format>
uint32_t packed_add(uint32_t a, uint32_t b) {
  return packed<Format>([&](uint32_t shift) {
    return sum_to_odd(Format::widened(a >> shift & 0xffffu), Format::widened(b >> shift & 0xffffu));
  });
}

template <class Format>
uint32_t packed_multiply(uint32_t a, uint32_t b) {
  return packed<Format>(
      [&](uint32_t shift) { return Format::widened(a >> shift & 0xffffu) * Format::widened(b >> shift & 0xffffu); });
}

}  // namespace sentinel::fake
