// Every way in which a run cannot be, with its message.
#include <filesystem>
#include <limits>

#include "core/file.h"
#include "store/model_directory.h"
#include "tests/core/error_matchers.h"
#include "tests/infer/tiny_language.h"
#include "tests/train/tiny_run.h"
#include "train/trainer.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class TrainerError : public testing::Test {
 protected:
  // An error before the first step leaves no run behind.
  template <class Matcher>
  void refuse(const Configuration& configuration, ErrorKind kind, Matcher message) {
    try {
      train_quietly(configuration);
      ADD_FAILURE() << "no Error was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      EXPECT_THAT(error.what(), message);
    }
    EXPECT_FALSE(fs::exists(fs::path(configuration.run.directory) / "config.toml"));
  }

  TinyRuns runs_;
};

TEST_F(TrainerError, ObjectivesThatCannotBe) {
  refuse(runs_.configuration("mlm + causal", "r"), ErrorKind::usage, HasSubstr("cannot be"));
  refuse(runs_.configuration("mln", "r"), ErrorKind::usage,
         AllOf(HasSubstr("unknown objective mln"), HasSubstr("did you mean mlm?")));
  refuse(runs_.configuration("0 causal | 0 reverse", "r"), ErrorKind::usage, HasSubstr("shares sum to 0"));
}

TEST_F(TrainerError, ATokenizerWithoutWhatTheObjectiveNeeds) {
  Configuration masked = runs_.configuration("mlm", "r");
  masked.tokenizer.path = runs_ / "bpe";
  refuse(masked, ErrorKind::usage, AllOf(HasSubstr("mlm"), HasSubstr("mask token")));
  Configuration decoder = runs_.configuration("causal", "r");
  decoder.tokenizer.path = runs_ / "wordpiece";
  refuse(decoder, ErrorKind::usage, AllOf(HasSubstr("causal"), HasSubstr("text")));
  refuse(runs_.configuration("0.25 causal | 0.75 mlm", "r"), ErrorKind::usage, HasSubstr("mlm"));
}

TEST_F(TrainerError, NextSentenceWithoutASentenceHead) {
  Configuration configuration = runs_.configuration("mlm + nsp", "r");
  configuration.model.family = "gpt2";
  refuse(configuration, ErrorKind::usage,
         AllOf(HasSubstr("sentence head"), HasSubstr("gpt2"), HasSubstr("bert")));
}

TEST_F(TrainerError, NextSentenceWithoutSegments) {
  Configuration configuration = runs_.configuration("nsp", "r");
  configuration.model.type_vocab_size = 1;
  refuse(configuration, ErrorKind::usage,
         AllOf(HasSubstr("two segments"), HasSubstr("model.type_vocab_size")));
}

TEST_F(TrainerError, ModelsThatCannotBe) {
  Configuration configuration = runs_.configuration("mlm", "r");
  configuration.model.num_attention_heads = 5;
  refuse(configuration, ErrorKind::usage, AllOf(HasSubstr("[model]"), HasSubstr("num_attention_heads")));
  configuration = runs_.configuration("mlm", "r");
  configuration.model.family = "brt";
  refuse(configuration, ErrorKind::usage,
         AllOf(HasSubstr("model.family"), HasSubstr("brt"), HasSubstr("bert")));
  configuration = runs_.configuration("mlm", "r");
  configuration.model.hidden_size = 0;
  refuse(configuration, ErrorKind::usage, HasSubstr("hidden_size"));
  configuration = runs_.configuration("mlm", "r");
  configuration.model.max_position_embeddings = 8;
  refuse(configuration, ErrorKind::usage, AllOf(HasSubstr("data.sequence_length"), HasSubstr("at most 8")));
}

TEST_F(TrainerError, AModelLargerThanTheMemory) {
  Configuration configuration = runs_.configuration("mlm", "r");
  configuration.model.hidden_size = 120000;
  configuration.model.num_hidden_layers = 90;
  refuse(configuration, ErrorKind::memory,
         AllOf(HasSubstr("more memory than there is"), HasSubstr("weights "), HasSubstr("optimizer "),
               HasSubstr("no train.micro_batch_tokens fits: a smaller model")));
}

