// A golden's streams through a model, and how near the result must come to what another framework computed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "surprisal/stream.h"

#include "core/file.h"
#include "core/json.h"
#include "model/transformer.h"
#include "store/safetensors.h"
#include "store/tensor_files.h"
#include "stream/check.h"
#include "stream/json_lines.h"
#include "stream/packing.h"

namespace surprisal {

// Rounding of f32 (2^-24 = 6e-8) through a chain of some twenty products and reductions of at most 211 terms:
// each adds about sqrt(211) * 6e-8 = 9e-7 of its operands' scale, in quadrature 4e-6; five times that,
// because the bound is for the worst of thousands of elements. PyTorch's own f32 comes to 5.6e-6.
inline constexpr double kOfTensor = 2e-5;
// A sum whose terms cancel (the key biases of BERT: exactly 0) keeps the rounding of its terms, whose scale
// is that of the model's gradients and not its own.
inline constexpr double kOfModel = 1e-6;
// log p is a difference of logits of order 1, each a sum of 36 products.
inline constexpr double kOfSurprisal = 5e-6;

inline StreamLimits limits(const ModelConfig& config) {
  return {.vocabulary = config.vocab_size,
          .positions = config.max_position_embeddings,
          .block_positions = config.block_positions,
          .segments = std::max<std::int64_t>(config.type_vocab_size, 1),
          .classes = config.classes,
          .targets = config.vocabulary_head()};
}

inline std::vector<Stream> read_streams(const std::filesystem::path& file, const ModelConfig& config) {
  std::vector<Stream> streams;
  const std::string text = read_file(file);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string where = file.string() + ":" + std::to_string(streams.size() + 1);
    streams.push_back(stream_from_json(std::string_view(text).substr(begin, end - begin), where));
    check_stream(streams.back(), limits(config), where);
    begin = end + 1;
  }
  return streams;
}

inline Stream packed(const std::vector<Stream>& lines) {
  Stream all;
  for (const Stream& line : lines) append(all, line);
  return all;
}

struct Term {
  double sum = 0, weight = 0;
  double mean() const { return weight > 0 ? sum / weight : 0; }
};

// What one optimizer step over the streams sees. Sums are in double, so that only the surprisals carry f32's
// rounding.
struct StepResult {
  Term token, label;
  std::vector<StreamResult> streams;
  double loss() const { return token.mean() + label.mean(); }
};

template <typename Answer>
void add(const std::vector<Answer>& answers, const std::vector<float>& surprisal, Term& term) {
  ASSERT_EQ(surprisal.size(), answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i)
    term.sum += double{answers[i].weight} * double{surprisal[i]};
}

template <typename Answer>
double weight_of(const std::vector<Answer>& answers) {
  return std::accumulate(answers.begin(), answers.end(), 0.0,
                         [](double sum, const Answer& answer) { return sum + double{answer.weight}; });
}

template <typename Answer>
std::vector<float> scale_of(const std::vector<Answer>& answers, double weight) {
  std::vector<float> scale;
  for (const Answer& answer : answers) scale.push_back(static_cast<float>(double{answer.weight} / weight));
  return scale;
}

inline StepResult weights_of(const std::vector<Stream>& streams) {
  StepResult step;
  for (const Stream& stream : streams) {
    step.token.weight += weight_of(stream.target);
    step.label.weight += weight_of(stream.label);
  }
  return step;
}

inline StepResult evaluate(Transformer& model, const std::vector<Stream>& streams) {
  StepResult step = weights_of(streams);
  for (const Stream& stream : streams) {
    model.evaluate(stream, step.streams.emplace_back());
    add(stream.target, step.streams.back().token.surprisal, step.token);
    add(stream.label, step.streams.back().label.surprisal, step.label);
  }
  return step;
}

inline StepResult accumulate(Transformer& model, const std::vector<Stream>& streams) {
  StepResult step = weights_of(streams);
  for (const Stream& stream : streams) {
    const std::vector<float> token = scale_of(stream.target, step.token.weight);
    const std::vector<float> label = scale_of(stream.label, step.label.weight);
    model.accumulate_gradients(stream, {.token = token, .label = label}, nullptr,
                               step.streams.emplace_back());
    add(stream.target, step.streams.back().token.surprisal, step.token);
    add(stream.label, step.streams.back().label.surprisal, step.label);
  }
  return step;
}

