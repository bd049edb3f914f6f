#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "store/manifest.h"
#include "store/model_directory.h"
#include "store/safetensors.h"
#include "tests/app/program.h"

namespace surprisal {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class InspectVerb : public testing::Test {
 protected:
  Outcome inspect(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "inspect");
    return workplace_.run(arguments);
  }
  Json json_of(const std::string& path, std::vector<std::string> options = {}) const {
    options.insert(options.end(), {"--json", path});
    Outcome outcome = inspect(options);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.json();
  }
  // One tensor of 2 x 3 whose element [1, 2] is `last`.
  void write_tensor(const std::string& name, float last) const {
    write_safetensors(workplace_ / "t.safetensors",
                      {{name, {2, 3}, [last](std::int64_t, std::span<float> out) {
                          for (float& value : out) value = 1;
                          out.back() = last;
                        }}});
  }

  Workplace workplace_;
};

TEST_F(InspectVerb, ShowsACheckpoint) {
  Outcome outcome = inspect({"bert"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("bert (BertForPreTraining)"), HasSubstr("hidden_size"),
                                 HasSubstr("WordPiece"), HasSubstr("mask [MASK] = "), HasSubstr("F32"),
                                 HasSubstr("bert.embeddings.word_embeddings.weight")));
  Json json = json_of("bert");
  EXPECT_EQ(json.at("kind"), "checkpoint");
  EXPECT_EQ(json.at("model").at("family"), "bert");
  std::int64_t elements = 0;
  for (const Json& tensor : json.at("tensors").at("tensors"))
    elements += tensor.at("elements").get<std::int64_t>();
  EXPECT_EQ(json.at("model").at("parameters"), elements);
  EXPECT_EQ(json.at("tensors").at("elements"), elements);
  EXPECT_EQ(json.at("tensors").at("dtypes").at("F32"), json.at("tensors").at("count"));
  EXPECT_EQ(json.at("tensors").at("bytes"),
            std::filesystem::file_size(workplace_ / "bert/model.safetensors"));
  EXPECT_THAT(inspect({"--no-tensors", "bert"}).out, Not(HasSubstr("word_embeddings.weight")));
}

TEST_F(InspectVerb, LinesTheTableUp) {
  Outcome outcome = inspect({"gpt2"});
  std::istringstream text(outcome.out);
  std::size_t column = 0;
  int rows = 0;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("tensor ")) column = line.find("dtype");
    if (!line.starts_with("transformer.")) continue;
    EXPECT_EQ(line.find("F32"), column) << line;
    ++rows;
  }
  EXPECT_EQ(rows, 28);
}

TEST_F(InspectVerb, ShowsTensorsAndTokenizers) {
  Json tensors = json_of("gpt2/model.safetensors");
  EXPECT_EQ(tensors.at("kind"), "tensors");
  EXPECT_EQ(tensors.at("tensors").at("metadata").at("format"), "pt");
  std::filesystem::copy(workplace_ / "bpe/tokenizer.json", workplace_ / "mine.json");
  for (const char* path : {"bpe", "bpe/tokenizer.json", "mine.json"}) {
    Json tokenizer = json_of(path);
    EXPECT_EQ(tokenizer.at("kind"), "tokenizer");
    EXPECT_EQ(tokenizer.at("tokenizer").at("type"), "BPE");
    EXPECT_TRUE(tokenizer.at("tokenizer").at("special").contains("eos"));
  }
}

TEST_F(InspectVerb, ShowsTokenizersOfEveryLayout) {
  ASSERT_EQ(
      workplace_
          .run({"tokenizer", "add-specials", "--specials", "glm", "--tokenizer", "wordpiece", "--out", "glm"})
          .code,
      0);
  const Json special = json_of("glm").at("tokenizer").at("special");
  for (const char* role : {"pad", "mask", "gmask", "smask", "sop", "eop"})
    EXPECT_TRUE(special.contains(role)) << role;
  std::filesystem::create_directory(workplace_ / "sentencepiece");
  std::filesystem::copy(SURPRISAL_TEST_DATA "/golden/sentencepiece/unigram_bytes.model",
                        workplace_ / "sentencepiece/tokenizer.model");
  for (const char* path : {"sentencepiece", "sentencepiece/tokenizer.model"}) {
    EXPECT_EQ(json_of(path).at("tokenizer").at("type"), "Unigram") << path;
  }
}

TEST_F(InspectVerb, ShowsAnAdapter) {
  std::filesystem::create_directory(workplace_ / "adapter");
  workplace_.write("adapter/adapter_config.json", R"({"peft_type":"LORA","r":8,"lora_alpha":16})");
  std::filesystem::copy(workplace_ / "gpt2/model.safetensors",
                        workplace_ / "adapter/adapter_model.safetensors");
  Json json = json_of("adapter", {"--verify"});
  EXPECT_EQ(json.at("kind"), "adapter");
  EXPECT_EQ(json.at("adapter").at("r"), 8);
  EXPECT_EQ(json.at("verified").at("tensors"), 28);
}

