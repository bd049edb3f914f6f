#include "ops/choice_cross_entropy.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace surprisal {
namespace {

double option_surprisal(const Stream& stream, const Interval& option, std::span<const float> surprisal) {
  double sum = 0;
  for (std::int32_t t = option.begin; t < option.end; ++t) {
    const auto at = static_cast<std::size_t>(t);
    sum += static_cast<double>(stream.target[at].weight) * surprisal[at];
  }
  return sum;
}

struct Options {
  double least = std::numeric_limits<double>::infinity();
  std::int32_t most_probable = 0;
  double answer = 0;
  double total = 0;  // sum of exp(least - s_k)
};

Options look_at(const Stream& stream, const Choice& choice, std::span<const float> surprisal) {
  Options options;
  for (std::size_t k = 0; k < choice.option.size(); ++k) {
    const double sum = option_surprisal(stream, choice.option[k], surprisal);
    if (sum < options.least) {
      options.least = sum;
      options.most_probable = static_cast<std::int32_t>(k);
    }
    if (static_cast<std::int32_t>(k) == choice.answer) options.answer = sum;
  }
  for (const Interval& option : choice.option) {
    options.total += std::exp(options.least - option_surprisal(stream, option, surprisal));
  }
  return options;
}

}  // namespace

void choice_cross_entropy_forward(const Stream& stream, std::span<const float> surprisal,
                                  std::span<float> choice_surprisal, std::span<std::int32_t> predicted) {
  assert(surprisal.size() == stream.target.size() && choice_surprisal.size() == stream.choice.size());
  for (std::size_t c = 0; c < stream.choice.size(); ++c) {
    const Options options = look_at(stream, stream.choice[c], surprisal);
    choice_surprisal[c] = static_cast<float>(options.answer - options.least + std::log(options.total));
    if (!predicted.empty()) predicted[c] = options.most_probable;
  }
}

void choice_cross_entropy_backward(const Stream& stream, std::span<const float> surprisal,
                                   std::span<const float> scale, std::span<float> target_scale) {
  assert(scale.size() == stream.choice.size() && target_scale.size() == stream.target.size());
  for (std::size_t c = 0; c < stream.choice.size(); ++c) {
    const Choice& choice = stream.choice[c];
    const Options options = look_at(stream, choice, surprisal);
    for (std::size_t k = 0; k < choice.option.size(); ++k) {
      const Interval& option = choice.option[k];
      const double probability =
          std::exp(options.least - option_surprisal(stream, option, surprisal)) / options.total;
      const double slope = (static_cast<std::int32_t>(k) == choice.answer ? 1 : 0) - probability;
      for (std::int32_t t = option.begin; t < option.end; ++t) {
        const auto at = static_cast<std::size_t>(t);
        target_scale[at] = static_cast<float>(scale[c] * slope * stream.target[at].weight);
      }
    }
  }
}

}  // namespace surprisal