TEST_F(TrainerError, ADirectoryThatAnotherProcessTrainsIn) {
  Configuration configuration = runs_.configuration("causal", "r");
  fs::create_directories(configuration.run.directory);
  FileLock other(fs::path(configuration.run.directory) / "run.lock");
  refuse(configuration, ErrorKind::usage, HasSubstr("another process is at work here"));
}

TEST_F(TrainerError, FilesThatCannotBeRead) {
  Configuration configuration = runs_.configuration("causal", "r");
  configuration.data.train = {runs_ / "absent.txt"};
  refuse(configuration, ErrorKind::io, HasSubstr("absent.txt"));
  fs::create_directories(runs_ / "directory.txt");
  configuration.data.train = {runs_ / "directory.txt"};
  refuse(configuration, ErrorKind::data, AllOf(HasSubstr("directory.txt"), HasSubstr("directory")));
  runs_.write("empty.txt", "");
  configuration.data.train = {runs_ / "empty.txt"};
  refuse(configuration, ErrorKind::data, AllOf(HasSubstr("empty.txt"), HasSubstr("empty")));
  runs_.write("bytes.txt", "good\nbad \xff here\n");
  configuration.data.train = {runs_ / "bytes.txt"};
  refuse(configuration, ErrorKind::data, AllOf(HasSubstr("bytes.txt"), HasSubstr("UTF-8"), HasSubstr("9")));
  configuration = runs_.configuration("causal", "r");
  configuration.tokenizer.path = runs_ / "nowhere";
  refuse(configuration, ErrorKind::io, HasSubstr("nowhere"));
}

TEST_F(TrainerError, ACorpusWithoutATarget) {
  runs_.write("special.txt", "[SEP] [CLS]\n");
  Configuration configuration = runs_.configuration("mlm", "r");
  configuration.data.train = {runs_ / "special.txt"};
  refuse(configuration, ErrorKind::data, AllOf(HasSubstr("no target"), HasSubstr("mlm")));
  runs_.write("blank.txt", " \n\n \n");
  configuration.data.train = {runs_ / "blank.txt"};
  refuse(configuration, ErrorKind::data, HasSubstr("blank.txt"));
}

TEST_F(TrainerError, OneDocumentForNextSentence) {
  runs_.write("one.txt", "the cat sees the river.\na dog sees the cat.\n");
  for (const char* objective : {"nsp", "mlm + nsp"}) {
    Configuration configuration = runs_.configuration(objective, "r");
    configuration.data.train = {runs_ / "one.txt"};
    refuse(configuration, ErrorKind::data,
           AllOf(HasSubstr("nsp"), HasSubstr("at least 2"), HasSubstr("data.document")));
  }
}

TEST_F(TrainerError, ATokenizerLargerThanTheModel) {
  fs::path checkpoint = runs_ / "small";
  fs::create_directories(checkpoint);
  ModelConfig config = tiny_config("bert", tiny_wordpiece().vocabulary_size() - 1, 16);
  save_model(checkpoint, *tiny_model(config, Mode::evaluate, 16), nullptr);
  Configuration configuration = runs_.configuration("mlm", "r");
  configuration.model = {};
  configuration.model.path = checkpoint;
  refuse(configuration, ErrorKind::usage,
         AllOf(HasSubstr("more tokens than the model has embeddings"), HasSubstr("wordpiece")));
}

TEST_F(TrainerError, ACheckpointThatIsNotThere) {
  Configuration configuration = runs_.configuration("mlm", "r");
  configuration.model = {};
  configuration.model.path = runs_ / "nowhere";
  refuse(configuration, ErrorKind::io, HasSubstr("nowhere"));
}

