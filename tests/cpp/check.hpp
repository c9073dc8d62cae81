// A check that prints what failed and where; main() returns failures() so that the executable says so.
#pragma once

#include <cstdio>

namespace lprfast::testing {

inline int& failures() {
  static int count = 0;
  return count;
}

inline void check(bool condition, const char* text, const char* file, int line) {
  if (condition) return;
  ++failures();
  std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, text);
}

}  // namespace lprfast::testing

#define CHECK(condition) ::lprfast::testing::check((condition), #condition, __FILE__, __LINE__)

#define CHECK_THROWS(expression, Exception) \
  do {                                      \
    bool caught = false;                    \
    try {                                   \
      (void)(expression);                   \
    } catch (const Exception&) {            \
      caught = true;                        \
    }                                       \
    CHECK(caught && #expression);           \
  } while (false)
