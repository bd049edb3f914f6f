// The training steps that are timed: models at their published sizes, random tokens.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "surprisal/stream.h"

#include "model/config.h"

namespace surprisal::bench {

struct TrainingCase {
  std::string name;    // "gpt2-124m-4x64"
  std::string family;  // "gpt2" or "bert"
  std::int64_t vocabulary;
  std::int32_t sequences, length;
};

std::span<const TrainingCase> training_cases();

ModelConfig model_of(const TrainingCase& c);

// gpt2: every row predicts a token. bert: 15 % of each sequence is masked, two segments, a next-sentence
// label each.
Stream stream_of(const TrainingCase& c);

}  // namespace surprisal::bench