// Starts from a checkpoint one of whose weights is poisoned.
class Diverged : public TrainerError {
 protected:
  void poison(const char* family, const Tokenizer& tokenizer, float value) {
    fs::create_directories(runs_ / "poisoned");
    auto model = tiny_model(tiny_config(family, tokenizer.vocabulary_size(), 16), Mode::evaluate, 16);
    Tensor weight = model->weight(model->table().find("embedding.position.weight"));
    for (std::int64_t i = 0; i < weight.shape.elements(); ++i) weight.f32()[i] = value;
    save_model(runs_ / "poisoned", *model, nullptr);
  }
  Configuration from_poison(const char* objective, const char* run) {
    Configuration configuration = runs_.configuration(objective, run);
    configuration.model = {};
    configuration.model.path = runs_ / "poisoned";
    return configuration;
  }
};

TEST_F(Diverged, NamesTheStepAndItsDocuments) {
  for (float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    poison("gpt2", tiny_bpe(), value);
    Configuration configuration = from_poison("causal", value != value ? "nan" : "infinite");
    configuration.data.validation.clear();
    EXPECT_ERROR(train_quietly(configuration), diverged,
                 AllOf(HasSubstr("step 1"), HasSubstr("first in the weights: "), HasSubstr("train.txt:"),
                       HasSubstr("train.learning_rate")));
    EXPECT_FALSE(fs::exists(fs::path(configuration.run.directory) / "latest"));
  }
}

TEST_F(Diverged, InTheEvaluation) {
  poison("gpt2", tiny_bpe(), std::numeric_limits<float>::quiet_NaN());
  EXPECT_ERROR(train_quietly(from_poison("causal", "run")), diverged,
               AllOf(HasSubstr("held-out loss"), HasSubstr("step 0"), HasSubstr("held-out.txt:")));
}

// One document whose embedding is not a number: steps that meet it are skipped, the others train.
TEST_F(Diverged, StepsAreSkippedAndCountedWhereThatIsAllowed) {
  Configuration configuration = runs_.configuration("causal", "run");
  configuration.data.validation.clear();
  configuration.train.max_steps = 2000;
  configuration.train.save_steps = 0;
  configuration.train.learning_rate = 1e37;
  configuration.train.max_grad_norm = 0;
  configuration.train.skip_nonfinite = 3;
  Recorder observer;
  EXPECT_ERROR(train(configuration, false, observer), diverged, HasSubstr("first in "));
  ASSERT_GE(observer.messages.size(), 3u);
  EXPECT_THAT(observer.messages.back(),
              AllOf(HasSubstr("the step is skipped (3 so far)"), HasSubstr("train.txt:")));
  EXPECT_EQ(observer.steps.back().skipped, 3);
  std::vector<Json> lines = read_lines(runs_ / "run/metrics.jsonl");
  EXPECT_TRUE(lines.back()["loss"].is_null());
  EXPECT_EQ(lines.back()["skipped"], 3);
}

TEST_F(Diverged, KeepsTheLastGoodCheckpoint) {
  Configuration configuration = runs_.configuration("causal", "run");
  configuration.train.max_steps = 2000;
  configuration.train.eval_steps = 0;
  configuration.train.save_steps = 1;
  configuration.train.learning_rate = 1e37;  // beyond what a configuration file may say
  configuration.train.max_grad_norm = 0;
  configuration.train.weight_decay = 0;
  Recorder observer;
  EXPECT_ERROR(train(configuration, false, observer), diverged,
               AllOf(HasSubstr("step "), HasSubstr("train.txt:"), HasSubstr("last checkpoint")));
  ASSERT_FALSE(observer.checkpoints.empty());
  fs::path kept = runs_ / "run/latest";
  EXPECT_EQ(fs::canonical(kept), fs::canonical(observer.checkpoints.back()));
  Transformer model(read_model_config(kept), Mode::evaluate, {.tokens = 16});
  EXPECT_NO_THROW(load_weights(kept, model));
  EXPECT_FALSE(fs::exists(runs_ / "run/summary.json"));
  for (const fs::directory_entry& entry : fs::directory_iterator(runs_ / "run")) {
    EXPECT_THAT(entry.path().filename().string(), Not(testing::StartsWith(".tmp")));
  }
}

}  // namespace
}  // namespace surprisal
