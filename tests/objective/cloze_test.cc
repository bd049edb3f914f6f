// The objective cloze: every array, worked out by hand.
#include "objective/cloze.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objective/registry.h"
#include "stream/check.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using Ids = std::vector<std::int32_t>;
using testing::HasSubstr;

// Documents of a text with its mask, then options.
TokenCorpus choices(const std::vector<std::vector<Ids>>& documents, std::uint16_t label = 0) {
  std::vector<TokenCorpus::Ids> all;
  for (const std::vector<Ids>& parts : documents) {
    TokenCorpus::Ids document;
    document.kind = DocumentKind::choice;
    document.label = label;
    for (const Ids& part : parts) {
      document.sentences.push_back(static_cast<std::uint32_t>(document.tokens.size()));
      document.tokens.insert(document.tokens.end(), part.begin(), part.end());
    }
    all.push_back(std::move(document));
  }
  return TokenCorpus::from_ids(all);
}

struct Built {
  Stream sample;
  std::vector<std::string> notes;
};

Built build(const TokenCorpus& corpus, const ObjectiveOptions& options, const Tokenizer& tokenizer,
            std::int64_t length = 16, std::uint64_t document = 0) {
  const auto objective = make_cloze(options, tokenizer, length);
  const SampleKey key{.seed = 3, .epoch = 2, .document = document};
  Built built;
  EXPECT_EQ(objective->build(corpus, key, 0, built.sample), std::ssize(corpus.document(document).tokens));
  check_stream(built.sample, {.vocabulary = 100, .positions = length}, "sample");
  EXPECT_GE(objective->largest_sample(corpus).rows,
            std::max<std::int64_t>(built.sample.size(), std::ssize(built.sample.target)));
  built.notes = objective->notes(key, built.sample).rows;
  for (const Sequence& sequence : built.sample.sequence) {
    EXPECT_EQ(sequence.sample, key.sample());
    EXPECT_EQ(sequence.epoch, 2u);
    EXPECT_EQ(sequence.document, document);
    EXPECT_LE(sequence.end - sequence.begin, length);
  }
  return built;
}

ObjectiveOptions positions(const std::string& position) {
  ObjectiveOptions options;
  options.blank_infilling.position = position;
  return options;
}

