#include "train/options.h"

#include <fstream>

#include "surprisal/error.h"

#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

// The configuration of the README, one key a line.
constexpr const char* kRun = R"([run]
directory = "runs/bert"
seed = 1
[data]
train = ["a.txt", "b.jsonl.gz"]
validation = ["c.txt"]
sequence_length = 128
[tokenizer]
path = "tokenizers/wordpiece"
[objective]
train = "mlm + nsp"
[model]
family = "bert"
hidden_size = 256
num_hidden_layers = 4
num_attention_heads = 4
intermediate_size = 1024
max_position_embeddings = 128
[train]
max_steps = 1000
tokens_per_step = 4096
micro_batch_tokens = 2048
learning_rate = 1e-3
lr_scheduler_type = "linear"
warmup_steps = 100
weight_decay = 0.01
max_grad_norm = 1.0
eval_steps = 100
save_steps = 100
save_total_limit = 2
threads = 2
)";

constexpr const char* kLeast = R"([run]
directory = "r"
[data]
train = ["a.txt"]
[tokenizer]
path = "t"
[objective]
train = "causal"
[model]
path = "checkpoint"
)";

class RunConfiguration : public testing::Test {
 protected:
  Configuration read(const std::string& toml, const std::vector<Override>& overrides = {}) {
    std::ofstream(directory_ / "run.toml") << toml;
    return Configuration::read(directory_ / "run.toml", overrides);
  }
  static std::string absolute(const char* path) { return std::filesystem::absolute(path); }
  TemporaryDirectory directory_;
};

TEST_F(RunConfiguration, EveryKeyOfTheExampleIsRead) {
  Configuration configuration = read(kRun);
  EXPECT_EQ(configuration.run.directory, absolute("runs/bert"));
  EXPECT_EQ(configuration.data.train, (std::vector{absolute("a.txt"), absolute("b.jsonl.gz")}));
  EXPECT_EQ(configuration.data.validation, std::vector{absolute("c.txt")});
  EXPECT_EQ(configuration.tokenizer.path, absolute("tokenizers/wordpiece"));
  EXPECT_EQ(configuration.objective.train, "mlm + nsp");
  EXPECT_EQ(configuration.model.family, "bert");
  EXPECT_EQ(configuration.model.hidden_size, 256);
  EXPECT_EQ(configuration.model.intermediate_size, 1024);
  EXPECT_EQ(configuration.train.max_steps, 1000);
  EXPECT_EQ(configuration.train.micro_batch_tokens, 2048);
  EXPECT_EQ(configuration.train.learning_rate, 1e-3);
  EXPECT_EQ(configuration.train.warmup_steps, 100);
  EXPECT_EQ(configuration.train.threads, 2);
}

TEST_F(RunConfiguration, OnlyRunDataTokenizerObjectiveAndModelHaveNoDefault) {
  EXPECT_NO_THROW(read(kLeast));
  EXPECT_ERROR(read(""), usage,
               AllOf(HasSubstr("run.directory"), HasSubstr("data.train"), HasSubstr("tokenizer.path"),
                     HasSubstr("objective.train")));
  std::string without_model(kLeast);
  EXPECT_ERROR(read(without_model.substr(0, without_model.find("[model]"))), usage,
               AllOf(HasSubstr("no model is given"), HasSubstr("model.family")));
}

TEST_F(RunConfiguration, TheCommandLineComesLast) {
  Configuration configuration = read(kRun, {{"train.learning_rate", "3e-4"},
                                            {"objective.train", "mlm"},
                                            {"data.train", R"(["x.txt"])"},
                                            {"objective.mlm.probability", "0.3"}});
  EXPECT_EQ(configuration.train.learning_rate, 3e-4);
  EXPECT_EQ(configuration.objective.train, "mlm");
  EXPECT_EQ(configuration.data.train, std::vector{absolute("x.txt")});
  EXPECT_EQ(configuration.objective.mlm.probability, 0.3);
}

TEST_F(RunConfiguration, WhatIsWrittenReadsBack) {
  for (const char* toml : {kRun, kLeast}) {
    Configuration configuration = read(toml, {{"train.learning_rate", "0.1234567890123456789"},
                                              {"objective.mlm.count", "bernoulli"},
                                              {"data.sentence", "line"}});
    std::string written = configuration.to_toml();
    Configuration again = read(written);
    EXPECT_EQ(again.to_toml(), written);
    EXPECT_EQ(again.train.learning_rate, configuration.train.learning_rate);
    EXPECT_EQ(again.objective.mlm.count, "bernoulli");
    EXPECT_EQ(again.data.corpus.sentence, "line");
    EXPECT_EQ(again.model.path, configuration.model.path);
    EXPECT_EQ(again.model.hidden_size, configuration.model.hidden_size);
  }
}

