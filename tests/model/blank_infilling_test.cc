// GLM and GLM-130B on the streams that they are trained on: a context that sees itself, then pieces that see
// it and all that was read of the pieces.

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/transformer.h"
#include "tests/model/transformer_problem.h"
#include "tests/ops/guarded.h"

namespace surprisal {
namespace {

constexpr std::int32_t kContext = 6;
constexpr std::int32_t kPieces[] = {3, 2};  // rows of each
constexpr const char* kFamilies[] = {"glm", "glm-130b"};

// Every row is a target, so that every row can be looked at.
Stream infilling_stream(const ModelConfig& config) {
  Stream stream;
  const auto add = [&](std::int32_t position, std::int32_t block, Interval visible) {
    const auto row = static_cast<std::int32_t>(stream.token.size());
    stream.token.push_back((7 * row + 3) % static_cast<std::int32_t>(config.vocab_size));
    stream.position.push_back(position);
    stream.block_position.push_back(block);
    stream.segment.push_back(0);
    stream.visible.push_back(visible);
    stream.target.push_back({row, (11 * row + 5) % static_cast<std::int32_t>(config.vocab_size), 1});
  };
  for (std::int32_t row = 0; row < kContext; ++row) add(row, 0, {0, kContext});
  std::int32_t mask = 4;
  for (std::int32_t size : kPieces) {
    for (std::int32_t within = 1; within <= size; ++within) {
      add(mask, within, {0, static_cast<std::int32_t>(stream.token.size()) + 1});
    }
    mask = 1;
  }
  stream.sequence.push_back({.begin = 0, .end = stream.size(), .sample = 3});
  return stream;
}

ModelConfig config_of(const char* family) {
  return tiny_model(family, 3);
}

// The rows whose surprisal is another where the token of `row` is.
std::vector<std::int32_t> moved_by(Transformer& model, std::int32_t row) {
  Stream stream = infilling_stream(model.config());
  StreamResult before, after;
  model.evaluate(stream, before);
  stream.token[static_cast<std::size_t>(row)] ^= 1;
  model.evaluate(stream, after);
  std::vector<std::int32_t> moved;
  for (std::int32_t i = 0; i < stream.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (before.token.surprisal[at] != after.token.surprisal[at]) moved.push_back(i);
  }
  return moved;
}

TEST(BlankInfilling, AContextNeverSeesAPieceAndAPieceSeesAllBeforeIt) {
  for (const char* family : kFamilies) {
    Transformer model(config_of(family), Mode::evaluate, {.tokens = 16});
    fill_weights(model);
    for (std::int32_t row = 0; row < kContext; ++row) {
      EXPECT_THAT(moved_by(model, row), testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)) << family;
    }
    for (std::int32_t row = kContext; row < 11; ++row) {
      std::vector<std::int32_t> expected;
      for (std::int32_t later = row; later < 11; ++later) expected.push_back(later);
      EXPECT_EQ(moved_by(model, row), expected) << family << " " << row;
    }
  }
}

// Where tokens are equal, positions alone tell two rows apart.
TEST(BlankInfilling, BothPositionsOfGlmAreFelt) {
  Transformer model(config_of("glm"), Mode::evaluate, {.tokens = 16});
  fill_weights(model);
  Stream stream = infilling_stream(model.config());
  StreamResult before, after;
  model.evaluate(stream, before);
  for (std::vector<std::int32_t>* positions : {&stream.position, &stream.block_position}) {
    ++positions->at(8);
    model.evaluate(stream, after);
    EXPECT_EQ(before.token.surprisal[7], after.token.surprisal[7]);
    EXPECT_NE(before.token.surprisal[8], after.token.surprisal[8]);
    --positions->at(8);
  }
}

// Rotary positions are felt by their distances alone: a sequence may begin anywhere.
TEST(BlankInfilling, Glm130bFeelsDistancesAlone) {
  Transformer model(config_of("glm-130b"), Mode::evaluate, {.tokens = 16});
  fill_weights(model);
  Stream stream = infilling_stream(model.config());
  StreamResult before, shifted, other;
  model.evaluate(stream, before);
  for (std::int32_t& position : stream.position) position += 9;
  model.evaluate(stream, shifted);
  EXPECT_THAT(shifted.token.surprisal, testing::Pointwise(testing::FloatNear(5e-5f), before.token.surprisal));
  stream.position[8] += 1;
  model.evaluate(stream, other);
  EXPECT_GT(std::abs(other.token.surprisal[8] - before.token.surprisal[8]), 5e-4f);
}

// Of a tied weight: where it looks tokens up, and where it scores them; over two micro-batches, of which the
// first writes and the second adds.
TEST(BlankInfilling, ShrinksTheGradientOfTheTokenEmbeddingAndChangesNothingElse) {
  const auto step_of = [](double shrink) {
    ModelConfig config = config_of("glm-130b");
    config.embedding_gradient_shrink = shrink;
    Transformer model(config, Mode::train, {.tokens = 16}, 1 << 12);
    fill_weights(model);
    const Stream stream = infilling_stream(config);
    Stream lookups = stream;  // one row is scored: most of the gradient is the lookup's
    lookups.target = {stream.target.back()};
    return run_step(model, {stream, lookups}, nullptr);
  };
  const StepResult whole = step_of(1), shrunk = step_of(0.125), none = step_of(0);
  EXPECT_TRUE(same_bits(whole.token, shrunk.token) && same_bits(whole.token, none.token));
  const ParameterTable table = make_parameter_table(config_of("glm-130b"));
  for (const Parameter& parameter : table.parameters) {
    const bool token = parameter.name == "embedding.token.weight";
    for (std::int64_t i = parameter.offset; i < parameter.offset + parameter.shape.elements(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      // An eighth is exact: the same roundings at another scale.
      ASSERT_EQ(shrunk.gradients[at], (token ? 0.125f : 1.0f) * whole.gradients[at]) << parameter.name;
      ASSERT_EQ(none.gradients[at], token ? 0.0f : whole.gradients[at]) << parameter.name;
    }
  }
}

// Counted by hand: three projections of D x D and one behind attention, a gate beside each feed-forward row.
TEST(BlankInfilling, CountsTheGateAmongTheProducts) {
  const ModelConfig config = config_of("glm-130b");  // D = 12, F = 20, V = 31, three layers
  const Stream stream = infilling_stream(config);
  const double rows = 11, pairs = 6 * 6 + 7 + 8 + 9 + 10 + 11;
  const double layer = rows * 2 * (4 * 12 * 12 + 3 * 12 * 20) + pairs * 4 * 12;
  EXPECT_DOUBLE_EQ(Transformer::flops(config, stream, false), 3 * layer + rows * 2 * 12 * 31);
  EXPECT_DOUBLE_EQ(Transformer::flops(config, stream, true), 3 * (3 * layer + rows * 2 * 12 * 31));
}

}  // namespace
}  // namespace surprisal
