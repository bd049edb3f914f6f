#include "model/rotary_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ops/rotary.h"

namespace surprisal {
namespace {

// The pair that turns `turns` times over the original positions, as a real number.
double pair_of(double turns, std::int64_t size, double base, const RotaryScaling& scaling) {
  const double wavelength = static_cast<double>(scaling.original_positions) / turns;
  return static_cast<double>(size) * std::log(wavelength / (2 * std::numbers::pi)) / (2 * std::log(base));
}

void scale_yarn(std::int64_t size, double base, const RotaryScaling& scaling,
                std::vector<double>& frequency) {
  double low = pair_of(scaling.beta_fast, size, base, scaling),
         high = pair_of(scaling.beta_slow, size, base, scaling);
  if (scaling.truncate) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(size - 1));
  if (low == high) high += 0.001;  // of the published code: a step instead of a ramp
  for (std::size_t d = 0; d < frequency.size(); ++d) {
    const double ramp = std::clamp((static_cast<double>(d) - low) / (high - low), 0.0, 1.0);
    frequency[d] *= ramp / scaling.factor + 1 - ramp;
  }
}

// 0.1 weight ln(factor) + 1 of the paper's eq. 22, but for a factor that shortens.
double yarn_magnitude(double factor, double weight) {
  return factor <= 1 ? 1 : 0.1 * weight * std::log(factor) + 1;
}

double yarn_magnitude(const RotaryScaling& scaling) {
  if (scaling.attention_factor) return *scaling.attention_factor;
  if (scaling.mscale == 0 || scaling.mscale_all_dim == 0) return yarn_magnitude(scaling.factor, 1);
  return yarn_magnitude(scaling.factor, scaling.mscale) /
         yarn_magnitude(scaling.factor, scaling.mscale_all_dim);
}

void scale_llama3(const RotaryScaling& scaling, std::vector<double>& frequency) {
  const double low = scaling.low_frequency_factor, high = scaling.high_frequency_factor;
  for (double& f : frequency) {
    const double turns = static_cast<double>(scaling.original_positions) * f / (2 * std::numbers::pi);
    const double kept = std::clamp((turns - low) / (high - low), 0.0, 1.0);
    f *= (1 - kept) / scaling.factor + kept;
  }
}

}  // namespace

RotaryFrequencies scaled_rotary_frequencies(std::int64_t size, double base, const RotaryScaling& scaling) {
  RotaryFrequencies scaled{.frequency = rotary_frequencies(size, base)};
  switch (scaling.kind) {
    case RotaryScalingKind::none:
    case RotaryScalingKind::dynamic:  // a stream names no position beyond max_position_embeddings
      break;
    case RotaryScalingKind::linear:
      for (double& f : scaled.frequency) f /= scaling.factor;
      break;
    case RotaryScalingKind::yarn:
      scale_yarn(size, base, scaling, scaled.frequency);
      scaled.magnitude = yarn_magnitude(scaling);
      break;
    case RotaryScalingKind::llama3:
      scale_llama3(scaling, scaled.frequency);
      break;
  }
  return scaled;
}

}  // namespace surprisal
