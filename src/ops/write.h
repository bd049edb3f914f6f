// How a result meets what stands in its place.
#pragma once

namespace surprisal {

struct Write {
  float kept = 0;  // of what stands there; 0: it is not read

  static const Write over;  // the result
  static const Write add;   // what stands there, and the result
  static constexpr Write onto(float kept) { return {kept}; }
  friend bool operator==(const Write&, const Write&) = default;
};

inline constexpr Write Write::over = {0};
inline constexpr Write Write::add = {1};

}  // namespace surprisal