TEST_F(InspectVerb, ShowsARunAndVerifiesItsCheckpoints) {
  workplace_.write("run.toml", tiny_toml("causal"));
  ASSERT_EQ(workplace_.run({"train", "run.toml"}).code, 0);
  Json json = json_of("run", {"--verify"});
  EXPECT_EQ(json.at("kind"), "run");
  EXPECT_EQ(json.at("objective"), "causal");
  EXPECT_EQ(json.at("latest"), "step-00000004");
  EXPECT_EQ(json.at("last_step").at("step"), 4);
  EXPECT_TRUE(json.at("last_evaluation").contains("eval_loss"));
  EXPECT_TRUE(json.at("finished"));
  EXPECT_EQ(json.at("newest").at("state").at("step"), 4);
  EXPECT_EQ(json.at("newest").at("model").at("family"), "gpt2");
  EXPECT_EQ(json.at("verified").size(), json.at("checkpoints").size());
  EXPECT_THAT(inspect({"run"}).out,
              AllOf(HasSubstr("objective    causal"), HasSubstr("step-00000004"), HasSubstr("eval_loss")));
}

TEST_F(InspectVerb, VerifiesTheManifest) {
  write_manifest(workplace_ / "gpt2");
  EXPECT_GE(json_of("gpt2", {"--verify"}).at("verified").at("manifest"), 3);
  std::string config = read_file(workplace_ / "gpt2/config.json");
  config.insert(config.find('\n'), 1, ' ');
  workplace_.write("gpt2/config.json", config);
  EXPECT_EQ(inspect({"gpt2"}).code, 0);
  EXPECT_FAILS(inspect({"--verify", "gpt2"}), 3, HasSubstr("config.json"));
}

TEST_F(InspectVerb, NamesTheFirstElementThatIsNotFinite) {
  write_tensor("weight", std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(inspect({"t.safetensors"}).code, 0);
  EXPECT_FAILS(inspect({"--verify", "t.safetensors"}), 3,
               AllOf(HasSubstr("tensor \"weight\" is not finite"), HasSubstr("nan at [1, 2]")));
  write_tensor("weight", -std::numeric_limits<float>::infinity());
  EXPECT_FAILS(inspect({"--verify", "t.safetensors"}), 3, HasSubstr("-inf at [1, 2]"));
  write_tensor("weight", 2);
  EXPECT_EQ(json_of("t.safetensors", {"--verify"}).at("verified").at("tensors"), 1);
}

TEST_F(InspectVerb, VerifiesThatTensorsFitTheConfiguration) {
  write_tensor("transformer.wte.weight", 1);
  std::filesystem::rename(workplace_ / "t.safetensors", workplace_ / "gpt2/model.safetensors");
  EXPECT_EQ(inspect({"gpt2"}).code, 0);
  EXPECT_FAILS(inspect({"--verify", "gpt2"}), 3, HasSubstr("transformer.wpe.weight is missing"));
}

TEST_F(InspectVerb, TellsHeadsOfOtherTasksFromDamage) {
  Transformer model(read_model_config(workplace_ / "bert"), Mode::evaluate, {.tokens = 4});
  load_weights(workplace_ / "bert", model);
  const ParameterStore store = make_parameter_store(model.config(), model.table());
  std::vector<TensorToWrite> tensors = parameters_to_write(store, model.weights());
  std::erase_if(tensors, [](const TensorToWrite& tensor) { return tensor.name.starts_with("cls."); });
  tensors.push_back({"classifier.bias", {3}, [](std::int64_t, std::span<float> out) {
                       for (float& value : out) value = 1;
                     }});
  write_safetensors(workplace_ / "bert/model.safetensors", tensors);
  Json verified = json_of("bert", {"--verify"}).at("verified");
  EXPECT_EQ(verified.at("heads_of_other_tasks"), Json({"classifier.bias"}));
  EXPECT_EQ(verified.at("missing_heads").size(), 5);
}

TEST_F(InspectVerb, SaysWhatIsWrongWithAConfigurationAndShowsTheRest) {
  workplace_.write("gpt2/config.json", R"({"model_type":"mamba"})");
  Json json = json_of("gpt2");
  EXPECT_THAT(json.at("problem").get<std::string>(), HasSubstr("unknown model family"));
  EXPECT_EQ(json.at("tensors").at("count"), 28);
  EXPECT_FAILS(inspect({"--verify", "gpt2"}), 3, HasSubstr("unknown model family"));
}

TEST_F(InspectVerb, PrintsHostileNamesSafely) {
  write_tensor("evil\x1b[2J\nname", 1);
  Outcome outcome = inspect({"t.safetensors"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(Not(HasSubstr("\x1b")), HasSubstr("\"evil\\u001b[2J\\nname\"")));
  EXPECT_THAT(inspect({"--json", "t.safetensors"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(InspectVerb, RefusesWhatItDoesNotKnow) {
  EXPECT_FAILS(inspect({"nothing"}), 6, HasSubstr("nothing: no such file or directory"));
  EXPECT_FAILS(inspect({"text.txt"}), 3, HasSubstr("text.txt: a file of no known kind"));
  for (const char* json : {"[]", "{}", R"({"model": {}})", R"({"model": "BPE"})"}) {
    workplace_.write("other.json", json);
    SCOPED_TRACE(json);
    EXPECT_FAILS(inspect({"other.json"}), 3, HasSubstr("other.json: a file of no known kind"));
  }
  workplace_.write("other.json", "{");
  EXPECT_FAILS(inspect({"other.json"}), 3, HasSubstr("other.json, byte 1: invalid JSON"));
  std::filesystem::create_directory(workplace_ / "empty");
  EXPECT_FAILS(inspect({"empty"}), 3, HasSubstr("nothing here is known"));
  workplace_.write("t.safetensors", "short");
  EXPECT_FAILS(inspect({"t.safetensors"}), 3, HasSubstr("truncated"));
}

}  // namespace
}  // namespace surprisal
