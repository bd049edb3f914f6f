// The definition of right for rotary.h.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

namespace surprisal::reference {

// One head of a row at `position`, in place: x[head_size], of which twice as many elements turn as there are
// frequencies, and become `magnitude` times as long.
template <class Number>
void rotary(double position, std::span<const double> frequency, double magnitude, Number* x) {
  const std::size_t pairs = frequency.size();
  for (std::size_t d = 0; d < pairs; ++d) {
    const Number cosine(magnitude * std::cos(position * frequency[d])),
        sine(magnitude * std::sin(position * frequency[d]));
    const Number first = x[d], second = x[pairs + d];
    x[d] = first * cosine - second * sine;
    x[pairs + d] = second * cosine + first * sine;
  }
}

}  // namespace surprisal::reference
