// Every way in which a run cannot be, with its message.
#include <filesystem>

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

}  // namespace
}  // namespace surprisal
