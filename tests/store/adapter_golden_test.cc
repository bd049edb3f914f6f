// Adapters that PEFT wrote, loaded, evaluated, differentiated and written back: tests/golden/adapters
// (tools/goldens/adapters.py).
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json.h"
#include "store/adapted_model.h"
#include "store/adapter_config.h"
#include "store/model_directory.h"
#include "tests/core/temporary_directory.h"
#include "tests/store/golden_step.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

fs::path golden() {
  return fs::path(SURPRISAL_TEST_DATA) / "golden";
}

class AdapterGolden : public testing::TestWithParam<std::string> {
 protected:
  fs::path directory() const { return golden() / "adapters" / GetParam(); }

  std::unique_ptr<Transformer> load(Mode mode = Mode::train) const {
    const std::int64_t tokens = packed(lines_).size();
    auto model = std::make_unique<Transformer>(
        source_.config(), mode, Capacity{.tokens = tokens, .targets = tokens, .labels = tokens});
    source_.load(*model);
    return model;
  }

  Json expected_ = parse_json(read_file(directory() / "expected.json"), "expected.json");
  AdaptedModel source_{golden() / "models" / expected_.at("base").get<std::string>(), directory()};
  std::vector<Stream> lines_ = read_streams(directory() / "streams.jsonl", source_.config());
  TemporaryDirectory temporary_;
};

TEST_P(AdapterGolden, LossAndSurprisals) {
  const auto model = load(Mode::evaluate);
  expect_step(evaluate(*model, lines_), expected_);
}

TEST_P(AdapterGolden, Gradients) {
  const auto model = load();
  expect_step(train(*model, lines_), expected_);
  const fs::path found = temporary_.path() / "gradients.safetensors",
                 expected = directory() / "gradients.safetensors";
  write_safetensors(found, source_.gradients(*model));
  EXPECT_EQ(shapes(found), shapes(expected));
  expect_near(read_values(found), read_values(expected), 1);
}

TEST_P(AdapterGolden, CountsWhatPeftTrains) {
  EXPECT_EQ(load()->trained().table.count, expected_.at("trainable").get<std::int64_t>());
}

// Names, shapes and values; and of the configuration what both write.
TEST_P(AdapterGolden, IsWrittenBackAsPeftWroteIt) {
  const auto model = load();
  save_adapter(temporary_.path(),
               {.options = source_.adapter(),
                .config = model->config(),
                .table = model->table(),
                .values = model->weights(),
                .base_name = expected_.at("base")},
               nullptr);
  EXPECT_EQ(read_file(temporary_.path() / "adapter_model.safetensors"),
            read_file(directory() / "adapter_model.safetensors"));
  const Json ours = parse_json(read_file(temporary_.path() / "adapter_config.json"), "ours"),
             theirs = parse_json(read_file(directory() / "adapter_config.json"), "theirs");
  for (const auto& [key, value] : ours.items()) {
    SCOPED_TRACE(key);
    Json want = theirs.at(key), found = value;
    for (Json* list : {&want, &found}) {
      if (list->is_array()) std::sort(list->begin(), list->end());  // PEFT's are sets
    }
    EXPECT_EQ(found, want);
  }
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(golden() / "adapters"))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Adapters, AdapterGolden, testing::ValuesIn(names()), [](const auto& instance) {
  std::string name = instance.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(AdapterGoldenFiles, AllAreThere) {
  EXPECT_THAT(names(), testing::IsSupersetOf({"bert-classifier-lora",
                                              "bert-classifier-prefix",
                                              "bert-token-prefix",
                                              "gpt2-regression-lora",
                                              "gpt2-regression-prefix",
                                              "llama-classifier-lora",
                                              "qwen2-token-lora",
                                              "roberta-classifier-lora",
                                              "roberta-classifier-prefix",
                                              "bert-lora",
                                              "bert-lora-saved",
                                              "bert-prefix",
                                              "gpt2-dora",
                                              "gpt2-lora",
                                              "gpt2-lora-patterns",
                                              "gpt2-prefix",
                                              "llama-dora",
                                              "llama-lora",
                                              "llama-prefix",
                                              "qwen2-lora",
                                              "qwen2-prefix"}));
}

}  // namespace
}  // namespace surprisal
