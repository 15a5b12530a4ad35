// Comes before every file where clang compiles: Cap'n Proto 0.9's headers leave this comparison to C++20's rewritten
// operators, which clang, unlike g++ 12, does not rewrite beside an operator!= (P2468).

#pragma once

#include <kj/string.h>

namespace kj {
inline bool operator==(const char* a, const StringPtr& b) {
  return b.operator==(StringPtr(a));
}
}  // namespace kj
