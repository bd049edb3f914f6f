#include "infer/objective_keys.h"

#include <algorithm>

#include "objective/records.h"

namespace surprisal {

ObjectiveOptions objective_of(const ModelConfig& config, std::vector<Override> keys) {
  constexpr const char* kPreset = "objective.blank_infilling.preset";
  const bool given = std::ranges::any_of(keys, [](const Override& key) { return key.key == kPreset; });
  if (config.family == "glm-130b" && !given) keys.insert(keys.begin(), {kPreset, "\"glm-130b\""});
  return read_objective_keys(keys);
}

}  // namespace surprisal
