// How rotary positions were stretched to texts longer than those of the first training: which frequency each
// pair of a head turns by, and by how much queries and keys are lengthened.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace surprisal {

enum class RotaryScalingKind {
  none,     // f_d = base^(-2d / size)
  linear,   // f_d / factor (Chen et al., arXiv 2306.15595)
  dynamic,  // f_d of a larger base from the first position beyond max_position_embeddings on: none before
  yarn,     // Peng et al., arXiv 2309.00071
  llama3    // Grattafiori et al., arXiv 2407.21783, as the published code has it
};

struct RotaryScaling {
  RotaryScalingKind kind = RotaryScalingKind::none;
  double factor = 1;
  std::int64_t original_positions = 0;  // of the first training: yarn, llama3
  // yarn. Pairs that turn more often than beta_fast over the original positions keep their frequency, those
  // that turn less often than beta_slow have it divided by the factor; a ramp between them, whose ends are
  // rounded to whole pairs where `truncate`.
  double beta_fast = 32, beta_slow = 1;
  bool truncate = true;
  std::optional<double> attention_factor = {};  // the magnitude; absent: 0.1 ln(factor) + 1 ...
  double mscale = 0, mscale_all_dim = 0;        // ... or, unless 0, what these two make of the logarithm
  // llama3: the same two ends, as turns over the original positions.
  double low_frequency_factor = 0, high_frequency_factor = 0;

  bool operator==(const RotaryScaling&) const = default;
};

struct RotaryFrequencies {
  std::vector<double> frequency;  // [size / 2]
  double magnitude = 1;
};
RotaryFrequencies scaled_rotary_frequencies(std::int64_t size, double base, const RotaryScaling& scaling);

}  // namespace surprisal
