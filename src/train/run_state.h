// What a run was doing when it saved: state/state.json of a checkpoint.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objective/mixed_sampler.h"

namespace surprisal {

// An evaluation that was among the best, and the checkpoint that it chose.
struct ScoredStep {
  std::int64_t step = 0;
  double value = 0;  // of train.metric_for_best_model
  friend bool operator==(const ScoredStep&, const ScoredStep&) = default;
};

// What the run was doing when it saved.
struct RunState {
  std::int64_t step = 0;
  std::uint64_t tokens = 0;                        // rows trained on so far
  std::int64_t skipped = 0, skipped_in_a_row = 0;  // steps that were not finite
  MixedPosition sampler{};
  std::int64_t evaluated_step = -1;
  std::int64_t evaluations_without_improvement = 0;
  std::optional<double> first_evaluation{};
  std::vector<ScoredStep> best{};  // best first
  // Keys of the configuration as they were, and hashes of the texts: objective, data, batch ...
  std::map<std::string, std::string> identity{};
  friend bool operator==(const RunState&, const RunState&) = default;
};

// The text of state/state.json.
std::string run_state_to_json(const RunState& state);
// `where` names the file in errors. Throws Error (data).
RunState run_state_from_json(std::string_view text, const std::string& where);

}  // namespace surprisal
