// Presets, and every wrong option by its message.
#include "objective/blank_options.h"

#include "objective/mixture.h"
#include "objective/sampler.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/blank_samples.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

ObjectiveOptions read(const std::string& toml, const std::vector<Override>& overrides = {}) {
  ObjectiveOptions options;
  read_options_text(toml, "run.toml", overrides, [&](OptionVisitor& visitor) {
    visitor.table("objective", "", [&](OptionVisitor& v) { options.visit_tables(v); });
  });
  return options;
}

std::string written(ObjectiveOptions options) {
  return write_options([&](OptionVisitor& visitor) {
    visitor.table("objective", "", [&](OptionVisitor& v) { options.visit_tables(v); });
  });
}

TEST(BlankOptions, PresetsSetTheKeysAndKeysOverrideThem) {
  BlankInfillingOptions options = read("[objective.blank_infilling]\npreset = \"glm-10b\"\n").blank_infilling;
  EXPECT_EQ(options.level, "0.5 token | 0.3 sentence | 0.2 document");
  EXPECT_EQ(options.level_per, "micro_batch");
  EXPECT_EQ(options.noise, 0.1);
  EXPECT_EQ(options.document_min_ratio, 0.25);
  EXPECT_EQ(options.short_sequence, 0.02);
  // Beside a preset a key counts, wherever it stands and whatever its value is without one.
  options = read("[objective.blank_infilling]\nnoise = 0.0\npreset = \"glm-10b\"\n",
                 {{"objective.blank_infilling.level", "token"}})
                .blank_infilling;
  EXPECT_EQ(options.noise, 0);
  EXPECT_EQ(options.level, "token");
  EXPECT_EQ(options.document_min_ratio, 0.25);
  options = read("[objective.blank_infilling]\ngap = 2\npreset = \"glm-10b\"\n",
                 {{"objective.blank_infilling.preset", "glm-130b"}})
                .blank_infilling;
  EXPECT_EQ(options.gap, 2);
  EXPECT_EQ(options.noise, 0);
  EXPECT_EQ(options.position, "repeat");
  EXPECT_EQ(options.document_position, "continue");
  EXPECT_EQ(read("").blank_infilling.preset, "");
}

TEST(BlankOptions, APresetIsWrittenResolvedAndReadBack) {
  for (const char* preset : {"glm", "glm-10b", "glm-130b"}) {
    ObjectiveOptions options =
        read(fmt::format("[objective.blank_infilling]\npreset = \"{}\"\ngap = 3\n", preset));
    const std::string text = written(options);
    EXPECT_THAT(text, HasSubstr("gap = 3"));
    EXPECT_EQ(written(read(text)), text);
    BlankInfillingOptions wanted = BlankInfillingOptions::with_preset(preset);
    wanted.gap = 3;
    options.blank_infilling = wanted;
    EXPECT_EQ(written(options), text);
  }
  EXPECT_THAT(written(read("[objective.blank_infilling]\npreset = \"glm-130b\"\n")),
              HasSubstr("level = \"0.3 token | 0.7 document\""));
}

TEST(BlankOptions, UnknownNames) {
  EXPECT_ERROR(read("[objective.blank_infilling]\npreset = \"glm-130\"\n"), usage,
               HasSubstr("did you mean \"glm-130b\"?"));
  EXPECT_ERROR(BlankInfillingOptions::with_preset("glm-11b"), usage,
               "objective.blank_infilling.preset is unknown: found glm-11b, expected glm or glm-10b or "
               "glm-130b; did you mean glm-10b?");
  EXPECT_ERROR(infilling({.level = "0.5 token | 0.5 sentense"}, 32), usage,
               "objective.blank_infilling.level \"0.5 token | 0.5 sentense\", column 17: unknown level "
               "sentense: expected one of token, sentence, document; did you mean sentence?");
  EXPECT_ERROR(infilling({.level = "token + document"}, 32), usage,
               HasSubstr("column 9: levels have no sum: expected '|' between them"));
  EXPECT_ERROR(infilling({.level = "0 token | 0 document"}, 32), usage, HasSubstr("shares sum to 0"));
  EXPECT_ERROR(infilling({.level = ""}, 32), usage, HasSubstr("there is no level here"));
  EXPECT_ERROR(infilling({.level = "-1 token"}, 32), usage, HasSubstr("impossible number"));
  EXPECT_ERROR(infilling({.position = "twodimensional"}, 32), usage,
               HasSubstr("did you mean two_dimensional?"));
  EXPECT_ERROR(infilling({.level = "document", .document_position = "repeated"}, 32), usage,
               HasSubstr("objective.blank_infilling.document_position is unknown"));
  EXPECT_ERROR(infilling({.token_mask = "[mask]"}, 32), usage, HasSubstr("did you mean [MASK]?"));
  EXPECT_ERROR(infilling({.level_per = "batch"}, 32), usage,
               HasSubstr("objective.blank_infilling.level_per is unknown"));
  EXPECT_ERROR(Mixture("blank_infiling", {}, glm_tokenizer(), 32), usage,
               HasSubstr("did you mean blank_infilling?"));
}

