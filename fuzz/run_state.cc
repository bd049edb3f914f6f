// state/state.json of a checkpoint.
#include "train/run_state.h"

#include "fuzz/target.h"

namespace surprisal::fuzz {

void read(std::string_view input) {
  const RunState state = run_state_from_json(input, "state.json");
  expect(run_state_from_json(run_state_to_json(state), "written") == state,
         "a state that reads back otherwise");
}

std::vector<std::string> seeds() {
  RunState state;
  state.step = 120;
  state.tokens = 1 << 20;
  state.sampler = {{.at = {.epoch = 1, .window = 2, .pack = 3}}};
  state.first_evaluation = 5.25;
  state.best = {{100, 2.5}, {50, 3}};
  state.identity = {{"objective.train", "mlm"}, {"data.train", "0123"}};
  RunState mixed = state;
  mixed.sampler.push_back({.at = {.pack = 7}, .samples = 99});
  return {run_state_to_json({}), run_state_to_json(state), run_state_to_json(mixed)};
}

}  // namespace surprisal::fuzz
