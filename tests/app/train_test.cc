#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "tests/app/program.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TrainVerb : public testing::Test {
 protected:
  Workplace workplace_;
};

TEST_F(TrainVerb, TrainsAndItsCheckpointScores) {
  workplace_.write("run.toml", tiny_toml("causal"));
  Outcome outcome = workplace_.run({"train", "run.toml"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, fs::canonical(workplace_ / "run").string() + "\n");
  for (const char* word :
       {"objective   causal", "parameters", "memory", "steps       4 of 64 tokens in 2 micro-batches",
        "held-out loss", "sample (causal)", "step 4/4 loss", "tok/s", "saved"}) {
    EXPECT_THAT(outcome.err, HasSubstr(word));
  }
  EXPECT_THAT(outcome.err, Not(HasSubstr("\r")));  // no terminal, no live line
  EXPECT_EQ(workplace_.run({"score", "--model", "run/latest", "--json", "text.txt"}).code, 0);
  EXPECT_EQ(workplace_.run({"score", "--model", "run/best", "--json", "text.txt"}).code, 0);
}

TEST_F(TrainVerb, TheCommandLineOverridesTheFile) {
  workplace_.write("run.toml", tiny_toml("mlm + nsp"));
  Outcome outcome =
      workplace_.run({"train", "run.toml", "--train.max_steps", "2", "--run.directory=other", "--data.train",
                      R"(["text.txt","text.txt"])", "--objective.train", "mlm", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.json().at("steps"), 2);
  EXPECT_EQ(outcome.json().at("objective"), "mlm");
  EXPECT_THAT(read_file(workplace_ / "other/config.toml"), HasSubstr("max_steps = 2"));
  EXPECT_FALSE(fs::exists(workplace_ / "run"));
}

TEST_F(TrainVerb, TheSavedConfigurationTrainsTheSame) {
  workplace_.write("run.toml", tiny_toml("mlm + nsp"));
  ASSERT_EQ(workplace_.run({"train", "run.toml"}).code, 0);
  ASSERT_EQ(workplace_.run({"train", "run/config.toml", "--run.directory", "again"}).code, 0);
  EXPECT_EQ(read_file(workplace_ / "run/latest/model.safetensors"),
            read_file(workplace_ / "again/latest/model.safetensors"));
}

TEST_F(TrainVerb, Resumes) {
  workplace_.write("run.toml", tiny_toml("causal"));
  Outcome fresh = workplace_.run({"train", "run.toml", "--resume"});
  EXPECT_EQ(fresh.code, 0);
  EXPECT_THAT(fresh.err, HasSubstr("starting afresh"));
  Outcome more = workplace_.run({"train", "run.toml", "--resume", "--train.max_steps", "6"});
  EXPECT_EQ(more.code, 0) << more.err;
  EXPECT_THAT(more.err, AllOf(HasSubstr("going on from"), HasSubstr("step 6/6")));
  EXPECT_EQ(fs::read_symlink(workplace_ / "run/latest"), "step-00000006");
}

TEST_F(TrainVerb, ListsEveryKey) {
  Outcome outcome = workplace_.run({"train", "--keys"});
  EXPECT_EQ(outcome.code, 0);
  for (const char* key :
       {"run.directory", "data.sequence_length", "tokenizer.path", "objective.mlm.probability",
        "model.hidden_size", "train.micro_batch_tokens", "train.lr_scheduler_type"}) {
    EXPECT_THAT(outcome.out, HasSubstr(key));
  }
}

}  // namespace
}  // namespace surprisal
