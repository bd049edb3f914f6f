#include "train/checkpoint.h"

#include <algorithm>
#include <fstream>

#include "core/file.h"
#include "core/json.h"
#include "core/random.h"
#include "store/model_directory.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

void fill(std::span<float> values, std::uint64_t seed) {
  Random random({.seed = seed});
  for (float& value : values) value = static_cast<float>(random.normal());
}

// Compares parameters, not the padding between them.
void expect_equal(const ParameterTable& table, std::span<const float> a, std::span<const float> b) {
  for (const Parameter& parameter : table.parameters) {
    auto begin = static_cast<std::size_t>(parameter.offset);
    auto count = static_cast<std::size_t>(parameter.shape.elements());
    EXPECT_TRUE(std::equal(a.begin() + begin, a.begin() + begin + count, b.begin() + begin))
        << parameter.name;
  }
}

class Checkpoint : public testing::Test {
 protected:
  Checkpoint() {
    fill(optimizer_.first_moment(), 1);
    fill(optimizer_.second_moment(), 2);
    write(directory_.path(), *model_, optimizer_, state_);
  }
  static void write(const fs::path& directory, const Transformer& model, Optimizer& optimizer,
                    const RunState& state, Dtype dtype = Dtype::f32) {
    write_checkpoint(directory, model.config(), model.table(),
                     {model.weights(), optimizer.first_moment(), optimizer.second_moment()}, tiny_wordpiece(),
                     dtype, {}, state);
  }
  void rewrite_state(const std::function<void(Json&)>& change) {
    fs::path file = directory_ / "state/state.json";
    Json state = parse_json(read_file(file), "state.json");
    change(state);
    std::ofstream(file) << state.dump();
  }

  TemporaryDirectory directory_;
  ModelConfig config_ = tiny_config("bert", tiny_wordpiece().vocabulary_size(), 8);
  std::unique_ptr<Transformer> model_ = tiny_model(config_, Mode::train, 8, 1);
  std::unique_ptr<Transformer> other_ = tiny_model(config_, Mode::train, 8, 2);
  Optimizer optimizer_{*model_};
  Optimizer other_optimizer_{*other_};
  RunState state_{.step = 12,
                  .tokens = 3456,
                  .skipped = 3,
                  .skipped_in_a_row = 2,
                  .sampler = {{.at = {.epoch = 2, .window = 3, .pack = 4}}},
                  .evaluated_step = 8,
                  .evaluations_without_improvement = 1,
                  .first_evaluation = 5.4321,
                  .best = {{8, 0.1 + 0.2}, {4, -1e300}},
                  .identity = {{"objective.train", "mlm + nsp"}, {"run.seed", "1"}}};
};

TEST_F(Checkpoint, ReadsBackBitForBit) {
  RunState state = read_checkpoint(directory_.path(), {}, *other_, other_optimizer_);
  expect_equal(model_->table(), model_->weights(), other_->weights());
  expect_equal(model_->table(), optimizer_.first_moment(), other_optimizer_.first_moment());
  expect_equal(model_->table(), optimizer_.second_moment(), other_optimizer_.second_moment());
  EXPECT_EQ(state.step, 12);
  EXPECT_EQ(state.tokens, 3456u);
  EXPECT_EQ(state.sampler, state_.sampler);
  EXPECT_EQ(state.first_evaluation, 5.4321);
  EXPECT_EQ(state.skipped, 3);
  EXPECT_EQ(state.skipped_in_a_row, 2);
  EXPECT_EQ(state.evaluated_step, 8);
  EXPECT_EQ(state.evaluations_without_improvement, 1);
  EXPECT_EQ(state.best, state_.best);
  EXPECT_EQ(state.identity, state_.identity);
}

// Other programs read rounded weights, and going on is exact all the same.
TEST_F(Checkpoint, InBfloat16ReadsBackBitForBit) {
  TemporaryDirectory directory;
  write(directory.path(), *model_, optimizer_, state_, Dtype::bf16);
  EXPECT_LT(fs::file_size(directory / "model.safetensors"),
            0.6 * static_cast<double>(fs::file_size(directory_ / "model.safetensors")));
  read_checkpoint(directory.path(), {}, *other_, other_optimizer_);
  expect_equal(model_->table(), model_->weights(), other_->weights());
  load_weights(directory.path(), *other_);
  EXPECT_NE(other_->weights()[0], model_->weights()[0]);
  EXPECT_NEAR(other_->weights()[0], model_->weights()[0], std::abs(model_->weights()[0]) / 256);
}

