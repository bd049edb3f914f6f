// Whole models against `transformers`, and GLM's against NumPy: loss, every surprisal, every gradient and ten
// steps of AdamW, for each directory of tests/golden/models (tools/goldens/models.py and glm_reference.py
// wrote them, in float64).

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json.h"
#include "model/transformer.h"
#include "ops/adamw.h"
#include "store/adapted_model.h"
#include "store/model_directory.h"
#include "store/safetensors.h"
#include "store/tensor_files.h"
#include "stream/check.h"
#include "stream/json_lines.h"
#include "stream/packing.h"
#include "tests/core/temporary_directory.h"
#include "tests/store/golden_step.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

// Adam divides by the gradient's own size: where that is near 0, the sign is rounding's. PyTorch's f32 comes
// to 6e-6; a wrong decay group moves the tenth loss by 2e-3.
constexpr double kOfLossAfterSteps = 5e-5;

fs::path models() {
  return fs::path(SURPRISAL_TEST_DATA) / "golden" / "models";
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(models()))
    if (entry.is_directory()) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  fs::path directory() const { return models() / GetParam(); }

  std::unique_ptr<Transformer> load(Mode mode = Mode::train) const {
    const std::int64_t tokens = packed(lines_).size();
    auto model = std::make_unique<Transformer>(
        config_, mode, Capacity{.tokens = tokens, .targets = tokens, .labels = tokens});
    load_weights(directory(), *model);
    return model;
  }

  // The gradients as `loss --gradients` writes them.
  NamedValues stored_gradients(Transformer& model) const {
    write_safetensors(temporary_.path() / "gradients.safetensors",
                      AdaptedModel(directory()).gradients(model));
    return read_values(temporary_.path() / "gradients.safetensors");
  }

  ModelConfig config_ = read_model_config(directory());
  std::vector<Stream> lines_ = read_streams(directory() / "streams.jsonl", config_);
  Json expected_ = parse_json(read_file(directory() / "expected.json"), "expected.json");
  TemporaryDirectory temporary_;
};

TEST_P(Golden, LossAndSurprisalsInEvaluation) {
  const auto model = load(Mode::evaluate);
  const StepResult step = evaluate(*model, lines_);
  expect_step(step, expected_);
  for (std::size_t line = 0; line < lines_.size(); ++line) {
    EXPECT_EQ(Json(step.streams[line].token.predicted), expected_.at("predicted")[line])
        << "line " << line + 1;
    EXPECT_EQ(Json(step.streams[line].label.predicted), expected_.at("label_predicted")[line])
        << "line " << line + 1;
  }
}

TEST_P(Golden, LossAndSurprisalsInTraining) {
  const auto model = load();
  expect_step(train(*model, lines_), expected_);
}

TEST_P(Golden, Gradients) {
  const auto model = load();
  train(*model, lines_);
  const NamedValues found = stored_gradients(*model);
  EXPECT_EQ(shapes(temporary_.path() / "gradients.safetensors"),
            shapes(directory() / "gradients.safetensors"));
  EXPECT_EQ(shapes(directory() / "gradients.safetensors"), shapes(find_weights(directory()).value()));
  expect_near(found, read_values(directory() / "gradients.safetensors"), 1);
}

TEST_P(Golden, PackedIsAlone) {
  const auto model = load();
  const StepResult alone = train(*model, lines_);
  const NamedValues gradients_alone = stored_gradients(*model);
  const StepResult together = train(*model, {packed(lines_)});

  TermResult token, label;
  for (const StreamResult& line : alone.streams) {
    token.surprisal.insert(token.surprisal.end(), line.token.surprisal.begin(), line.token.surprisal.end());
    token.predicted.insert(token.predicted.end(), line.token.predicted.begin(), line.token.predicted.end());
    label.surprisal.insert(label.surprisal.end(), line.label.surprisal.begin(), line.label.surprisal.end());
    label.predicted.insert(label.predicted.end(), line.label.predicted.begin(), line.label.predicted.end());
  }
  using testing::FloatNear;
  using testing::Pointwise;
  EXPECT_THAT(together.streams[0].token.surprisal,
              Pointwise(FloatNear(static_cast<float>(kOfSurprisal)), token.surprisal));
  EXPECT_THAT(together.streams[0].label.surprisal,
              Pointwise(FloatNear(static_cast<float>(kOfSurprisal)), label.surprisal));
  EXPECT_EQ(together.streams[0].token.predicted, token.predicted);
  EXPECT_EQ(together.streams[0].label.predicted, label.predicted);
  // Only the order of sums over rows differs, so far less rounding than a whole model's parts us.
  expect_near(stored_gradients(*model), gradients_alone, 0.25);
}

