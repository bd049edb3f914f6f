// The surprisal of each choice, written as on paper.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

#include "surprisal/stream.h"

namespace surprisal::reference {

// `surprisal` [T] of the stream's targets; returns that of its choices, [C].
template <class Number>
std::vector<Number> choice_cross_entropy(const Stream& stream, const std::vector<Number>& surprisal) {
  using std::exp;
  using std::log;
  std::vector<Number> choices;
  for (const Choice& choice : stream.choice) {
    std::vector<Number> options;
    double least = 1e300;
    for (const Interval& option : choice.option) {
      Number sum(0);
      for (std::int32_t t = option.begin; t < option.end; ++t) {
        const auto at = static_cast<std::size_t>(t);
        sum += Number(static_cast<double>(stream.target[at].weight)) * surprisal[at];
      }
      options.push_back(sum);
      least = std::min(least, static_cast<double>(std::real(sum)));
    }
    Number total(0);
    for (const Number& option : options) total += exp(Number(least) - option);
    choices.push_back(options[static_cast<std::size_t>(choice.answer)] - Number(least) + log(total));
  }
  return choices;
}

}  // namespace surprisal::reference
