// The least that a test program needs: CHECK names the line that does not hold.
#pragma once
#include <stdio.h>

inline int& failed_checks() {
  static int count = 0;
  return count;
}

#define CHECK(condition)                                     \
  do {                                                       \
    if (!(condition)) {                                      \
      printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      failed_checks()++;                                     \
    }                                                        \
  } while (false)