TEST_F(RunConfiguration, AnUnknownKeyIsNamedWithItsPlaceAndTheNearest) {
  EXPECT_ERROR(read(std::string(kRun) + "learning_rat = 1\n"), usage,
               AllOf(HasSubstr("run.toml:32:1"), HasSubstr("train.learning_rat"),
                     HasSubstr("did you mean train.learning_rate?")));
  EXPECT_ERROR(read(kRun, {{"train.max_step", "3"}}), usage,
               AllOf(HasSubstr("train.max_step"), HasSubstr("did you mean --train.max_steps?")));
  EXPECT_ERROR(read(kRun, {{"objective.mlm.probabilty", "0.3"}}), usage,
               HasSubstr("did you mean --objective.mlm.probability?"));
}

TEST_F(RunConfiguration, ImpossibleValuesNameKeyAndRange) {
  EXPECT_ERROR(read(kRun, {{"objective.mlm.probability", "1.5"}}), usage,
               AllOf(HasSubstr("objective.mlm.probability"), HasSubstr("1.5"), HasSubstr("1]")));
  EXPECT_ERROR(read(kRun, {{"objective.mlm.mask", "1.5"}}), usage,
               AllOf(HasSubstr("objective.mlm.mask"), HasSubstr("1.5"), HasSubstr("[0, 1]")));
  EXPECT_ERROR(read(kRun, {{"train.learning_rate", "-1"}}), usage, HasSubstr("train.learning_rate"));
  EXPECT_ERROR(read(kRun, {{"train.learning_rate", "nan"}}), usage, HasSubstr("train.learning_rate"));
  EXPECT_ERROR(read(kRun, {{"train.learning_rate", "\"fast\""}}), usage, HasSubstr("train.learning_rate"));
  EXPECT_ERROR(read(kRun, {{"train.max_steps", "1.5"}}), usage, HasSubstr("train.max_steps"));
  EXPECT_ERROR(read(kRun, {{"train.adam_beta2", "1"}}), usage, HasSubstr("train.adam_beta2"));
  EXPECT_ERROR(read(kRun, {{"model.hidden_dropout_prob", "1"}}), usage,
               HasSubstr("model.hidden_dropout_prob"));
  EXPECT_ERROR(read(kRun, {{"train.lr_scheduler_type", "stepwise"}}), usage,
               AllOf(HasSubstr("stepwise"), HasSubstr("cosine")));
  EXPECT_ERROR(read(kRun, {{"train.lr_scheduler_type", "cosin"}}), usage,
               HasSubstr("did you mean \"cosine\"?"));
}

TEST_F(RunConfiguration, WhatOneKeyAloneCannotTell) {
  EXPECT_ERROR(
      read(kRun, {{"train.tokens_per_step", "5000"}}), usage,
      AllOf(HasSubstr("train.tokens_per_step"), HasSubstr("5000 and 2048"), HasSubstr("a multiple")));
  EXPECT_ERROR(read(kRun, {{"data.sequence_length", "4096"}}), usage,
               AllOf(HasSubstr("data.sequence_length"), HasSubstr("4096 and 2048"),
                     HasSubstr("train.micro_batch_tokens")));
  EXPECT_ERROR(
      read(kRun, {{"train.warmup_ratio", "0.1"}}), usage,
      AllOf(HasSubstr("train.warmup_steps"), HasSubstr("train.warmup_ratio"), HasSubstr("one of them")));
  EXPECT_ERROR(read(kRun, {{"model.path", "checkpoint"}}), usage,
               AllOf(HasSubstr("beside model.path"), HasSubstr("leave the key out")));
}

TEST_F(RunConfiguration, AFileThatIsNoConfiguration) {
  EXPECT_ERROR(Configuration::read(directory_ / "absent.toml", {}), io, HasSubstr("absent.toml"));
  EXPECT_ERROR(Configuration::read(directory_.path(), {}), io, HasSubstr(directory_.path().string()));
  EXPECT_ERROR(read("[run\n"), usage, HasSubstr("run.toml:1"));
  EXPECT_ERROR(read("[run]\nseed = 1\nseed = 2\n"), usage, HasSubstr("run.toml:3"));
}

}  // namespace
}  // namespace surprisal