inline StepResult train(Transformer& model, const std::vector<Stream>& streams) {
  model.zero_gradients();
  return accumulate(model, streams);
}

using NamedValues = std::map<std::string, std::vector<float>>;

inline NamedValues read_values(const std::filesystem::path& file) {
  NamedValues values;
  const SafetensorsFile stored(file);
  for (const StoredTensor& tensor : stored.tensors()) {
    std::vector<float>& to = values[tensor.name];
    to.resize(static_cast<std::size_t>(tensor.elements()));
    std::memcpy(to.data(), tensor.bytes.data(), tensor.bytes.size());
  }
  return values;
}

inline std::map<std::string, std::vector<std::int64_t>> shapes(const std::filesystem::path& file) {
  std::map<std::string, std::vector<std::int64_t>> result;
  const TensorFiles stored(file);
  for (const StoredTensor* tensor : stored.tensors()) result[tensor->name] = tensor->shape;
  return result;
}

inline double largest(const std::vector<float>& values) {
  double result = 0;
  for (float value : values) result = std::max(result, std::abs(double{value}));
  return result;
}

inline double largest(const NamedValues& values) {
  double result = 0;
  for (const auto& [name, tensor] : values) result = std::max(result, largest(tensor));
  return result;
}

// The factor by which the whole tensor differs in the least-squares sense: 1 where it is right, 2 where it
// was added twice, -1 where a sign is wrong.
inline double factor(const std::vector<float>& found, const std::vector<float>& expected) {
  double product = 0, square = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    product += double{found[i]} * double{expected[i]};
    square += double{expected[i]} * double{expected[i]};
  }
  return square > 0 ? product / square : 0;
}

inline void expect_near(const NamedValues& found, const NamedValues& expected, double share) {
  const double model_scale = largest(expected);
  for (const auto& [name, right] : expected) {
    SCOPED_TRACE(name);
    const auto tensor = found.find(name);
    ASSERT_NE(tensor, found.end());
    ASSERT_EQ(tensor->second.size(), right.size());
    const double tolerance = share * (kOfTensor * largest(right) + kOfModel * model_scale);
    std::size_t wrong = 0, first = 0;
    for (std::size_t i = right.size(); i-- > 0;)
      if (!(std::abs(double{tensor->second[i]} - double{right[i]}) <= tolerance)) ++wrong, first = i;
    EXPECT_EQ(wrong, 0u) << "of " << right.size() << " elements; first at " << first << ": found "
                         << tensor->second[first] << ", expected " << right[first] << " within " << tolerance
                         << "; the tensor's factor is " << factor(tensor->second, right);
  }
}

inline void expect_term(const Term& found, const Json& expected) {
  EXPECT_EQ(found.weight, expected.at("weight").get<double>());
  const double right = expected.at("sum").get<double>();
  EXPECT_NEAR(found.sum, right, kOfSurprisal * right);
}

inline void expect_surprisals(const std::vector<float>& found, const Json& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double right = expected[i].get<double>();
    EXPECT_NEAR(found[i], right, kOfSurprisal * std::max(right, 1.0)) << "target " << i;
  }
}

inline void expect_step(const StepResult& found, const Json& expected) {
  EXPECT_NEAR(found.loss(), expected.at("loss").get<double>(),
              kOfSurprisal * expected.at("loss").get<double>());
  expect_term(found.token, expected.at("terms").at("token"));
  expect_term(found.label, expected.at("terms").at("label"));
  ASSERT_EQ(found.streams.size(), expected.at("surprisal").size());
  for (std::size_t line = 0; line < found.streams.size(); ++line) {
    SCOPED_TRACE("line " + std::to_string(line + 1));
    expect_surprisals(found.streams[line].token.surprisal, expected.at("surprisal")[line]);
    expect_surprisals(found.streams[line].label.surprisal, expected.at("label_surprisal")[line]);
  }
}

}  // namespace surprisal
