// Each kind of bad input: one line that says what, where and what would do, and the exit code of its kind.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "tests/app/program.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class BadInput : public testing::Test {
 protected:
  Outcome train(const std::string& objective, const std::vector<std::string>& more = {}) {
    workplace_.write("run.toml", tiny_toml(objective));
    std::vector<std::string> arguments{"train", "run.toml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workplace_.run(arguments);
  }
  Outcome loss(const std::string& model, const std::string& streams) {
    return workplace_.run({"loss", "--model", model, "--streams", "-"}, streams);
  }
  Workplace workplace_;
};

TEST_F(BadInput, AFileThatIsMissing) {
  EXPECT_FAILS(workplace_.run({"train", "absent.toml"}), 6, HasSubstr("absent.toml"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "absent.txt"}), 6, HasSubstr("absent.txt"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "absent", "text.txt"}), 6, HasSubstr("absent"));
  EXPECT_FAILS(workplace_.run({"loss", "--model", "gpt2", "--streams", "absent.jsonl"}), 6,
               HasSubstr("absent.jsonl"));
  EXPECT_FAILS(workplace_.run({"tokenizer", "encode", "--tokenizer", "absent", "text.txt"}), 6,
               HasSubstr("absent"));
  EXPECT_FAILS(workplace_.run({"tokenizer", "encode", "--tokenizer", "bpe", "absent.txt"}), 6,
               HasSubstr("absent.txt"));
  EXPECT_FAILS(workplace_.run({"tokenizer", "train", "--type", "bpe", "--vocab-size", "300", "--out", "o",
                               "absent.txt"}),
               6, HasSubstr("absent.txt"));
  EXPECT_FAILS(train("causal", {"--data.train", R"(["absent.txt"])"}), 6, HasSubstr("absent.txt"));
}

TEST_F(BadInput, ADirectoryInsteadOfAFile) {
  fs::create_directories(workplace_ / "folder.txt");
  // A corpus may be a directory of texts.
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "folder.txt"}), 3,
               HasSubstr("folder.txt: the directory holds no text file"));
  EXPECT_FAILS(workplace_.run({"train", "folder.txt"}), 6,
               AllOf(HasSubstr("folder.txt"), HasSubstr("directory")));
  EXPECT_FAILS(workplace_.run({"tokenizer", "encode", "--tokenizer", "bpe", "folder.txt"}), 6,
               HasSubstr("directory"));
  EXPECT_FAILS(workplace_.run({"loss", "--model", "gpt2", "--streams", "folder.txt"}), 6,
               HasSubstr("directory"));
  EXPECT_FAILS(train("causal", {"--data.train", R"(["folder.txt"])"}), 3,
               HasSubstr("folder.txt: the directory holds no text file"));
}

TEST_F(BadInput, AnEmptyFile) {
  workplace_.write("empty.txt", "");
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "empty.txt"}), 3,
               AllOf(HasSubstr("empty.txt"), HasSubstr("empty")));
  EXPECT_FAILS(workplace_.run(
                   {"tokenizer", "train", "--type", "bpe", "--vocab-size", "300", "--out", "o", "empty.txt"}),
               3, HasSubstr("empty.txt"));
  EXPECT_FAILS(loss("gpt2", ""), 3, HasSubstr("no stream"));
  workplace_.write("empty.toml", "");
  EXPECT_FAILS(workplace_.run({"train", "empty.toml"}), 2, HasSubstr("run.directory"));
  workplace_.write("bert/config.json", "");
  EXPECT_FAILS(workplace_.run({"score", "--model", "bert", "text.txt"}), 3, HasSubstr("config.json"));
}

TEST_F(BadInput, BytesThatAreNoUtf8) {
  workplace_.write("bytes.txt", "the cat\nsees \xC3\x28\n");
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "bytes.txt"}), 3,
               AllOf(HasSubstr("bytes.txt"), HasSubstr("UTF-8"), HasSubstr("13")));
  EXPECT_FAILS(workplace_.run({"tokenizer", "encode", "--tokenizer", "bpe", "bytes.txt"}), 3,
               AllOf(HasSubstr("bytes.txt:2"), HasSubstr("UTF-8"), HasSubstr("byte 5")));
  EXPECT_FAILS(workplace_.run(
                   {"tokenizer", "train", "--type", "bpe", "--vocab-size", "300", "--out", "o", "bytes.txt"}),
               3, HasSubstr("UTF-8"));
}