TEST_F(Checkpoint, IsAHuggingFaceDirectory) {
  for (const char* file : {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}) {
    EXPECT_TRUE(fs::is_regular_file(directory_ / file)) << file;
  }
  EXPECT_EQ(read_model_config(directory_.path()).hidden_size, config_.hidden_size);
  EXPECT_EQ(Tokenizer::load(directory_.path()).fingerprint(), tiny_wordpiece().fingerprint());
}

// A state of one source is written as ever, and one that an earlier version wrote is read.
TEST(RunStateJson, HoldsThePlaceOfOneSourceOrOfSeveral) {
  RunState state{.sampler = {{.at = {.epoch = 2, .window = 3, .pack = 4}}}};
  const std::string one = run_state_to_json(state);
  EXPECT_EQ(parse_json(one, "").at("sampler"), (Json{{"epoch", 2}, {"window", 3}, {"pack", 4}}));
  EXPECT_EQ(run_state_from_json(one, ""), state);
  EXPECT_EQ(run_state_from_json(run_state_to_json({}), "").sampler, MixedPosition(1));  // the beginning
  state.sampler = {{{1, 2, 3}, 40}, {{0, 1, 5}, 2}};
  const std::string two = run_state_to_json(state);
  EXPECT_EQ(run_state_from_json(two, ""), state);
  Json json = parse_json(two, "");
  json["sampler"]["sources"].erase(0);
  EXPECT_ERROR(run_state_from_json(json.dump(), "state.json"), data,
               "state.json: key sources has a wrong value: found 1 of them, expected two or more");
  json["sampler"]["sources"] = 3;
  EXPECT_ERROR(run_state_from_json(json.dump(), "state.json"), data,
               "state.json: key sources has a wrong value: found number, expected an array");
}

TEST_F(Checkpoint, WithoutEvaluations) {
  TemporaryDirectory directory;
  write(directory.path(), *model_, optimizer_, {.step = 1});
  RunState state = read_checkpoint(directory.path(), {}, *other_, other_optimizer_);
  EXPECT_FALSE(state.first_evaluation);
  EXPECT_TRUE(state.best.empty());
}

TEST_F(Checkpoint, RefusesWhatIsNotWhole) {
  auto read = [&] { read_checkpoint(directory_.path(), {}, *other_, other_optimizer_); };
  rewrite_state([](Json& state) { state.erase("sampler"); });
  EXPECT_ERROR(read(), data, AllOf(HasSubstr("state.json"), HasSubstr("sampler")));
  rewrite_state([](Json& state) { state = Json{{"format", 3}}; });
  EXPECT_ERROR(read(), data, AllOf(HasSubstr("state.json"), HasSubstr("format")));
  std::ofstream(directory_ / "state/state.json") << "{\"format\":1,";
  EXPECT_ERROR(read(), data, HasSubstr("state.json"));
  fs::remove(directory_ / "state/state.json");
  EXPECT_ERROR(read(), io, HasSubstr("state.json"));
}

TEST(RunStateText, OfAnotherTypeIsRefused) {
  const std::string text = run_state_to_json({});
  for (const auto& [key, value] : {std::pair("best", "an array"), std::pair("identity", "an object")}) {
    Json state = parse_json(text, "");
    state[key] = 4;
    EXPECT_ERROR(run_state_from_json(state.dump(), "state.json"), data,
                 testing::StrEq(std::string("state.json: key ") + key +
                                " has a wrong value: found number, expected " + value));
  }
}

TEST_F(Checkpoint, RefusesAnOptimizerThatDoesNotFit) {
  fs::path file = directory_ / "state/optimizer.safetensors";
  TemporaryDirectory smaller;
  std::unique_ptr<Transformer> small =
      tiny_model(tiny_config("bert", tiny_wordpiece().vocabulary_size() - 1, 8), Mode::train, 8);
  Optimizer small_optimizer(*small);
  write(smaller.path(), *small, small_optimizer, state_);
  fs::copy_file(smaller / "state/optimizer.safetensors", file, fs::copy_options::overwrite_existing);
  EXPECT_ERROR(read_checkpoint(directory_.path(), {}, *other_, other_optimizer_), data,
               AllOf(HasSubstr("optimizer.safetensors"), HasSubstr("exp_avg.embedding.token.weight")));
  fs::resize_file(file, fs::file_size(file) / 2);
  EXPECT_ERROR(read_checkpoint(directory_.path(), {}, *other_, other_optimizer_), data,
               HasSubstr("optimizer.safetensors"));
}

}  // namespace
}  // namespace surprisal
