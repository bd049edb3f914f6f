// A step of the reference: surprisals in double, gradients by the complex step.
#pragma once

#include <algorithm>
#include <complex>
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/transformer.h"
#include "tests/model/agreement.h"
#include "tests/model/reference_transformer.h"
#include "tests/model/transformer_problem.h"

namespace surprisal {

inline void expect_same_surprisals(const std::vector<float>& got, const std::vector<float>& want,
                                   float tolerance = kOfSurprisal) {
  EXPECT_THAT(got, testing::Pointwise(testing::FloatNear(tolerance), want));
}

// d(loss)/d(every trained parameter) of the reference, laid out as the model's gradients, and its surprisals.
class ReferenceStep {
 public:
  ReferenceStep(Transformer& model, const Stream& stream, const Scales& scales, const std::uint64_t* seed)
      : model_(model), stream_(stream), scales_(scales), seed_(seed) {}

  std::vector<float> token_surprisals() const {
    return narrow(reference<double>(doubles()).token_surprisals());
  }
  std::vector<float> label_surprisals() const {
    return narrow(reference<double>(doubles()).label_surprisals());
  }

  std::vector<float> gradients() const {
    constexpr double kStep = 1e-20;
    std::vector<std::complex<double>> weights = complexes();
    const TrainedParameters& trained = model_.trained();
    std::vector<float> gradients(static_cast<std::size_t>(trained.table.size), 0);
    for (std::size_t index = 0; index < trained.index.size(); ++index) {
      const Parameter& parameter = trained.table.parameters[index];
      const std::int64_t whole =
          model_.table().parameters[static_cast<std::size_t>(trained.index[index])].offset;
      for (std::int64_t i = 0; i < parameter.shape.elements(); ++i) {
        const auto at = static_cast<std::size_t>(whole + i);
        weights[at] += std::complex<double>(0, kStep);
        gradients[static_cast<std::size_t>(parameter.offset + i)] =
            static_cast<float>(loss(weights).imag() / kStep);
        weights[at] = weights[at].real();
      }
    }
    clear_frozen_rows(gradients);
    return gradients;
  }

 private:
  // A parameter of which some rows alone are trained has a gradient there alone.
  void clear_frozen_rows(std::vector<float>& gradients) const {
    const ParameterTable& table = model_.trained().table;
    for (const TrainedRows& rows : model_.config().adaptation.trained) {
      const Parameter& parameter = table.parameters[static_cast<std::size_t>(table.find(rows.parameter))];
      const std::int64_t width = parameter.shape.elements() / parameter.shape[0];
      const auto begin = gradients.begin() + parameter.offset;
      std::fill(begin, begin + rows.row_begin * width, 0.0f);
      std::fill(begin + rows.row_end * width, begin + parameter.shape.elements(), 0.0f);
    }
  }

  template <class Number>
  reference::Transformer<Number> reference(const std::vector<Number>& weights) const {
    return {model_.config(), model_.table(), weights, stream_, seed_};
  }
  std::vector<double> doubles() const { return {model_.weights().begin(), model_.weights().end()}; }
  std::vector<std::complex<double>> complexes() const {
    const std::vector<double> real = doubles();
    return {real.begin(), real.end()};
  }
  static std::vector<float> narrow(const std::vector<double>& values) {
    return {values.begin(), values.end()};
  }

  std::complex<double> loss(const std::vector<std::complex<double>>& weights) const {
    const auto model = reference<std::complex<double>>(weights);
    std::complex<double> sum = 0;
    const std::vector<std::complex<double>> token = model.token_surprisals(),
                                            label = model.label_surprisals();
    for (std::size_t t = 0; t < token.size(); ++t) sum += token[t] * static_cast<double>(scales_.token[t]);
    for (std::size_t s = 0; s < label.size(); ++s) sum += label[s] * static_cast<double>(scales_.label[s]);
    return sum;
  }

  Transformer& model_;
  const Stream& stream_;
  const Scales& scales_;
  const std::uint64_t* seed_;
};

// Surprisals and gradients of a tiny model on a stream are the reference's.
inline void expect_reference_step(const ModelConfig& config, Sight sight, const std::uint64_t* seed,
                                  float tolerance = kOfSurprisal) {
  Transformer model = make_model(config);
  fill_weights(model);
  const Stream stream = pack(random_sequences(config, sight));
  double token_total = 0, label_total = 0;
  for (const Target& target : stream.target) token_total += target.weight;
  for (const Label& label : stream.label) label_total += label.weight;
  const StepResult got = run_step(model, {stream}, seed);
  const Scales scales = scales_of(stream, token_total, label_total);
  const ReferenceStep want(model, stream, scales, seed);
  expect_same_surprisals(got.token, want.token_surprisals(), tolerance);
  expect_same_surprisals(got.label, want.label_surprisals(), tolerance);
  EXPECT_EQ(got.label.empty(), config.classes == 0);
  expect_same_gradients(model.trained().table, got.gradients, want.gradients());
}

}  // namespace surprisal