TEST_F(BadInput, ACorpusThatTheObjectiveCannotUse) {
  workplace_.write("special.txt", "[SEP] [CLS]\n");
  EXPECT_FAILS(train("mlm", {"--data.train", R"(["special.txt"])"}), 3, HasSubstr("no target"));
  EXPECT_FAILS(workplace_.run({"explain", "--objective", "mlm", "--tokenizer", "wordpiece", "special.txt"}),
               3, HasSubstr("no target"));
  workplace_.write("one.txt", "the cat sees a dog.\na dog sees the cat.\n");
  EXPECT_FAILS(train("mlm + nsp", {"--data.train", R"(["one.txt"])"}), 3,
               AllOf(HasSubstr("nsp"), HasSubstr("at least 2")));
  EXPECT_FAILS(workplace_.run({"loss", "--model", "bert", "--objective", "nsp", "--text", "one.txt"}), 3,
               HasSubstr("at least 2"));
}

TEST_F(BadInput, AnUnknownKey) {
  workplace_.write("run.toml", tiny_toml("causal") + "learning_rat = 1\n");
  EXPECT_FAILS(workplace_.run({"train", "run.toml"}), 2,
               AllOf(HasSubstr("run.toml:"), HasSubstr("train.learning_rat"),
                     HasSubstr("did you mean train.learning_rate?")));
}

TEST_F(BadInput, ObjectivesThatCannotBe) {
  EXPECT_FAILS(train("casual"), 2,
               AllOf(HasSubstr("unknown objective casual"), HasSubstr("did you mean causal?")));
  EXPECT_FAILS(train("mlm + causal"), 2, HasSubstr("cannot be"));
  EXPECT_FAILS(train("0 causal | 0 reverse"), 2, HasSubstr("shares sum to 0"));
  EXPECT_FAILS(train("causal", {"--objective.train", "mlm"}), 2, HasSubstr("mask token"));
  EXPECT_FAILS(train("mlm + nsp", {"--model.family", "gpt2"}), 2, HasSubstr("sentence head"));
}

TEST_F(BadInput, ValuesThatCannotBe) {
  EXPECT_FAILS(train("mlm", {"--objective.mlm.probability", "1.5"}), 2,
               AllOf(HasSubstr("objective.mlm.probability"), HasSubstr("1.5")));
  EXPECT_FAILS(train("mlm", {"--model.num_attention_heads", "5"}), 2, HasSubstr("num_attention_heads"));
  EXPECT_FAILS(train("mlm", {"--train.tokens_per_step", "33"}), 2, HasSubstr("multiple"));
  EXPECT_FAILS(workplace_.run({"explain", "--objective", "mlm", "--tokenizer", "wordpiece",
                               "--sequence-length", "2", "text.txt"}),
               2, HasSubstr("--sequence-length"));
}

TEST_F(BadInput, StreamsThatLeaveThemselvesOrTheModel) {
  EXPECT_FAILS(loss("gpt2", R"({"token":[1,2],"visible":[[0,1],[0,3]],"target":[[0,1,1]]})"), 3,
               AllOf(HasSubstr("visible"), HasSubstr("1"), HasSubstr("3")));
  EXPECT_FAILS(loss("gpt2", R"({"token":[1,2],"visible":[[0,1],[2,1]],"target":[[0,1,1]]})"), 3,
               HasSubstr("visible"));
  EXPECT_FAILS(loss("gpt2", R"({"token":[1,2],"visible":[[0,1],[-1,2]],"target":[[0,1,1]]})"), 3,
               HasSubstr("visible"));
  EXPECT_FAILS(loss("gpt2", R"({"token":[1],"visible":[[0,1]],"target":[[1,1,1]]})"), 3,
               AllOf(HasSubstr("target"), HasSubstr("row")));
  EXPECT_FAILS(loss("gpt2", R"({"token":[1],"visible":[[0,1]],"target":[[0,999,1]]})"), 3,
               AllOf(HasSubstr("target"), HasSubstr("999")));
  EXPECT_FAILS(loss("gpt2", R"({"token":[999],"visible":[[0,1]],"target":[[0,1,1]]})"), 3,
               AllOf(HasSubstr("token"), HasSubstr("999")));
  EXPECT_FAILS(loss("gpt2", R"({"token":[1],"position":[20],"visible":[[0,1]],"target":[[0,1,1]]})"), 3,
               AllOf(HasSubstr("position"), HasSubstr("20")));
  EXPECT_FAILS(loss("bert", R"({"token":[1],"segment":[2],"visible":[[0,1]],"target":[[0,1,1]]})"), 3,
               HasSubstr("segment"));
  EXPECT_FAILS(loss("bert", R"({"token":[1],"visible":[[0,1]],"label":[[0,2,1]]})"), 3, HasSubstr("label"));
  EXPECT_FAILS(loss("gpt2", R"({"token":[1],"visible":[[0,1]],"label":[[0,1,1]]})"), 3,
               HasSubstr("sentence head"));
  EXPECT_FAILS(loss("gpt2", R"({"token":[1],"visible":[[0,1]],"target":[[0,1,-1]]})"), 3,
               HasSubstr("weight"));
  EXPECT_FAILS(loss("gpt2", R"({"token":[1],"visible":[[0,1]]})"), 3, HasSubstr("no target and no label"));
  EXPECT_FAILS(loss("gpt2", R"({"token":[1],"visible":[[0,1]],"targets":[]})"), 3, HasSubstr("targets"));
  EXPECT_FAILS(loss("gpt2", "{\"token\":[1],\"visible\":[[0,1]],\"target\":[[0,1,1]]}\n{\"token\":["), 3,
               HasSubstr("-:2"));
}