// [CLS] 11 12 [MASK] 13 | sop, and the options are targets of its row.
TEST(Cloze, SingleTokensAreTargetsOfOneRow) {
  const Tokenizer tokenizer = glm_tokenizer();
  const auto [sample, notes] = build(choices({{{11, 12, kMask, 13}, {20}, {21}, {22}}}, 1), {}, tokenizer);
  EXPECT_EQ(sample.token, (Ids{kCls, 11, 12, kMask, 13, glm::kStart}));
  EXPECT_EQ(sample.position, (Ids{0, 1, 2, 3, 4, 3}));
  EXPECT_EQ(sample.block_position, (Ids{0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(sample.segment, (Ids{0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(sample.visible, (std::vector<Interval>{{0, 5}, {0, 5}, {0, 5}, {0, 5}, {0, 5}, {0, 6}}));
  EXPECT_EQ(sample.target, (std::vector<Target>{{5, 20, 1}, {5, 21, 1}, {5, 22, 1}}));
  EXPECT_EQ(sample.choice,
            (std::vector<Choice>{{.option = {{0, 1}, {1, 2}, {2, 3}}, .answer = 1, .weight = 1}}));
  EXPECT_TRUE(sample.label.empty());
  EXPECT_EQ(sample.sequence.size(), 1u);
  EXPECT_EQ(notes, (std::vector<std::string>{"", "", "", "blank", "", "options"}));
}

// Each option behind the text in a sequence of its own, its end predicted too.
TEST(Cloze, SeveralTokensAreASequenceEach) {
  const Tokenizer tokenizer = glm_tokenizer();
  const auto [sample, notes] = build(choices({{{11, kMask}, {20}, {21, 22}}}, 1), {}, tokenizer);
  EXPECT_EQ(sample.token, (Ids{kCls, 11, kMask, glm::kStart, 20, kCls, 11, kMask, glm::kStart, 21, 22}));
  EXPECT_EQ(sample.position, (Ids{0, 1, 2, 2, 2, 0, 1, 2, 2, 2, 2}));
  EXPECT_EQ(sample.block_position, (Ids{0, 0, 0, 1, 2, 0, 0, 0, 1, 2, 3}));
  EXPECT_EQ(sample.visible,
            (std::vector<Interval>{
                {0, 3}, {0, 3}, {0, 3}, {0, 4}, {0, 5}, {5, 8}, {5, 8}, {5, 8}, {5, 9}, {5, 10}, {5, 11}}));
  EXPECT_EQ(sample.target,
            (std::vector<Target>{
                {3, 20, 1}, {4, glm::kEndOfPiece, 1}, {8, 21, 1}, {9, 22, 1}, {10, glm::kEndOfPiece, 1}}));
  EXPECT_EQ(sample.choice, (std::vector<Choice>{{.option = {{0, 2}, {2, 5}}, .answer = 1, .weight = 1}}));
  EXPECT_EQ(sample.sequence.size(), 2u);
  EXPECT_EQ(notes, (std::vector<std::string>{"", "", "blank", "option 0", "option 0", "", "", "blank",
                                             "option 1", "option 1", "option 1"}));
}

TEST(Cloze, PositionsAreThoseOfBlankInfilling) {
  const Tokenizer tokenizer = glm_tokenizer();
  const TokenCorpus corpus = choices({{{11, kMask, 12}, {20}, {21, 22}}});
  const Stream repeat = build(corpus, positions("repeat"), tokenizer).sample;
  EXPECT_EQ(repeat.position, (Ids{0, 1, 2, 3, 2, 2, 0, 1, 2, 3, 2, 2, 2}));
  EXPECT_THAT(repeat.block_position, testing::Each(0));
  const Stream go_on = build(corpus, positions("continue"), tokenizer).sample;
  EXPECT_EQ(go_on.position, (Ids{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 6}));
  EXPECT_THAT(go_on.block_position, testing::Each(0));
}

TEST(Cloze, OptionsOfTheObjective) {
  const Tokenizer tokenizer = glm_tokenizer();
  const TokenCorpus corpus = choices({{{11, glm::kSmask}, {20}, {21}}});
  ObjectiveOptions options;
  options.cloze.form = "multi_token";
  options.cloze.end_of_text = true;
  options.cloze.length_penalty = 0.5;
  const Stream sample = build(corpus, options, tokenizer).sample;
  EXPECT_EQ(sample.token, (Ids{kCls, 11, glm::kSmask, glm::kEnd, glm::kStart, 20, kCls, 11, glm::kSmask,
                               glm::kEnd, glm::kStart, 21}));
  ASSERT_EQ(sample.target.size(), 4u);
  for (const Target& target : sample.target) EXPECT_FLOAT_EQ(target.weight, 1 / std::sqrt(2.0f));
}

// A masked model fills the mask's own row; its template stands around the text.
TEST(Cloze, WithoutPiecesTheMaskIsTheRow) {
  const Tokenizer tokenizer = word_tokenizer();
  const auto [sample, notes] = build(choices({{{11, kMask, 12}, {20}, {21}}}, 1), {}, tokenizer);
  EXPECT_EQ(sample.token, (Ids{kCls, 11, kMask, 12, kSep}));
  EXPECT_EQ(sample.position, (Ids{0, 1, 2, 3, 4}));
  EXPECT_EQ(sample.block_position, (Ids{0, 0, 0, 0, 0}));
  EXPECT_THAT(sample.visible, testing::Each(Interval{0, 5}));
  EXPECT_EQ(sample.target, (std::vector<Target>{{2, 20, 1}, {2, 21, 1}}));
  EXPECT_EQ(sample.choice, (std::vector<Choice>{{.option = {{0, 1}, {1, 2}}, .answer = 1, .weight = 1}}));
  EXPECT_EQ(notes, (std::vector<std::string>{"", "", "blank", "", ""}));
}

TEST(Cloze, SaysHowManyTextsAreCut) {
  const auto objective = make_cloze({}, glm_tokenizer(), 8);
  const TokenCorpus corpus =
      choices({{{11, 12, 13, 14, 15, 16, 17, kMask}, {20}, {21}}, {{11, kMask}, {20}, {21}}});
  EXPECT_THAT(objective->remarks(corpus),
              testing::ElementsAre("objective cloze: 1 of 2 texts is too long for a sequence of 8 and is cut "
                                   "around the mask"));
  EXPECT_TRUE(make_cloze({}, glm_tokenizer(), 16)->remarks(corpus).empty());
}

// Tokens furthest from the mask go, on the side that has more of them; all options see the same text.
TEST(Cloze, ALongTextIsCutAroundItsMask) {
  const Tokenizer tokenizer = glm_tokenizer();
  const Ids pair{20, 21};  // beside which 10 - 1 - 3 = 6 tokens of text fit
  auto kept = [&](const Ids& text) {
    const Stream sample = build(choices({{text, {22}, pair}}), {}, tokenizer, 10).sample;
    EXPECT_EQ(sample.sequence.size(), 2u);
    const auto size = sample.visible[0].end;
    const auto second = sample.token.begin() + sample.sequence[1].begin;
    EXPECT_TRUE(std::equal(sample.token.begin(), sample.token.begin() + size, second));
    return Ids(sample.token.begin() + 1, sample.token.begin() + size);
  };
  EXPECT_EQ(kept({11, 12, 13, kMask, 14, 15}), (Ids{11, 12, 13, kMask, 14, 15}));
  EXPECT_EQ(kept({11, 12, 13, 14, 15, 16, 17, kMask}), (Ids{13, 14, 15, 16, 17, kMask}));
  EXPECT_EQ(kept({kMask, 11, 12, 13, 14, 15, 16, 17}), (Ids{kMask, 11, 12, 13, 14, 15}));
  EXPECT_EQ(kept({11, 12, 13, 14, kMask, 15, 16, 17, 18}), (Ids{13, 14, kMask, 15, 16, 17}));
  EXPECT_EQ(kept({11, 12, 13, 14, 15, 16, kMask, 17}), (Ids{13, 14, 15, 16, kMask, 17}));
}

TEST(Cloze, TheLargestSampleIsFound) {
  const Tokenizer tokenizer = glm_tokenizer();
  const auto objective = make_cloze({}, tokenizer, 16);
  const TokenCorpus corpus = choices({{{11, kMask}, {20}, {21}},                      // 4 rows
                                      {{11, kMask}, {20}, {21, 22}},                  // 5 + 6 rows
                                      {{kMask, 11}, {20}, {21}, {22}, {23}, {24}}});  // 4 rows, 5 targets
  const LargestSample largest = objective->largest_sample(corpus);
  EXPECT_EQ(largest.rows, 11);
  EXPECT_EQ(largest.document, 1u);
  EXPECT_EQ(objective->largest_sample(corpus.first(1)).rows, 4);
  EXPECT_EQ(objective->largest_sample(choices({{{kMask, 11}, {20}, {21}, {22}, {23}, {24}}})).rows, 5);
  EXPECT_EQ(objective->extent(16).rows, 16);
  EXPECT_EQ(objective->extent(16).block_positions, 16);
  EXPECT_EQ(make_cloze(positions("repeat"), tokenizer, 16)->extent(16).block_positions, 1);
}

TEST(Cloze, RefusesTokenizersWithoutItsTokens) {
  EXPECT_ERROR(make_cloze({}, text_tokenizer(), 16), usage,
               HasSubstr("objective cloze needs a tokenizer with [MASK]"));
  ObjectiveOptions options;
  options.cloze.form = "multi_token";
  EXPECT_ERROR(make_cloze(options, word_tokenizer(), 16), usage,
               HasSubstr("objective cloze needs a tokenizer with <|startofpiece|>"));
  options.cloze.form = "multi";
  EXPECT_ERROR(make_cloze(options, glm_tokenizer(), 16), usage,
               "objective.cloze.form is unknown: found multi, expected auto or single_token or multi_token");
  EXPECT_ERROR(make_cloze(positions("two"), glm_tokenizer(), 16), usage,
               HasSubstr("objective.blank_infilling.position is unknown"));
  EXPECT_ERROR(make_cloze({}, glm_tokenizer(), 3), usage,
               HasSubstr("sequence length is impossible for objective cloze: found 3, expected at least 4"));
}

TEST(Cloze, RefusesDocumentsThatItCannotLayOut) {
  auto bad = [](const std::vector<Ids>& parts, const ObjectiveOptions& options, const Tokenizer& tokenizer,
                std::int64_t length) {
    Stream sample;
    const TokenCorpus corpus = choices({{{11, kMask}, {20}, {21}}, parts});
    const auto objective = make_cloze(options, tokenizer, length);
    EXPECT_THROW(objective->largest_sample(corpus), Error);
    objective->build(corpus, {.document = 1}, 0, sample);
  };
  EXPECT_ERROR(bad({{11, 12}, {20}, {21}}, {}, glm_tokenizer(), 16), data,
               "document 1: the text of a choice has one mask: found 0, expected 1");
  EXPECT_ERROR(bad({{kMask, glm::kGmask}, {20}, {21}}, {}, glm_tokenizer(), 16), data,
               "document 1: the text of a choice has one mask: found 2, expected 1");
  EXPECT_ERROR(
      bad({{kMask}, {20}, {21, 22, 23, 24, 25, 26}}, {}, glm_tokenizer(), 8), data,
      "document 1: option 1 of the choice leaves no room for its text: found 6 tokens, expected at most 5 "
      "in sequences of 8; raise data.sequence_length");
  EXPECT_ERROR(
      bad({{kMask}, {20}, {21, 22}}, {}, word_tokenizer(), 16), data,
      "document 1: option 1 of the choice is several tokens: found 2, expected 1; choose options of one "
      "token: a model without pieces fills a mask with one");
  for (const Tokenizer& tokenizer : {glm_tokenizer(), word_tokenizer()}) {
    EXPECT_ERROR(bad({{kMask}, {20}, {21}, {22}, {21}}, {}, tokenizer, 16), data,
                 "document 1: two options of the choice are the same tokens: found options 1 and 3, expected "
                 "options that differ");
  }
  EXPECT_ERROR(bad({{kMask}, {20, 21}, {20}, {20, 21}}, {}, glm_tokenizer(), 16), data,
               HasSubstr("found options 0 and 2"));
  ObjectiveOptions options;
  options.cloze.form = "single_token";
  EXPECT_ERROR(bad({{kMask}, {20, 21}, {22}}, options, glm_tokenizer(), 16), data,
               HasSubstr("option 0 of the choice is several tokens: found 2, expected 1; set "
                         "objective.cloze.form"));
}

TEST(Cloze, IsAnObjectiveOfItsKind) {
  const ObjectiveEntry* entry = find_objective("cloze");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->traits.kind, ObjectiveKind::choices);
  EXPECT_EQ(entry->traits.reads, DocumentKind::choice);
  EXPECT_TRUE(make_cloze({}, glm_tokenizer(), 16)->traits().own_sight);
  EXPECT_FALSE(make_cloze({}, word_tokenizer(), 16)->traits().own_sight);  // all rows see the whole text
}

}  // namespace
}  // namespace surprisal
