#include "model/adaptation.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/key_value_cache.h"
#include "model/transformer.h"
#include "tests/model/agreement.h"
#include "tests/model/reference_step.h"
#include "tests/model/transformer_problem.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"

namespace surprisal {
namespace {

constexpr std::uint64_t kSeed = 4242;
// Twice as many sums and products in a row as without branches, so the root of two more of rounding.
constexpr float kOfAdapted = 1.42f * kOfSurprisal;

// A branch beside every linear layer, beside queries and values each one of its own.
std::vector<LowRankBranch> branches_of(const ModelConfig& config, double dropout, bool magnitude) {
  std::vector<LowRankBranch> branches;
  std::int64_t rank = 1;
  const auto add = [&](LinearPlace place, std::int64_t layer, std::int64_t begin, std::int64_t end) {
    branches.push_back({.place = place,
                        .layer = layer,
                        .row_begin = begin,
                        .row_end = end,
                        .rank = rank++ % 3 + 1,
                        .scale = 1.5,
                        .dropout = dropout,
                        .magnitude = magnitude});
  };
  const std::int64_t query = config.query_size(), key = config.key_size(), width = config.hidden_size;
  for (std::int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    add(LinearPlace::qkv, layer, 0, query);
    add(LinearPlace::qkv, layer, query + key, query + 2 * key);
    add(LinearPlace::attention_output, layer, 0, width);
    add(LinearPlace::up, layer, 0, config.up_size());
    add(LinearPlace::down, layer, 0, width);
  }
  if (config.head_transform) add(LinearPlace::head_transform, 0, 0, width);
  if (config.pooler) add(LinearPlace::pooler, 0, 0, width);
  return branches;
}

enum class Kind {
  low_rank,
  dropped,
  decomposed,
  decomposed_dropped,
  prefix,
  shifting_prefix,
  projected,
  dropped_prefix,
  dropped_projected,
  beside
};
constexpr Kind kAdaptations[] = {
    Kind::low_rank,        Kind::dropped,   Kind::decomposed,     Kind::decomposed_dropped, Kind::prefix,
    Kind::shifting_prefix, Kind::projected, Kind::dropped_prefix, Kind::dropped_projected,  Kind::beside};

Adaptation adaptation_of(const ModelConfig& config, Kind kind) {
  Adaptation adaptation;
  const bool dropped = kind == Kind::dropped || kind == Kind::decomposed_dropped;
  const bool decomposed = kind == Kind::decomposed || kind == Kind::decomposed_dropped;
  switch (kind) {
    case Kind::low_rank:
    case Kind::dropped:
    case Kind::decomposed:
    case Kind::decomposed_dropped:
      adaptation.branches = branches_of(config, dropped ? 0.25 : 0, decomposed);
      break;
    case Kind::prefix:
    case Kind::shifting_prefix:
      adaptation.prefix = {.length = 3, .shifts_positions = kind == Kind::shifting_prefix};
      break;
    case Kind::projected:
      adaptation.prefix = {.length = 2, .inner = 5, .shifts_positions = false};
      break;
    case Kind::dropped_prefix:
      adaptation.prefix = {.length = 3, .dropout = 0.3};
      break;
    case Kind::dropped_projected:
      adaptation.prefix = {.length = 4, .inner = 5, .dropout = 0.2};
      break;
    case Kind::beside:  // the second layer alone, some rows of a bias, the sentence head
      adaptation.branches = {{.place = LinearPlace::qkv,
                              .layer = 1,
                              .row_begin = 0,
                              .row_end = config.query_size(),
                              .rank = 2,
                              .scale = 0.5}};
      adaptation.trained = {{"layer.1.feed_forward.norm.weight", 0, config.hidden_size}};
      if (config.qkv_bias) adaptation.trained.push_back({"layer.1.attention.qkv.bias", 3, 7});
      if (config.classes > 0) adaptation.trained.push_back({"sentence_head.weight", 0, config.classes});
      break;
  }
  return adaptation;
}

ModelConfig adapted(const std::string& kind, Kind adaptation, double dropout = 0) {
  ModelConfig config = tiny_model(kind);
  set_dropout(config, dropout);
  config.adaptation = adaptation_of(config, adaptation);
  return config;
}

TEST(Adaptation, GradientsAreTheDerivativeOfTheReference) {
  for (const char* kind : {"bert", "gpt2", "glm", "glm-130b", "llama"}) {
    for (Kind adaptation : kAdaptations) {
      SCOPED_TRACE(testing::PrintToString(std::pair(kind, static_cast<int>(adaptation))));
      expect_reference_step(adapted(kind, adaptation), Sight::causal, &kSeed, kOfAdapted);
    }
  }
}

TEST(Adaptation, GradientsUnderDropoutAndAnyIntervalsAreTheDerivativeOfTheReference) {
  for (const char* kind : {"bert", "gpt2", "grouped"}) {
    for (Kind adaptation : kAdaptations) {
      SCOPED_TRACE(testing::PrintToString(std::pair(kind, static_cast<int>(adaptation))));
      expect_reference_step(adapted(kind, adaptation, 0.1), Sight::any, &kSeed, kOfAdapted);
    }
  }
}

TEST(Adaptation, PackedIsAloneWithDropout) {
  for (const char* kind : {"bert", "gpt2", "grouped"}) {
    for (Kind adaptation : {Kind::dropped, Kind::decomposed_dropped, Kind::shifting_prefix}) {
      SCOPED_TRACE(testing::PrintToString(std::pair(kind, static_cast<int>(adaptation))));
      Transformer model = make_model(adapted(kind, adaptation, 0.2));
      fill_weights(model);
      const std::vector<Stream> sequences = random_sequences(model.config(), Sight::causal);
      const StepResult alone = run_step(model, sequences, &kSeed),
                       packed = run_step(model, {pack(sequences)}, &kSeed);
      expect_same_surprisals(packed.token, alone.token, kOfAdapted);
      expect_same_surprisals(packed.label, alone.label, kOfAdapted);
      expect_same_gradients(model.trained().table, packed.gradients, alone.gradients);
    }
  }
}

// As they start, B is zero.
TEST(Adaptation, UntrainedBranchesChangeNoBit) {
  for (const char* kind : {"bert", "gpt2", "glm", "glm-130b", "llama", "grouped"}) {
    SCOPED_TRACE(kind);
    const ModelConfig config = tiny_model(kind);
    Transformer plain = make_model(config, Mode::evaluate),
                model = make_model(adapted(kind, Kind::dropped), Mode::evaluate);
    fill_weights(plain);
    model.initialise(7);
    std::ranges::copy(plain.weights(), model.weights().begin());
    const Stream stream = pack(random_sequences(config, Sight::causal));
    StreamResult want, got;
    plain.evaluate(stream, want);
    model.evaluate(stream, got);
    EXPECT_TRUE(same_bits(got.token.surprisal, want.token.surprisal));
    EXPECT_TRUE(same_bits(got.label.surprisal, want.label.surprisal));
  }
}

TEST(Adaptation, OnlyWhatIsTrainedHasAGradient) {
  const ModelConfig config = adapted("bert", Kind::beside);
  const Transformer model = make_model(config);
  std::vector<std::string> names;
  for (const Parameter& parameter : model.trained().table.parameters) names.push_back(parameter.name);
  EXPECT_THAT(names, testing::ElementsAre("layer.1.attention.qkv.bias", "layer.1.feed_forward.norm.weight",
                                          "sentence_head.weight", "layer.1.attention.qkv.rows_0_12.lora_A",
                                          "layer.1.attention.qkv.rows_0_12.lora_B"));
  EXPECT_EQ(model.trained().table.count, 4 + 12 + 2 * 12 + 2 * 12 + 12 * 2);
  const auto gradients = [](const std::vector<MemoryUse>& uses) {
    return std::ranges::find(uses, "gradients", &MemoryUse::kind)->bytes;
  };
  EXPECT_EQ(gradients(Transformer::plan(config, Mode::train, {.tokens = 64})),
            static_cast<std::size_t>(model.trained().table.size) * sizeof(float));
}

// A step at a time through the cache, which the prefix is no part of.
TEST(Adaptation, ThroughTheCacheIsTheWholeAtOnce) {
  for (const char* kind : {"gpt2", "llama", "glm-130b"}) {
    for (Kind adaptation : {Kind::low_rank, Kind::decomposed, Kind::shifting_prefix}) {
      SCOPED_TRACE(testing::PrintToString(std::pair(kind, static_cast<int>(adaptation))));
      Transformer model = make_model(adapted(kind, adaptation), Mode::evaluate);
      fill_weights(model);
      const Stream whole = random_sequence(model.config(), 9, 1, Sight::causal);
      const std::int32_t last[] = {8};
      const auto vocabulary = static_cast<std::size_t>(model.config().vocab_size);
      std::vector<float> want(vocabulary), got(vocabulary);
      StreamResult result;
      model.evaluate(whole, result);
      model.logits(last, want);
      KeyValueCache cache(model.config(), 9);
      for (std::int32_t row = 0; row < 9; ++row) {
        Stream next;
        next.token = {whole.token[static_cast<std::size_t>(row)]};
        next.position = {whole.position[static_cast<std::size_t>(row)]};
        next.block_position = {whole.block_position[static_cast<std::size_t>(row)]};
        next.segment = {whole.segment[static_cast<std::size_t>(row)]};
        next.visible = {{0, row + 1}};
        next.sequence = {{.begin = 0, .end = 1}};
        const std::int32_t slot[] = {row};
        model.extend(next, {&cache, slot});
      }
      const std::int32_t first[] = {0};
      model.logits(first, got);
      EXPECT_THAT(got, testing::Pointwise(testing::FloatNear(2e-5f), want));
    }
  }
}

// What does not reach anything trained is not counted: of the second layer no gradient goes on below its
// queries, and frozen weights have none.
TEST(Adaptation, FlopsAreThoseThatAreNeeded) {
  ModelConfig config = tiny_model("gpt2");
  const Stream stream = random_sequence(config, 8, 1, Sight::causal);
  const double rows = 8, targets = static_cast<double>(stream.target.size()), width = 12, inner = 20;
  const double layer = 2 * rows * (4 * width * width + 2 * width * inner), pairs = 4 * width * (8 * 9 / 2),
               head = 2 * targets * width * 31;
  const double forward = 2 * (layer + pairs) + head;
  EXPECT_DOUBLE_EQ(Transformer::flops(config, stream, false), forward);
  EXPECT_DOUBLE_EQ(Transformer::flops(config, stream, true), 3 * forward);
  config.adaptation.branches = {
      {.place = LinearPlace::qkv, .layer = 1, .row_begin = 0, .row_end = 12, .rank = 2}};
  const double branch = 2 * rows * 2 * (12 + 12);
  EXPECT_DOUBLE_EQ(Transformer::flops(config, stream, false), forward + branch);
  EXPECT_DOUBLE_EQ(Transformer::flops(config, stream, true),
                   forward + branch + head + (layer - 2 * rows * 3 * width * width) + 2 * pairs + 2 * branch);
}

TEST(Adaptation, SameBitsForAnyThreads) {
  for (Kind adaptation : kAdaptations) {
    expect_same_for_any_threads(
        [&] {
          Transformer model = make_model(adapted("grouped", adaptation, 0.1));
          fill_weights(model);
          return run_step(model, random_sequences(model.config(), Sight::causal), &kSeed).gradients;
        },
        same_bits<std::vector<float>>);
  }
}

}  // namespace
}  // namespace surprisal
