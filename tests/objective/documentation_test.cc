// The worked examples of docs/objectives, to the letter. They also fix which random numbers are drawn for
// what: a change here changes the samples of every run that resumes.
#include <bit>

#include <gtest/gtest.h>

#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using Ids = std::vector<std::int32_t>;

TokenCorpus example() {
  std::vector<TokenCorpus::Ids> ids(3);
  ids[0].tokens = {11, 12, 13, 14, 15, 16, 17, 18};
  ids[0].sentences = {0, 3, 5};
  ids[1].tokens = {21, 22, 23, 24};
  ids[1].sentences = {0, 2};
  ids[2].tokens = {31, 32, 33};
  return TokenCorpus::from_ids(ids);
}

std::vector<Stream> samples(const std::string& specification, std::uint32_t epoch = 0) {
  return samples_of(example(), Mixture(specification, {}, word_tokenizer(), 12), 1, epoch);
}

TEST(Documentation, MlmExample) {
  Stream first = samples("mlm", 0)[0], second = samples("mlm", 1)[0];
  EXPECT_EQ(first.token, (Ids{2, 11, 4, 13, 14, 4, 16, 17, 18, 3}));
  EXPECT_EQ(first.target, (std::vector<Target>{{2, 12}, {5, 15}}));
  EXPECT_EQ(second.token, (Ids{2, 11, 12, 13, 14, 15, 16, 17, 4, 3}));
  EXPECT_EQ(second.target, (std::vector<Target>{{5, 15}, {8, 18}}));
}

