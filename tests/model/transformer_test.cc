#include "model/transformer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/parallel.h"
#include "model/layout.h"
#include "tests/model/agreement.h"
#include "tests/model/reference_step.h"
#include "tests/model/transformer_problem.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"

namespace surprisal {
namespace {

constexpr std::uint64_t kSeed = 4242;
constexpr const char* kKinds[] = {"bert",
                                  "gpt2",
                                  "glm",
                                  "glm-130b",
                                  "pre",
                                  "post",
                                  "gated",
                                  "llama",
                                  "qwen2",
                                  "grouped",
                                  "sequence classifier",
                                  "token classifier",
                                  "regression"};

using Floats = std::vector<float>;

void expect_reference(const std::string& kind, Sight sight, double dropout) {
  SCOPED_TRACE(kind);
  ModelConfig config = tiny_model(kind);
  set_dropout(config, dropout);
  expect_reference_step(config, sight, &kSeed);
}

TEST(Transformer, GradientsOfEveryParameterAreTheDerivativeOfTheReference) {
  for (const char* kind : kKinds) {
    expect_reference(kind, kind == std::string("gpt2") ? Sight::causal : Sight::full, 0);
  }
}

TEST(Transformer, GradientsUnderDropoutAreTheDerivativeOfTheReference) {
  for (const char* kind : kKinds) expect_reference(kind, Sight::causal, 0.2);
}

// Rows that see nothing, or only what lies elsewhere in their sequence.
TEST(Transformer, GradientsUnderAnyIntervalsAreTheDerivativeOfTheReference) {
  for (const char* kind : {"gpt2", "bert", "grouped"}) expect_reference(kind, Sight::any, 0.1);
}

TEST(Transformer, PackedIsAloneWithDropout) {
  for (const char* kind : kKinds) {
    SCOPED_TRACE(kind);
    ModelConfig config = tiny_model(kind);
    set_dropout(config, 0.2);
    Transformer model = make_model(config);
    fill_weights(model);
    const std::vector<Stream> sequences = random_sequences(config, Sight::causal);
    const StepResult alone = run_step(model, sequences, &kSeed),
                     packed = run_step(model, {pack(sequences)}, &kSeed),
                     turned = run_step(
                         model, {pack({sequences[2], sequences[0], sequences[3], sequences[1]})}, &kSeed);
    expect_same_surprisals(packed.token, alone.token);
    expect_same_surprisals(packed.label, alone.label);
    expect_same_gradients(model.table(), packed.gradients, alone.gradients);
    expect_same_gradients(model.table(), turned.gradients, alone.gradients);
  }
}

TEST(Transformer, FourMicroBatchesOfOneAreOneOfFour) {
  const ModelConfig config = tiny_model("bert");
  Transformer model = make_model(config);
  fill_weights(model);
  const std::vector<Stream> all = random_sequences(config, Sight::full, {7, 3, 9, 4, 2, 8, 5, 6});
  std::vector<Stream> micro;
  for (std::size_t k = 0; k < all.size(); k += 2) micro.push_back(pack({all[k], all[k + 1]}));
  const StepResult four = run_step(model, micro, nullptr), one = run_step(model, {pack(all)}, nullptr);
  expect_same_surprisals(four.token, one.token);
  expect_same_gradients(model.table(), four.gradients, one.gradients);
}

// Rows that no target names cost nothing and change nothing: the same as scoring all of them and giving the
// others no weight.
TEST(Transformer, ASparseHeadIsADenseOne) {
  for (const char* kind : kKinds) {
    SCOPED_TRACE(kind);
    const ModelConfig config = tiny_model(kind);
    if (!config.vocabulary_head()) continue;
    Transformer model = make_model(config);
    fill_weights(model);
    Stream sparse = pack(random_sequences(config, Sight::full)), dense = sparse;
    std::erase_if(sparse.target, [last = -1](const Target& target) mutable {
      return target.row % 3 != 0 || std::exchange(last, target.row) == target.row;
    });
    dense.target.clear();
    for (std::int32_t row = 0; row < dense.size(); ++row) dense.target.push_back({row, row % 31, 0});
    std::vector<std::size_t> scored;
    for (const Target& target : sparse.target) {
      dense.target[static_cast<std::size_t>(target.row)] = target;
      scored.push_back(static_cast<std::size_t>(target.row));
    }
    const StepResult few = run_step(model, {sparse}, nullptr), all = run_step(model, {dense}, nullptr);
    ASSERT_EQ(all.token.size(), static_cast<std::size_t>(dense.size()));
    for (std::size_t t = 0; t < scored.size(); ++t)
      EXPECT_NEAR(few.token[t], all.token[scored[t]], kOfSurprisal);
    expect_same_gradients(model.table(), few.gradients, all.gradients);
  }
}

TEST(Transformer, SameBitsForAnyNumberOfThreads) {
  for (const char* kind : {"bert", "gpt2", "llama"}) {
    ModelOptions options = tiny_options(kind);
    if (kind == std::string("llama")) options.num_key_value_heads = 1;
    options.hidden_size = 96;
    options.max_position_embeddings = 300;
    const ModelConfig config = find_family(kind, "").from_options(options, 211, 300);
    const Stream stream = pack(random_sequences(config, Sight::causal, {300, 17, 150, 1, 200}));
    const auto run = [&] {  // scratch is laid out for the threads that there are
      Transformer model(config, Mode::train, {.tokens = stream.size(), .labels = 5}, 1 << 16);
      fill_weights(model);
      StepResult step = run_step(model, {stream}, &kSeed);
      step.gradients.insert(step.gradients.end(), step.token.begin(), step.token.end());
      step.gradients.insert(step.gradients.end(), step.label.begin(), step.label.end());
      return step.gradients;
    };
    expect_same_for_any_threads(run, same_bits<Floats>);
  }
}

TEST(Transformer, InitialWeightsAreTheSameForAnyNumberOfThreads) {
  const auto run = [] {
    Transformer model = make_model(tiny_gpt2());
    model.initialise(7);
    return Floats(model.weights().begin(), model.weights().end());
  };
  expect_same_for_any_threads(run, same_bits<Floats>);
}

// Mean and variance are within five standard errors.
void expect_normal(std::span<const float> weights, double range) {
  double mean = 0, square = 0;
  const double count = static_cast<double>(weights.size());
  for (float weight : weights) {
    mean += weight / count;
    square += weight * static_cast<double>(weight) / count;
  }
  EXPECT_NEAR(mean, 0, 5 * range / std::sqrt(count));
  EXPECT_NEAR(square, range * range, 5 * range * range * std::sqrt(2.0 / count));
}

TEST(Transformer, InitialWeightsAreWhatTheTableSays) {
  for (const char* family : {"gpt2", "glm-130b", "llama"}) {
    ModelOptions options = tiny_options(family);
    options.hidden_size = 96;
    options.intermediate_size = 200;
    Transformer model = make_model(find_family(family, "").from_options(options, 211, 17));
    model.initialise(7);
    for (std::size_t index = 0; index < model.table().parameters.size(); ++index) {
      const Parameter& parameter = model.table().parameters[index];
      const std::span weights(model.weight(static_cast<int>(index)).f32(),
                              static_cast<std::size_t>(parameter.shape.elements()));
      SCOPED_TRACE(parameter.name);
      if (parameter.initial != Initial::normal) {
        EXPECT_THAT(weights, testing::Each(parameter.initial == Initial::one ? 1.0f : 0.0f));
        continue;
      }
      const auto last = static_cast<std::size_t>(parameter.last_rows * parameter.shape[1]);
      expect_normal(weights.first(weights.size() - last), parameter.range);
      if (last > 0) expect_normal(weights.last(last), parameter.last_range);
    }
    const Floats first(model.weights().begin(), model.weights().end());
    model.initialise(8);
    EXPECT_NE(first, Floats(model.weights().begin(), model.weights().end()));
    model.initialise(7);
    EXPECT_EQ(first, Floats(model.weights().begin(), model.weights().end()));
  }
}

TEST(Transformer, DropoutThatIsOffIsOff) {
  for (const char* kind : kKinds) {
    ModelConfig config = tiny_model(kind);
    Transformer model = make_model(config);
    fill_weights(model);
    const Stream stream = pack(random_sequences(config, Sight::causal));
    const StepResult with = run_step(model, {stream}, &kSeed), without = run_step(model, {stream}, nullptr);
    EXPECT_TRUE(same_bits(with.token, without.token) && same_bits(with.gradients, without.gradients)) << kind;
  }
}

// Each of the three probabilities acts, by the seed, and only where a seed is given.
TEST(Transformer, DropoutThatIsOnIsKeyed) {
  for (double ModelConfig::*member :
       {&ModelConfig::embedding_dropout, &ModelConfig::hidden_dropout, &ModelConfig::attention_dropout}) {
    ModelConfig config = tiny_model("bert");
    Transformer off = make_model(config);
    config.*member = 0.3;
    Transformer on = make_model(config);
    fill_weights(off);
    fill_weights(on);
    const std::vector<Stream> stream = {pack(random_sequences(config, Sight::full))};
    const std::uint64_t other = kSeed + 1;
    const StepResult plain = run_step(off, stream, &kSeed), dropped = run_step(on, stream, &kSeed);
    EXPECT_TRUE(same_bits(run_step(on, stream, nullptr).gradients, plain.gradients));
    EXPECT_TRUE(same_bits(run_step(on, stream, &kSeed).gradients, dropped.gradients));
    EXPECT_NE(dropped.token, plain.token);
    EXPECT_NE(run_step(on, stream, &other).token, dropped.token);
  }
}

// Five layers: evaluation holds the activations of two, in turn.
TEST(Transformer, EvaluationScoresAsTrainingDoes) {
  for (const char* kind : kKinds) {
    SCOPED_TRACE(kind);
    ModelConfig config = tiny_model(kind, 5);
    Transformer train = make_model(config), evaluate = make_model(config, Mode::evaluate);
    fill_weights(train);
    fill_weights(evaluate);
    EXPECT_TRUE(evaluate.gradients().empty());
    const Stream stream = pack(random_sequences(config, Sight::causal));
    const StepResult step = run_step(train, {stream}, nullptr);
    for (Transformer* model : {&train, &evaluate}) {
      StreamResult result;
      model->evaluate(stream, result);
      EXPECT_TRUE(same_bits(result.token.surprisal, step.token));
      EXPECT_TRUE(same_bits(result.label.surprisal, step.label));
      EXPECT_EQ(result.token.predicted.size(), stream.target.size());
    }
  }
}

// What a longer stream leaves behind in the model's memory is not seen.
TEST(Transformer, AStreamDoesNotDependOnTheOneBefore) {
  const ModelConfig config = tiny_model("pre");
  Transformer fresh = make_model(config), used = make_model(config);
  fill_weights(fresh);
  fill_weights(used);
  run_step(used, {pack(random_sequences(config, Sight::any, {16, 17, 17}))}, &kSeed);
  const std::vector<Stream> stream = {pack(random_sequences(config, Sight::full))};
  EXPECT_TRUE(
      same_bits(run_step(used, stream, nullptr).gradients, run_step(fresh, stream, nullptr).gradients));
}

TEST(Transformer, AStreamWithoutTargetsHasNoGradient) {
  const ModelConfig config = tiny_model("bert");
  Transformer model = make_model(config);
  fill_weights(model);
  Stream stream = pack(random_sequences(config, Sight::full));
  stream.target.clear();
  stream.label.clear();
  const StepResult step = run_step(model, {stream}, nullptr);
  EXPECT_TRUE(step.token.empty() && step.label.empty());
  EXPECT_EQ(largest(step.gradients), 0);
}

TEST(Transformer, LogitsGiveTheSurprisals) {
  for (const char* kind : kKinds) {
    SCOPED_TRACE(kind);
    const ModelConfig config = tiny_model(kind);
    Transformer model = make_model(config, Mode::evaluate);
    fill_weights(model);
    const Stream stream = pack(random_sequences(config, Sight::causal));
    StreamResult result;
    model.evaluate(stream, result);
    for (std::size_t t = 0; t < stream.target.size(); ++t) {
      Floats logits(static_cast<std::size_t>(config.vocab_size));
      model.logits(std::array{stream.target[t].row}, logits);
      double sum = 0;
      for (float logit : logits) sum += std::exp(static_cast<double>(logit));
      const auto most = std::max_element(logits.begin(), logits.end());
      EXPECT_NEAR(std::log(sum) - logits[static_cast<std::size_t>(stream.target[t].id)],
                  result.token.surprisal[t], kOfSurprisal);
      EXPECT_EQ(most - logits.begin(), result.token.predicted[t]);
    }
  }
}

// Position 8 stands in the longest sequence alone.
TEST(Transformer, WhatIsNotANumberStaysInItsSequence) {
  const ModelConfig config = tiny_model("gpt2");
  Transformer model = make_model(config);
  fill_weights(model);
  const Stream stream = pack(random_sequences(config, Sight::full));  // 7 + 1 rows, then 9, then 4
  StreamResult healthy, sick;
  model.evaluate(stream, healthy);
  const Tensor position = model.weight(model.table().find("embedding.position.weight"));
  position.f32()[8 * config.hidden_size] = std::numeric_limits<float>::quiet_NaN();
  model.evaluate(stream, sick);
  for (std::size_t t = 0; t < stream.target.size(); ++t) {
    const bool longest = stream.target[t].row >= 8 && stream.target[t].row < 17;
    if (longest) {
      EXPECT_TRUE(std::isnan(sick.token.surprisal[t])) << t;
    } else {
      EXPECT_EQ(sick.token.surprisal[t], healthy.token.surprisal[t]) << t;
    }
  }
}

TEST(Transformer, ThePlanIsWhatIsReserved) {
  for (const char* kind : kKinds) {
    for (Mode mode : {Mode::evaluate, Mode::train}) {
      for (std::size_t head_workspace : {std::size_t{1} << 10, std::size_t{64} << 20}) {
        const ModelConfig config = tiny_model(kind, 3);
        const Capacity capacity = {.tokens = 100, .targets = 100, .labels = 7};
        const ParameterTable table = make_parameter_table(config);
        ModelArenas arenas;
        lay_out(config, table, mode, capacity, head_workspace, arenas);
        arenas.reserve();
        lay_out(config, table, mode, capacity, head_workspace, arenas);  // for good, in what was reserved
        const std::vector<MemoryUse> plan = Transformer::plan(config, mode, capacity, head_workspace),
                                     reserved = arenas.uses();
        ASSERT_EQ(plan.size(), reserved.size());
        for (std::size_t i = 0; i < plan.size(); ++i) {
          EXPECT_EQ(plan[i].kind, reserved[i].kind);
          EXPECT_EQ(plan[i].bytes, reserved[i].bytes) << plan[i].kind;
        }
        EXPECT_EQ(plan[0].bytes, static_cast<std::size_t>(table.size) * sizeof(float));
        EXPECT_EQ(plan[1].bytes, mode == Mode::train ? plan[0].bytes : 0);
      }
    }
  }
}

// Targets and labels are allowed for every row unless the caller knows better, and evaluation needs no more
// for more layers.
TEST(Transformer, PlansFollowCapacityAndMode) {
  const auto bytes = [](const ModelConfig& config, Mode mode, Capacity capacity) {
    std::size_t sum = 0;
    for (const MemoryUse& use : Transformer::plan(config, mode, capacity)) {
      if (use.kind == "activations" || use.kind == "workspace") sum += use.bytes;
    }
    return sum;
  };
  const ModelConfig config = tiny_model("bert");
  EXPECT_EQ(bytes(config, Mode::train, {.tokens = 50}),
            bytes(config, Mode::train, {.tokens = 50, .targets = 50, .labels = 1}));
  EXPECT_LT(bytes(config, Mode::train, {.tokens = 50, .targets = 8}),
            bytes(config, Mode::train, {.tokens = 50}));
  EXPECT_EQ(bytes(tiny_model("bert", 9), Mode::evaluate, {.tokens = 50}),
            bytes(config, Mode::evaluate, {.tokens = 50}));
  EXPECT_LT(bytes(config, Mode::train, {.tokens = 50}),
            bytes(tiny_model("bert", 3), Mode::train, {.tokens = 50}));
}

// Multiply-adds twice: of every row, every visible pair, every scored row; three times that in training.
TEST(Transformer, FlopsCountWhatIsVisibleAndScored) {
  const ModelConfig config = tiny_model("bert", 1);  // D 12, F 20, V 31, a transform and a pooler, 2 classes
  Transformer model = make_model(config, Mode::evaluate);
  Stream stream = pack(random_sequences(config, Sight::causal, {5, 3}));
  stream.target.resize(2);
  stream.label.resize(1);
  const double rows = 8 * 2 * (4 * 12 * 12 + 2 * 12 * 20), pairs = (15 + 6) * 4 * 12,
               targets = 2 * 2 * 12 * (31 + 12), label = 2 * 12 * (2 + 12);
  EXPECT_EQ(model.flops(stream, false), rows + pairs + targets + label);
  EXPECT_EQ(model.flops(stream, true), 3 * (rows + pairs + targets + label));
}

// Six heads of 4 over two of keys and values, both halves of a gated F 20.
TEST(Transformer, FlopsOfGroupedQueries) {
  const ModelConfig config = tiny_model("grouped", 1);
  Stream stream = pack(random_sequences(config, Sight::causal, {5, 3}));
  stream.target.clear();
  stream.label.clear();
  const double rows = 8 * 2 * (12 * (24 + 2 * 8) + 24 * 12 + 12 * 40 + 20 * 12), pairs = (15 + 6) * 4 * 24;
  EXPECT_EQ(Transformer::flops(config, stream, false), rows + pairs);
}

}  // namespace
}  // namespace surprisal