TEST_P(Golden, AccumulatesOntoWhatIsThere) {
  const auto model = load();
  train(*model, lines_);
  const std::vector<float> once(model->gradients().begin(), model->gradients().end());
  // A second pass without zero_gradients(): every parameter's gradient doubles, none is overwritten.
  accumulate(*model, lines_);
  for (const Parameter& parameter : model->table().parameters) {
    const auto begin = static_cast<std::size_t>(parameter.offset);
    const std::vector<float> first(once.begin() + parameter.offset,
                                   once.begin() + parameter.offset + parameter.shape.elements());
    for (std::size_t i = 0; i < first.size(); ++i)
      ASSERT_NEAR(model->gradients()[begin + i], 2 * first[i], kOfTensor * largest(first) + kOfModel)
          << parameter.name << "[" << i << "]";
  }
}

// Clips as PyTorch does: the norm is lengthened by 1e-6 so that 0 divides nothing.
double clip_scale(const Transformer& model, double max_norm, std::span<const float> gradients) {
  double squares = 0;
  for (const Parameter& parameter : model.table().parameters)
    squares += squared_norm(gradients.subspan(static_cast<std::size_t>(parameter.offset),
                                              static_cast<std::size_t>(parameter.shape.elements())));
  return std::min(1.0, max_norm / (std::sqrt(squares) + 1e-6));
}

void update(Transformer& model, AdamWStep step, std::vector<float>& m, std::vector<float>& v) {
  const double weight_decay = step.weight_decay;
  for (const Parameter& parameter : model.table().parameters) {
    const auto begin = static_cast<std::size_t>(parameter.offset);
    const auto size = static_cast<std::size_t>(parameter.shape.elements());
    step.weight_decay = parameter.decay ? weight_decay : 0;
    adamw(step, model.weights().subspan(begin, size), model.gradients().subspan(begin, size),
          std::span(m).subspan(begin, size), std::span(v).subspan(begin, size));
  }
}

TEST_P(Golden, TenStepsOfAdamW) {
  const Json& options = expected_.at("adamw");
  AdamWStep step{.learning_rate = options.at("learning_rate").get<double>(),
                 .beta1 = options.at("beta1").get<double>(),
                 .beta2 = options.at("beta2").get<double>(),
                 .epsilon = options.at("epsilon").get<double>(),
                 .weight_decay = options.at("weight_decay").get<double>()};
  const auto losses = options.at("losses").get<std::vector<double>>();
  ASSERT_EQ(losses.size(), 10u);
  const auto model = load();
  std::vector<float> m(model->weights().size()), v(model->weights().size());
  const std::vector<Stream> batch = {packed(lines_)};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    EXPECT_NEAR(train(*model, batch).loss(), losses[i], kOfLossAfterSteps * losses[i])
        << "before step " << i + 1;
    step.step = static_cast<std::int64_t>(i) + 1;
    step.gradient_scale = clip_scale(*model, options.at("max_grad_norm").get<double>(), model->gradients());
    update(*model, step, m, v);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Golden, testing::ValuesIn(golden_names()), [](const auto& instance) {
  std::string name = instance.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(GoldenFiles, AllAreThere) {
  EXPECT_THAT(golden_names(), testing::IsSupersetOf({"bert-gelu",
                                                     "bert-gelu_accurate-f16",
                                                     "bert-gelu_fast-f16",
                                                     "bert-gelu_new",
                                                     "bert-gelu_python-f16",
                                                     "bert-gelu_python_tanh-f16",
                                                     "bert-relu-bf16-shards",
                                                     "bert-relu2-f16",
                                                     "bert-sigmoid-f16",
                                                     "bert-swish-f16",
                                                     "bert-tanh-f16",
                                                     "glm",
                                                     "glm-130b-f16",
                                                     "glm-1d",
                                                     "gpt2-gelu",
                                                     "gpt2-gelu_new",
                                                     "gpt2-silu-untied",
                                                     "llama",
                                                     "llama-dynamic-shards",
                                                     "llama-linear-bf16",
                                                     "llama-llama3-biases",
                                                     "qwen2",
                                                     "qwen2-yarn-f16",
                                                     "qwen2-yarn-mscale",
                                                     "roberta-quick_gelu-f16"}));
}

}  // namespace
}  // namespace surprisal