TEST(Documentation, NspExample) {
  auto pairs = samples("nsp");
  ASSERT_EQ(pairs.size(), 4u);
  EXPECT_EQ(pairs[0].token, (Ids{2, 11, 12, 13, 14, 15, 3, 23, 24, 3}));
  EXPECT_EQ(pairs[0].segment, (Ids{0, 0, 0, 0, 0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(pairs[1].token, (Ids{2, 16, 17, 18, 3, 21, 22, 23, 24, 3}));
  EXPECT_EQ(pairs[2].token, (Ids{2, 21, 22, 3, 23, 24, 3}));
  EXPECT_EQ(pairs[3].token, (Ids{2, 31, 32, 33, 3, 21, 22, 23, 24, 3}));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(pairs[i].label, (std::vector<Label>{{0, i == 2 ? 0 : 1}}));
}

TEST(Documentation, SopExample) {
  auto pairs = samples("sop");
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].token, (Ids{2, 16, 17, 18, 3, 11, 12, 13, 14, 15, 3}));
  EXPECT_EQ(pairs[0].segment, (Ids{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(pairs[0].label, (std::vector<Label>{{0, 1}}));
  EXPECT_EQ(pairs[1].token, (Ids{2, 21, 22, 3, 23, 24, 3}));
  EXPECT_EQ(pairs[1].segment, (Ids{0, 0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(pairs[1].label, (std::vector<Label>{{0, 0}}));
}

TEST(Documentation, WordAndSpanExamples) {
  TokenCorpus corpus = corpus_of({{10, 12, 13, 15, 16, 18, 20, 21, 22, 24, 26, 27, 28, 30}});
  auto sample = [&](const char* unit, std::uint32_t epoch) {
    MlmOptions options{.probability = 0.25, .unit = unit};
    return samples_of(corpus, Mixture("mlm", {.mlm = options}, piece_tokenizer(), 16), 1, epoch)[0];
  };
  EXPECT_EQ(sample("word", 0).token, (Ids{2, 10, 4, 4, 78, 16, 18, 20, 21, 4, 24, 26, 27, 28, 30, 3}));
  EXPECT_EQ(sample("word", 0).target, (std::vector<Target>{{2, 12}, {3, 13}, {4, 15}, {9, 22}}));
  EXPECT_EQ(sample("span", 0).token, (Ids{2, 10, 12, 13, 15, 16, 18, 20, 21, 4, 4, 4, 4, 28, 30, 3}));
  EXPECT_EQ(sample("span", 0).target, (std::vector<Target>{{9, 22}, {10, 24}, {11, 26}, {12, 27}}));
  EXPECT_EQ(sample("span", 3).token, (Ids{2, 10, 12, 13, 15, 16, 18, 20, 21, 22, 24, 42, 42, 44, 28, 3}));
  EXPECT_EQ(sample("span", 3).target, (std::vector<Target>{{11, 26}, {12, 27}, {13, 28}, {14, 30}}));
}

TEST(Documentation, BlankInfillingExample) {
  std::vector<TokenCorpus::Ids> ids(1);
  ids[0].tokens = {11, 12, 13, 14, 15, 16, 17, 18};
  ids[0].sentences = {0, 3, 5};
  const TokenCorpus corpus = TokenCorpus::from_ids(ids);
  auto sample = [&](const char* level, std::uint32_t epoch) {
    ObjectiveOptions options;
    options.blank_infilling = {.level = level, .mask_ratio = 0.4};
    return samples_of(corpus, Mixture("blank_infilling", options, glm_tokenizer(), 16), 1, epoch)[0];
  };
  auto targets = [](const Stream& stream) {
    Ids result;
    for (const Target& target : stream.target) result.push_back(target.id);
    return result;
  };
  const Stream token = sample("token", 4);
  EXPECT_EQ(token.token, (Ids{2, 4, 12, 4, 15, 4, 0, 7, 11, 7, 16, 17, 18, 7, 13, 14}));
  EXPECT_EQ(token.position, (Ids{0, 1, 2, 3, 4, 5, 6, 1, 1, 5, 5, 5, 5, 3, 3, 3}));
  EXPECT_EQ(token.block_position, (Ids{0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 2, 3, 4, 1, 2, 3}));
  EXPECT_EQ(targets(token), (Ids{11, 8, 16, 17, 18, 8, 13, 14, 8}));
  const Stream sentence = sample("sentence", 2);
  EXPECT_EQ(sentence.token, (Ids{2, 11, 12, 13, 6, 6, 0, 7, 16, 17, 18, 7, 14, 15}));
  EXPECT_EQ(sentence.position, (Ids{0, 1, 2, 3, 4, 5, 6, 5, 5, 5, 5, 4, 4, 4}));
  EXPECT_EQ(sentence.block_position, (Ids{0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 1, 2, 3}));
  EXPECT_EQ(targets(sentence), (Ids{16, 17, 18, 8, 14, 15, 8}));
  const Stream suffix = sample("document", 2);
  EXPECT_EQ(suffix.token, (Ids{2, 11, 12, 13, 5, 7, 14, 15, 16, 17, 18}));
  EXPECT_EQ(suffix.position, (Ids{0, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4}));
  EXPECT_EQ(suffix.block_position, (Ids{0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(targets(suffix), (Ids{14, 15, 16, 17, 18, 0}));
  const Stream middle = sample("document", 3);
  EXPECT_EQ(middle.token, (Ids{2, 5, 18, 0, 7, 11, 12, 13, 14, 15, 16, 17}));
  EXPECT_EQ(middle.position, (Ids{0, 1, 2, 3, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(middle.block_position, (Ids{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(targets(middle), (Ids{11, 12, 13, 14, 15, 16, 17, 8}));
}

TEST(Documentation, ConditionalExample) {
  std::vector<TokenCorpus::Ids> pairs(3);
  pairs[0] = {.tokens = {11, 12, 13, 21, 22}, .sentences = {0, 3}};
  pairs[1] = {.tokens = {11, 12, 13, 14, 15, 16, 21, 22}, .sentences = {0, 6}};
  pairs[2] = {.tokens = {11, 12, 13, 14, 15, 16, 21, 22, 23, 24, 25, 26, 27}, .sentences = {0, 6}};
  for (TokenCorpus::Ids& pair : pairs) pair.kind = DocumentKind::pair;
  const TokenCorpus corpus = TokenCorpus::from_ids(pairs);
  auto sample = [&](const Tokenizer& tokenizer, std::int64_t length, std::size_t pair,
                    const ObjectiveOptions& options = {}) {
    return samples_of(corpus, Mixture("conditional", options, tokenizer, length)).at(pair);
  };
  const Stream decoder = sample(text_tokenizer(), 16, 0);
  EXPECT_EQ(decoder.token, (Ids{0, 11, 12, 13, 21, 22}));
  EXPECT_EQ(decoder.target, (std::vector<Target>{{3, 21}, {4, 22}, {5, 0}}));
  ObjectiveOptions between;
  between.conditional.begin_of_text = "between";
  const Stream separated = sample(text_tokenizer(), 16, 0, between);
  EXPECT_EQ(separated.token, (Ids{11, 12, 13, 0, 21, 22}));
  EXPECT_EQ(separated.target, (std::vector<Target>{{3, 21}, {4, 22}, {5, 0}}));
  const Stream infilling = sample(glm_tokenizer(), 16, 0);
  EXPECT_EQ(infilling.token, (Ids{2, 11, 12, 13, 4, 0, 7, 21, 22}));
  EXPECT_EQ(infilling.position, (Ids{0, 1, 2, 3, 4, 5, 4, 4, 4}));
  EXPECT_EQ(infilling.block_position, (Ids{0, 0, 0, 0, 0, 0, 1, 2, 3}));
  EXPECT_EQ(infilling.target, (std::vector<Target>{{6, 21}, {7, 22}, {8, 8}}));
  ObjectiveOptions options;
  options.blank_infilling = BlankInfillingOptions::with_preset("glm-130b");
  EXPECT_EQ(sample(glm_tokenizer(), 16, 0, options).token, (Ids{11, 12, 13, 4, 7, 21, 22}));
  EXPECT_EQ(sample(glm_tokenizer(), 16, 0, options).position, (Ids{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(sample(text_tokenizer(), 8, 1).token, (Ids{0, 11, 12, 13, 14, 15, 21, 22}));
  EXPECT_EQ(sample(text_tokenizer(), 8, 2).token, (Ids{0, 11, 12, 21, 22, 23, 24, 25}));
  EXPECT_EQ(sample(text_tokenizer(), 8, 2).target.size(), 6u);
}

TEST(Documentation, ClozeExample) {
  auto sample = [](const Ids& tokens, std::vector<std::uint32_t> parts) {
    std::vector<TokenCorpus::Ids> ids(1);
    ids[0].tokens = tokens;
    ids[0].sentences = std::move(parts);
    ids[0].kind = DocumentKind::choice;
    ids[0].label = 1;
    return samples_of(TokenCorpus::from_ids(ids), Mixture("cloze", {}, glm_tokenizer(), 16), 1, 0)[0];
  };
  const Stream single = sample({11, 12, 4, 13, 20, 21}, {0, 4, 5});
  EXPECT_EQ(single.token, (Ids{2, 11, 12, 4, 13, 7}));
  EXPECT_EQ(single.position, (Ids{0, 1, 2, 3, 4, 3}));
  EXPECT_EQ(single.block_position, (Ids{0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(single.target, (std::vector<Target>{{5, 20, 1}, {5, 21, 1}}));
  EXPECT_EQ(single.choice, (std::vector<Choice>{{.option = {{0, 1}, {1, 2}}, .answer = 1}}));
  const Stream several = sample({11, 12, 4, 13, 20, 21, 22}, {0, 4, 5});
  EXPECT_EQ(several.token, (Ids{2, 11, 12, 4, 13, 7, 20, 2, 11, 12, 4, 13, 7, 21, 22}));
  EXPECT_EQ(several.position, (Ids{0, 1, 2, 3, 4, 3, 3, 0, 1, 2, 3, 4, 3, 3, 3}));
  EXPECT_EQ(several.block_position, (Ids{0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 1, 2, 3}));
  EXPECT_EQ(several.target, (std::vector<Target>{{5, 20}, {6, 8}, {12, 21}, {13, 22}, {14, 8}}));
  EXPECT_EQ(several.choice, (std::vector<Choice>{{.option = {{0, 2}, {2, 5}}, .answer = 1}}));
}

// A document of these parts, and the one sample that it is.
Stream labelled(const std::string& name, const Tokenizer& tokenizer, std::int64_t length, const Ids& tokens,
                std::vector<std::uint32_t> parts, std::vector<std::uint32_t> labels) {
  std::vector<TokenCorpus::Ids> ids(1);
  ids[0] = {.tokens = tokens, .sentences = std::move(parts), .kind = DocumentKind::labelled};
  ids[0].labels = std::move(labels);
  ObjectiveOptions options;
  options.classification.labels = {"no", "maybe", "yes"};
  options.classification.pair_field = "second";
  options.token_classification.labels = {"O", "B-X", "I-X"};
  return samples_of(TokenCorpus::from_ids(ids), Mixture(name, options, tokenizer, length))[0];
}

TEST(Documentation, ClassificationExample) {
  const Stream encoder =
      labelled("classification", word_tokenizer(), 8, {11, 12, 13, 14, 21, 22, 23}, {0, 4}, {2});
  EXPECT_EQ(encoder.token, (Ids{2, 11, 12, 13, 3, 21, 22, 3}));
  EXPECT_EQ(encoder.segment, (Ids{0, 0, 0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(encoder.label, (std::vector<Label>{{0, 2, 1}}));
  const Stream decoder =
      labelled("classification", text_tokenizer(), 6, {11, 12, 13, 14, 21, 22, 23}, {0, 4}, {2});
  EXPECT_EQ(decoder.token, (Ids{11, 12, 13, 21, 22, 23}));
  EXPECT_EQ(decoder.visible, (std::vector<Interval>{{0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {0, 6}}));
  EXPECT_EQ(decoder.label, (std::vector<Label>{{5, 2, 1}}));
}

TEST(Documentation, RegressionExample) {
  const Stream sample =
      labelled("regression", word_tokenizer(), 16, {11, 12}, {0}, {std::bit_cast<std::uint32_t>(2.5f)});
  EXPECT_EQ(sample.token, (Ids{2, 11, 12, 3}));
  EXPECT_EQ(sample.label, (std::vector<Label>{{0, 0, 1, 2.5f}}));
}

TEST(Documentation, TokenClassificationExample) {
  const auto sample = [](std::int64_t length) {
    return labelled("token_classification", word_tokenizer(), length, {11, 12, 13, 14}, {0, 2, 3},
                    {1, kNoLabel, 0});
  };
  EXPECT_EQ(sample(16).token, (Ids{2, 11, 12, 13, 14, 3}));
  EXPECT_EQ(sample(16).label, (std::vector<Label>{{1, 1, 1}, {4, 0, 1}}));
  EXPECT_EQ(sample(5).token, (Ids{2, 11, 12, 13, 3}));
  EXPECT_EQ(sample(5).label, (std::vector<Label>{{1, 1, 1}}));
}

TEST(Documentation, SumExample) {
  auto pairs = samples("mlm + nsp");
  ASSERT_EQ(pairs.size(), 4u);
  EXPECT_EQ(pairs[0].token, (Ids{2, 11, 4, 13, 14, 4, 3, 23, 24, 3}));
  EXPECT_EQ(pairs[0].target, (std::vector<Target>{{2, 12}, {5, 15}}));
  EXPECT_EQ(pairs[1].token, (Ids{2, 16, 17, 18, 3, 21, 4, 4, 24, 3}));
  EXPECT_EQ(pairs[1].target, (std::vector<Target>{{6, 22}, {7, 23}}));
  EXPECT_EQ(pairs[2].token, (Ids{2, 21, 22, 3, 23, 24, 3}));
  EXPECT_EQ(pairs[2].target, (std::vector<Target>{{5, 24}}));
  EXPECT_EQ(pairs[3].token, (Ids{2, 31, 32, 4, 3, 21, 22, 23, 24, 3}));
  EXPECT_EQ(pairs[3].target, (std::vector<Target>{{2, 32}, {3, 33}}));
}

}  // namespace
}  // namespace surprisal
