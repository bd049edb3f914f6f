// Choices through the whole model: the surprisal of the right option and its gradient.
#include <algorithm>
#include <cmath>
#include <complex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/transformer.h"
#include "ops/choice_cross_entropy_reference.h"
#include "tests/model/agreement.h"
#include "tests/model/reference_transformer.h"
#include "tests/model/transformer_problem.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"

namespace surprisal {
namespace {

constexpr std::uint64_t kSeed = 4242;
constexpr const char* kKinds[] = {"bert", "gpt2", "glm", "glm-130b"};

using Floats = std::vector<float>;
using Complex = std::complex<double>;

// Six targets: the first two are the options of one choice, the last three those of another, one is ordinary.
Stream choosing_sequence(const ModelConfig& config, std::uint64_t sample) {
  Stream stream = random_sequence(config, 8, sample, Sight::causal);
  while (stream.target.size() < 6) stream.target.push_back({7, 3, 0.75f});
  stream.choice = {{.option = {{0, 1}, {1, 2}}, .answer = static_cast<std::int32_t>(sample % 2), .weight = 2},
                   {.option = {{3, 5}, {5, 6}}, .answer = 1, .weight = 0.5f}};
  return stream;
}

std::vector<Stream> choosing_sequences(const ModelConfig& config, std::size_t count) {
  std::vector<Stream> sequences;
  for (std::size_t k = 0; k < count; ++k) sequences.push_back(choosing_sequence(config, 100 + k));
  return sequences;
}

// The loss of these tests: the mean over ordinary targets, and over labels and over choices by weight.
struct ChoiceScales {
  Floats token, label, choice;
  SurprisalGradient view() const { return {token, label, choice}; }
};

ChoiceScales scales_of(const Stream& stream, double count) {
  ChoiceScales scales;
  for (std::size_t t = 0; t < stream.target.size(); ++t) {
    scales.token.push_back(t == 2 ? static_cast<float>(1 / count) : 0);
  }
  for (const Label& label : stream.label)
    scales.label.push_back(static_cast<float>(label.weight / count / 1.5));
  for (const Choice& choice : stream.choice) {
    scales.choice.push_back(static_cast<float>(choice.weight / (2.5 * count)));
  }
  return scales;
}

struct ChoiceStep {
  Floats token, choice, gradients;
};

// One step over micro-batches, each of some of the sequences.
ChoiceStep run_choices(Transformer& model, const std::vector<std::vector<Stream>>& micro_batches,
                       const std::uint64_t* seed) {
  double count = 0;
  for (const auto& sequences : micro_batches) count += static_cast<double>(sequences.size());
  ChoiceStep step;
  model.zero_gradients();
  for (const auto& sequences : micro_batches) {
    ChoiceScales all;
    for (const Stream& sequence : sequences) {
      const ChoiceScales scales = scales_of(sequence, count);
      all.token.insert(all.token.end(), scales.token.begin(), scales.token.end());
      all.label.insert(all.label.end(), scales.label.begin(), scales.label.end());
      all.choice.insert(all.choice.end(), scales.choice.begin(), scales.choice.end());
    }
    StreamResult result;
    model.accumulate_gradients(pack(sequences), all.view(), seed, result);
    step.token.insert(step.token.end(), result.token.surprisal.begin(), result.token.surprisal.end());
    step.choice.insert(step.choice.end(), result.choice.surprisal.begin(), result.choice.surprisal.end());
  }
  step.gradients.assign(model.gradients().begin(), model.gradients().end());
  return step;
}

void expect_same(const Transformer& model, const ChoiceStep& got, const ChoiceStep& want) {
  EXPECT_THAT(got.token, testing::Pointwise(testing::FloatNear(kOfSurprisal), want.token));
  EXPECT_THAT(got.choice, testing::Pointwise(testing::FloatNear(kOfSurprisal), want.choice));
  expect_same_gradients(model.table(), got.gradients, want.gradients);
}

// The reference's loss on the weights, all of it in Number.
template <class Number>
Number reference_loss(const Transformer& model, const std::vector<Number>& weights, const Stream& stream,
                      const ChoiceScales& scales) {
  const reference::Transformer<Number> reference(model.config(), model.table(), weights, stream, &kSeed);
  const std::vector<Number> token = reference.token_surprisals(), label = reference.label_surprisals(),
                            choice = reference::choice_cross_entropy(stream, token);
  Number sum(0);
  for (std::size_t t = 0; t < token.size(); ++t) sum += token[t] * static_cast<double>(scales.token[t]);
  for (std::size_t s = 0; s < label.size(); ++s) sum += label[s] * static_cast<double>(scales.label[s]);
  for (std::size_t c = 0; c < choice.size(); ++c) sum += choice[c] * static_cast<double>(scales.choice[c]);
  return sum;
}

Floats reference_gradients(const Transformer& model, const Stream& stream, const ChoiceScales& scales) {
  constexpr double kStep = 1e-20;
  std::vector<Complex> weights(model.weights().begin(), model.weights().end());
  Floats gradients(weights.size(), 0);
  for (const Parameter& parameter : model.table().parameters) {
    for (std::int64_t i = 0; i < parameter.shape.elements(); ++i) {
      const auto at = static_cast<std::size_t>(parameter.offset + i);
      weights[at] += Complex(0, kStep);
      gradients[at] =
          static_cast<float>(reference_loss<Complex>(model, weights, stream, scales).imag() / kStep);
      weights[at] = weights[at].real();
    }
  }
  return gradients;
}

TEST(Choice, GradientsOfEveryParameterAreTheDerivativeOfTheReference) {
  for (const char* kind : kKinds) {
    SCOPED_TRACE(kind);
    ModelConfig config = tiny_model(kind);
    set_dropout(config, 0.2);
    Transformer model = make_model(config);
    fill_weights(model);
    const Stream stream = choosing_sequence(config, 100);
    const ChoiceStep got = run_choices(model, {{stream}}, &kSeed);
    const std::vector<double> weights(model.weights().begin(), model.weights().end());
    const reference::Transformer<double> reference(config, model.table(), weights, stream, &kSeed);
    const std::vector<double> token = reference.token_surprisals();
    EXPECT_THAT(got.token, testing::Pointwise(testing::FloatNear(kOfSurprisal), token));
    EXPECT_THAT(got.choice, testing::Pointwise(testing::FloatNear(kOfSurprisal),
                                               reference::choice_cross_entropy(stream, token)));
    expect_same_gradients(model.table(), got.gradients,
                          reference_gradients(model, stream, scales_of(stream, 1)));
  }
}

TEST(Choice, PackedIsAloneAndMicroBatchesMakeNoDifference) {
  for (const char* kind : kKinds) {
    SCOPED_TRACE(kind);
    ModelConfig config = tiny_model(kind);
    set_dropout(config, 0.2);
    Transformer model = make_model(config);
    fill_weights(model);
    const std::vector<Stream> all = choosing_sequences(config, 4);
    const ChoiceStep one = run_choices(model, {all}, &kSeed),
                     four = run_choices(model, {{all[0]}, {all[1]}, {all[2]}, {all[3]}}, &kSeed),
                     two = run_choices(model, {{all[0], all[1]}, {all[2], all[3]}}, &kSeed);
    expect_same(model, one, four);
    expect_same(model, two, four);
  }
}

// P1 Eq. 3: options that are one token of one row are told apart by their logits alone.
TEST(Choice, SingleTokensAreTheSoftmaxOverTheOptionsLogits) {
  for (const char* kind : kKinds) {
    SCOPED_TRACE(kind);
    const ModelConfig config = tiny_model(kind);
    Transformer model = make_model(config, Mode::evaluate);
    fill_weights(model);
    Stream stream = random_sequence(config, 8, 1, Sight::causal);
    const std::int32_t options[] = {4, 19, 7};
    stream.target.clear();
    for (std::int32_t id : options) stream.target.push_back({5, id, 1});
    stream.choice = {{.option = {{0, 1}, {1, 2}, {2, 3}}, .answer = 2}};
    StreamResult result;
    model.evaluate(stream, result);
    Floats logits(static_cast<std::size_t>(config.vocab_size));
    const std::int32_t rows[] = {5};
    model.logits(rows, logits);
    double sum = 0;
    for (std::int32_t id : options) sum += std::exp(static_cast<double>(logits[id]));
    EXPECT_NEAR(result.choice.surprisal[0], std::log(sum) - logits[7], kOfSurprisal);
    const auto best =
        std::max_element(options, options + 3, [&](auto a, auto b) { return logits[a] < logits[b]; });
    EXPECT_EQ(result.choice.predicted[0], best - options);
  }
}

TEST(Choice, OneOptionCostsNothingAndMovesNothing) {
  const ModelConfig config = tiny_model("glm");
  Transformer model = make_model(config);
  fill_weights(model);
  Stream stream = random_sequence(config, 8, 1, Sight::causal);
  stream.label.clear();
  stream.choice = {{.option = {{0, static_cast<std::int32_t>(stream.target.size())}}}};
  const Floats token(stream.target.size(), 0), choice{1};
  StreamResult result;
  model.zero_gradients();
  model.accumulate_gradients(stream, {token, {}, choice}, nullptr, result);
  EXPECT_EQ(result.choice.surprisal[0], 0);
  EXPECT_GT(result.token.surprisal[0], 0);
  EXPECT_EQ(largest(model.gradients()), 0);
}

TEST(Choice, EvaluationScoresAsTrainingDoes) {
  for (const char* kind : kKinds) {
    const ModelConfig config = tiny_model(kind);
    Transformer train = make_model(config), evaluate = make_model(config, Mode::evaluate);
    fill_weights(train);
    fill_weights(evaluate);
    const std::vector<Stream> all = choosing_sequences(config, 3);
    const ChoiceStep step = run_choices(train, {all}, nullptr);
    StreamResult result;
    evaluate.evaluate(pack(all), result);
    EXPECT_TRUE(same_bits(result.token.surprisal, step.token)) << kind;
    EXPECT_TRUE(same_bits(result.choice.surprisal, step.choice)) << kind;
    EXPECT_EQ(result.choice.predicted.size(), 6u);
  }
}

// What the stream before asked for is gone.
TEST(Choice, AStreamWithoutChoicesHasNone) {
  const ModelConfig config = tiny_model("gpt2");
  Transformer model = make_model(config);
  fill_weights(model);
  StreamResult result;
  model.evaluate(choosing_sequence(config, 1), result);
  EXPECT_EQ(result.choice.surprisal.size(), 2u);
  Stream plain = choosing_sequence(config, 1);
  plain.choice.clear();
  model.evaluate(plain, result);
  EXPECT_TRUE(result.choice.surprisal.empty() && result.choice.predicted.empty());
  plain.target.clear();
  model.evaluate(plain, result);
  EXPECT_TRUE(result.token.surprisal.empty() && result.choice.surprisal.empty());
}

TEST(Choice, SameBitsForAnyNumberOfThreads) {
  ModelOptions options = tiny_options("gpt2");
  options.hidden_size = 96;
  options.max_position_embeddings = 300;
  const ModelConfig config = find_family("gpt2", "").from_options(options, 211, 300);
  std::vector<Stream> sequences;
  for (std::uint64_t k = 0; k < 40; ++k) sequences.push_back(choosing_sequence(config, k));
  const auto run = [&] {
    Transformer model(config, Mode::train, {.tokens = 320}, 1 << 16);
    fill_weights(model);
    ChoiceStep step = run_choices(model, {sequences}, &kSeed);
    step.gradients.insert(step.gradients.end(), step.choice.begin(), step.choice.end());
    return step.gradients;
  };
  expect_same_for_any_threads(run, same_bits<Floats>);
}

}  // namespace
}  // namespace surprisal
