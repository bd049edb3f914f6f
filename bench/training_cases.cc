#include "training_cases.h"

#include <array>
#include <numeric>

#include "core/random.h"
#include "model/family.h"

namespace surprisal::bench {
namespace {

const std::array<TrainingCase, 3> kCases = {{
    {"gpt2-124m-4x64", "gpt2", 50257, 4, 64},
    {"gpt2-124m-1x1024", "gpt2", 50257, 1, 1024},
    {"bert-base-8x128", "bert", 30522, 8, 128},
}};

constexpr double kMasked = 0.15;
constexpr std::int32_t kMaskToken = 103;

std::int32_t draw_token(const TrainingCase& c, Random& random) {
  return static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(c.vocabulary)));
}

void add_causal_targets(const TrainingCase& c, std::int32_t begin, Random& random, Stream& stream) {
  for (std::int32_t row = begin; row < begin + c.length; ++row) {
    stream.target.push_back({row, draw_token(c, random), 1});
  }
}

// Evenly spread, so that the count is exact; which rows are masked changes no cost.
void add_masked_targets(const TrainingCase& c, std::int32_t begin, Stream& stream) {
  const int masked = static_cast<int>(kMasked * c.length);
  for (int index = 0; index < masked; ++index) {
    std::int32_t row = begin + 1 + index * (c.length - 2) / masked;
    std::int32_t& token = stream.token[static_cast<std::size_t>(row)];
    stream.target.push_back({row, token, 1});
    token = kMaskToken;
  }
}

void add_sequence(const TrainingCase& c, std::int32_t number, Random& random, Stream& stream) {
  const std::int32_t begin = stream.size(), end = begin + c.length;
  const bool causal = c.family == "gpt2";
  for (std::int32_t position = 0; position < c.length; ++position) {
    stream.token.push_back(draw_token(c, random));
    stream.position.push_back(position);
    stream.block_position.push_back(0);
    stream.segment.push_back(!causal && position >= c.length / 2);
    stream.visible.push_back({begin, causal ? begin + position + 1 : end});
  }
  stream.sequence.push_back({.begin = begin, .end = end, .sample = static_cast<std::uint64_t>(number)});
  if (causal) {
    add_causal_targets(c, begin, random, stream);
  } else {
    add_masked_targets(c, begin, stream);
    stream.label.push_back({begin, number % 2, 1});
  }
}

}  // namespace

std::span<const TrainingCase> training_cases() {
  return kCases;
}

ModelConfig model_of(const TrainingCase& c) {
  ModelOptions options;
  options.family = c.family;
  options.hidden_size = 768;
  options.num_hidden_layers = 12;
  options.num_attention_heads = 12;
  options.max_position_embeddings = c.family == "gpt2" ? 1024 : 512;
  return find_family(c.family, "benchmark").from_options(options, c.vocabulary, c.length);
}

Stream stream_of(const TrainingCase& c) {
  Random random({1, 0, 0, Purpose::sampling});
  Stream stream;
  for (std::int32_t number = 0; number < c.sequences; ++number) add_sequence(c, number, random, stream);
  return stream;
}

}  // namespace surprisal::bench
