// Options such as a run has them, for the tests of reading and writing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"

namespace surprisal {

struct SampleOptions {
  std::string directory;
  std::int64_t seed = 1;
  std::vector<std::string> train;
  double probability = 0.15;
  std::string count = "fixed";
  double learning_rate = 1e-3;
  std::string schedule = "linear";
  std::int64_t max_steps = -1;
  bool resume = false;
  std::int64_t debug_level = 0;
  std::string note;

  void visit(OptionVisitor& visitor) {
    visitor.table("run", "The run", [&](OptionVisitor& v) {
      v.field("directory", directory, {}, "Where it is written", {.required = true, .path = true});
      v.field("seed", seed, {.min = 0}, "Of every random number");
      v.field("note", note, {}, "Kept with the run");
    });
    visitor.table("data", "The corpus", [&](OptionVisitor& v) {
      v.field("train", train, "Files to train on", {.required = true, .path = true});
    });
    visitor.table("objective", "What is predicted", [&](OptionVisitor& v) {
      v.table("mlm", "Masked tokens", [&](OptionVisitor& mlm) {
        mlm.field("probability", probability, {.min = 0, .max = 1}, "Of a token to be predicted");
        mlm.field("count", count, {"fixed", "bernoulli"}, "How many");
      });
    });
    visitor.table("train", "The loop", [&](OptionVisitor& v) {
      v.field("learning_rate", learning_rate, {.min = 0, .open_min = true}, "At its highest");
      v.field("lr_scheduler_type", schedule, {"linear", "cosine", "constant"}, "Its course");
      v.field("max_steps", max_steps, {.min = 1, .max = 1'000'000}, "Optimizer steps");
      v.field("resume", resume, "Go on from the last checkpoint");
      v.field("debug_level", debug_level, {.min = 0, .max = 3}, "For developers", {.internal = true});
    });
  }
  VisitFunction visitor() {
    return [this](OptionVisitor& v) { visit(v); };
  }
};

inline constexpr const char* kRequired = "run.directory = '/runs/a'\ndata.train = ['/a.txt']\n";

// Reads text in which the required keys are given above, so that its own lines count from 3.
inline std::vector<std::string> read_sample(SampleOptions& options, const std::string& text,
                                            const std::vector<Override>& overrides = {}) {
  return read_options_text(kRequired + text, "run.toml", overrides, options.visitor());
}

}  // namespace surprisal
