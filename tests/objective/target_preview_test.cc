// What a run shows of its pairs before it begins.
#include "objective/target_preview.h"

#include "core/text_width.h"
#include "objective/records.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/conditional_samples.h"
#include "tests/text/corpus_files.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class TargetPreviewTest : public testing::Test {
 protected:
  TokenCorpus open(const std::string& records, const Mixture& mixture, const ObjectiveOptions& options = {}) {
    return TokenCorpus::open({files_.add("pairs.jsonl", records)},
                             {.records = records_of({&mixture}, options)}, tokenizer_, {});
  }
  CorpusFiles files_;
  Tokenizer tokenizer_ = Tokenizer::load(std::string(SURPRISAL_TEST_DATA) + "/golden/chats");
};

TEST_F(TargetPreviewTest, CountsTargetsAndMarksThoseOfTwoPairs) {
  const Mixture mixture("conditional", {}, tokenizer_, 64);
  const TokenCorpus corpus = open(
      "{\"prompt\": \"a\\tb\\n\", \"completion\": \"\xE4\xBD\xA0\xE5\xA5\xBD\"}\n"
      "{\"prompt\": \"\\u001b[31m\", \"completion\": \"c\"}\n{\"prompt\": \"a\", \"completion\": \"b\"}\n",
      mixture);
  std::uint64_t rows = 0, targets = 0;
  for (const Stream& stream : samples_of(corpus, mixture)) {
    rows += static_cast<std::uint64_t>(stream.size());
    targets += stream.target.size();
  }
  const std::string path = files_.path("pairs.jsonl");
  EXPECT_THAT(
      preview_targets(corpus, mixture, tokenizer_, 1),
      ElementsAre(
          fmt::format("targets     {} of {} rows in 3 pairs (\"conditional\")", targets, rows),
          "example 1   " + path +
              ":1, targets between >>> and <<<: <|endoftext|>a\\tb\\n>>>\xE4\xBD\xA0\xE5\xA5\xBD"
              "<|endoftext|><<<",
          "example 2   " + path + ":2, targets between >>> and <<<: <|endoftext|>?[31m>>>c<|endoftext|><<<"));
}

TEST_F(TargetPreviewTest, MarksEveryScoredTurn) {
  ObjectiveOptions options;
  options.conditional.chat = "chatml";
  const Mixture mixture("conditional", options, tokenizer_, 64);
  const TokenCorpus corpus =
      open(R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},)"
           R"({"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]})",
           mixture, options);
  EXPECT_EQ(
      marked_text(samples_of(corpus, mixture)[0], tokenizer_),
      "<|im_start|>user\\na<|im_end|>\\n<|im_start|>assistant\\n>>>b<|im_end|><<<\\n<|im_start|>user\\nc"
      "<|im_end|>\\n<|im_start|>assistant\\n>>>d<|im_end|><<<");
}

TEST_F(TargetPreviewTest, LongStretchesLoseTheirMiddle) {
  const Mixture mixture("conditional", {}, tokenizer_, 4096);
  std::string wide;
  for (int i = 0; i < 300; ++i) wide += "\xE4\xBD\xA0";
  const TokenCorpus corpus = open("{\"prompt\": \"" + wide + "\", \"completion\": \"b\"}", mixture);
  const std::string text = marked_text(samples_of(corpus, mixture)[0], tokenizer_);
  EXPECT_LT(text.size(), 400u);
  EXPECT_THAT(text, AllOf(StartsWith("<|endoftext|>\xE4\xBD\xA0"), HasSubstr(" bytes ...] \xE4\xBD\xA0"),
                          testing::EndsWith("\xE4\xBD\xA0>>>b<|endoftext|><<<")));
}

TEST_F(TargetPreviewTest, HasNothingToSayOfTexts) {
  const Mixture mixture("causal", {}, tokenizer_, 64);
  EXPECT_THAT(preview_targets(open("{\"text\": \"a\"}", mixture), mixture, tokenizer_, 1), IsEmpty());
}

}  // namespace
}  // namespace surprisal