TEST(BlankOptions, ImpossibleNumbers) {
  EXPECT_ERROR(infilling({.mask_ratio = 0}, 32), usage,
               "objective.blank_infilling.mask_ratio is out of range: found 0, expected above 0");
  EXPECT_ERROR(infilling({.mask_ratio = 1.5}, 32), usage, HasSubstr("mask_ratio is out of range: found 1.5"));
  EXPECT_ERROR(infilling({.mask_ratio = std::nan("")}, 32), usage, HasSubstr("mask_ratio is out of range"));
  EXPECT_ERROR(infilling({.poisson_lambda = -3}, 32), usage,
               "objective.blank_infilling.poisson_lambda is out of range: found -3, expected a number in (0, "
               "1e6]");
  EXPECT_ERROR(read("[objective.blank_infilling]\npoisson_lambda = -3\n"), usage,
               HasSubstr("objective.blank_infilling.poisson_lambda"));
  EXPECT_ERROR(infilling({.max_span = 0}, 32), usage, HasSubstr("max_span is out of range: found 0"));
  EXPECT_ERROR(infilling({.gap = -1}, 32), usage, HasSubstr("gap is out of range: found -1"));
  EXPECT_ERROR(infilling({.parts = 0}, 32), usage, HasSubstr("parts is out of range: found 0"));
  EXPECT_ERROR(infilling({.noise = 2}, 32), usage, HasSubstr("noise is out of range: found 2"));
  EXPECT_ERROR(infilling({.document_min_ratio = 0.6, .document_max_ratio = 0.5}, 32), usage,
               HasSubstr("no length for a document's blank: found document_min_ratio 0.6, document_max_ratio "
                         "0.5"));
}

TEST(BlankOptions, SpansLongerThanTheSequence) {
  EXPECT_ERROR(
      infilling({.poisson_lambda = 31, .max_span = 1000}, 32), usage,
      "spans of objective blank_infilling would be longer than a sequence: found "
      "objective.blank_infilling.poisson_lambda 31, max_span 1000, expected one of them at most 30, the "
      "tokens of a sequence; lower one of them, or raise data.sequence_length");
  EXPECT_NO_THROW(infilling({.poisson_lambda = 30, .max_span = 1000}, 32));
  EXPECT_NO_THROW(infilling({.poisson_lambda = 31, .max_span = 30}, 32));
  EXPECT_ERROR(
      infilling({.parts = 4}, 15), usage,
      "sequence length is impossible for objective blank_infilling: found 15, expected at least 16 and "
      "at most 2147483647");
}

TEST(BlankOptions, SamplesLongerThanAMicroBatch) {
  const TokenCorpus corpus = random_corpus(20, 60, 100, glm::kFirst);
  const Mixture mixture = infilling({}, 32);
  EXPECT_ERROR(Sampler(corpus, mixture, 1, 39, SampleOrder::shuffled), usage,
               "a sample may be longer than a micro-batch: found a sequence length of 32, with which "
               "\"blank_infilling\" has up to 40 rows, expected at most 39 tokens; raise "
               "train.micro_batch_tokens to 40 or more or lower data.sequence_length");
  EXPECT_NO_THROW(Sampler(corpus, mixture, 1, 40, SampleOrder::shuffled));
}

TEST(BlankOptions, TokenizersWithoutTheTokens) {
  auto make = [](const Tokenizer& tokenizer, const BlankInfillingOptions& options = {}) {
    ObjectiveOptions all;
    all.blank_infilling = options;
    return Mixture("blank_infilling", all, tokenizer, 32);
  };
  EXPECT_ERROR(
      make(word_tokenizer()), usage,
      "objective blank_infilling needs a tokenizer with <|startofpiece|>: found one with pad [PAD], "
      "unk [UNK], cls [CLS], sep [SEP], mask [MASK]; `surprisal tokenizer add-specials --specials glm "
      "--tokenizer DIR --out DIR` adds it to yours");
  EXPECT_ERROR(
      make(text_tokenizer()), usage,
      AllOf(HasSubstr("objective blank_infilling needs a tokenizer with a [CLS] token"),
            HasSubstr("`surprisal tokenizer add-specials --specials glm --tokenizer DIR --out DIR` adds")));
  EXPECT_ERROR(make(word_tokenizer(), {.level = "sentence"}), usage, HasSubstr("[sMASK]"));
  EXPECT_ERROR(make(word_tokenizer(), {.level = "document"}), usage, HasSubstr("[gMASK]"));
  EXPECT_ERROR(
      make(glm_tokenizer(), {.noise = 0.1, .noise_token = "dBLOCK"}), usage,
      "objective.blank_infilling.noise_token: the tokenizer has no token dBLOCK; name one that it has, "
      "or set objective.blank_infilling.noise = 0");
  EXPECT_NO_THROW(make(glm_tokenizer(), {.level = "document", .noise = 0.1, .noise_token = "none"}))
      << "only spans have noise";
}

}  // namespace
}  // namespace surprisal