TEST_F(BadInput, IdsThatTheTokenizerDoesNotHave) {
  for (const char* ids : {"[999]", "[-1]", "[1.5]", "[99999999999]", "{}", "[1", "[\"a\"]"}) {
    workplace_.write("ids.jsonl", ids);
    EXPECT_FAILS(workplace_.run({"tokenizer", "decode", "--tokenizer", "bpe", "ids.jsonl"}), 3,
                 HasSubstr("ids.jsonl:1"));
  }
}

TEST_F(BadInput, WeightsThatAreNotWhole) {
  fs::path file = workplace_ / "gpt2/model.safetensors";
  std::string whole = read_file(file);
  auto score = [&] { return workplace_.run({"score", "--model", "gpt2", "text.txt"}); };
  for (std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() - 1}) {
    workplace_.write("gpt2/model.safetensors", whole.substr(0, size));
    EXPECT_FAILS(score(), 3, HasSubstr("model.safetensors"));
  }
  workplace_.write("gpt2/model.safetensors", whole + "x");
  EXPECT_FAILS(score(), 3, HasSubstr("model.safetensors"));
  std::string lying = whole;
  lying[0] = lying[1] = lying[2] = lying[3] = '\xFF';
  workplace_.write("gpt2/model.safetensors", lying);
  EXPECT_FAILS(score(), 3, HasSubstr("model.safetensors"));
}

TEST_F(BadInput, WeightsOfAnotherShape) {
  std::string config = read_file(workplace_ / "gpt2/config.json");
  std::size_t at = config.find("\"n_positions\": 20");
  ASSERT_NE(at, std::string::npos) << config;
  workplace_.write("gpt2/config.json", config.replace(at, 17, "\"n_positions\": 24"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "text.txt"}), 3,
               AllOf(HasSubstr("wpe.weight"), HasSubstr("[20, 12]"), HasSubstr("[24, 12]")));
}

TEST_F(BadInput, ARunDirectoryThatHoldsAnotherRun) {
  ASSERT_EQ(train("causal").code, 0);
  EXPECT_FAILS(train("causal"), 2, AllOf(HasSubstr("holds another run"), HasSubstr("--resume")));
  Outcome other = train("causal", {"--resume", "--objective.train", "reverse", "--train.max_steps", "9"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("objective.train is not what the run began with"));
}

TEST_F(BadInput, ATokenizerThatIsNone) {
  workplace_.write("bpe/tokenizer.json", "{\"model\":{\"type\":\"Trigram\"}}");
  EXPECT_FAILS(workplace_.run({"tokenizer", "encode", "--tokenizer", "bpe", "text.txt"}), 3,
               AllOf(HasSubstr("tokenizer.json"), HasSubstr("Trigram")));
  EXPECT_FAILS(workplace_.run({"tokenizer", "train", "--type", "sentencepiece", "--vocab-size", "300",
                               "--out", "o", "text.txt"}),
               2, HasSubstr("sentencepiece"));
  EXPECT_FAILS(
      workplace_.run({"tokenizer", "train", "--type", "bpe", "--vocab-size", "10", "--out", "o", "text.txt"}),
      2, HasSubstr("10"));
}

}  // namespace
}  // namespace surprisal
