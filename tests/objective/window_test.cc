// causal and reverse: the same windows, opposite reading directions.
#include "objective/window.h"

#include <algorithm>
#include <map>
#include <set>

#include "stream/check.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

constexpr std::int32_t b = kEndOfText, e = kEndOfText;  // one token is both in ours

std::vector<Stream> samples(const std::string& objective, const TokenCorpus& corpus, std::int64_t length) {
  Tokenizer tokenizer = text_tokenizer(1000);
  std::vector<Stream> samples = samples_of(corpus, Mixture(objective, {}, tokenizer, length));
  for (const Stream& sample : samples) {
    check_stream(sample, {.vocabulary = 1000, .positions = length, .segments = 1}, objective);
    EXPECT_EQ(sample.sequence.size(), 1u);
    EXPECT_TRUE(sample.label.empty());
    for (std::int32_t row = 0; row < sample.size(); ++row) {
      EXPECT_EQ(sample.position[row], row);
      EXPECT_EQ(sample.block_position[row], 0);
      EXPECT_EQ(sample.visible[row], (Interval{0, row + 1}));
      EXPECT_EQ(sample.target[row].row, row);
      EXPECT_EQ(sample.target[row].weight, 1);
    }
    EXPECT_EQ(sample.target.size(), sample.token.size());
  }
  return samples;
}

std::vector<std::int32_t> target_ids(const Stream& sample) {
  std::vector<std::int32_t> ids;
  for (const Target& target : sample.target) ids.push_back(target.id);
  return ids;
}

using Ids = std::vector<std::int32_t>;

TEST(Causal, WindowsOfADocumentAreExactlyThese) {
  auto found = samples("causal", corpus_of({{11, 12, 13, 14, 15, 16, 17, 18}}), 4);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].token, (Ids{b, 11, 12}));
  EXPECT_EQ(target_ids(found[0]), (Ids{11, 12, 13}));
  EXPECT_EQ(found[1].token, (Ids{13, 14, 15}));
  EXPECT_EQ(target_ids(found[1]), (Ids{14, 15, 16}));
  EXPECT_EQ(found[2].token,
            (Ids{16, 17, 18}));  // the document ends here, so its last row stays and predicts e
  EXPECT_EQ(target_ids(found[2]), (Ids{17, 18, e}));
}

TEST(Reverse, WindowsOfADocumentAreExactlyThese) {
  auto found = samples("reverse", corpus_of({{11, 12, 13, 14, 15, 16, 17, 18}}), 4);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].token, (Ids{14, 13, 12, 11}));
  EXPECT_EQ(target_ids(found[0]), (Ids{13, 12, 11, e}));
  EXPECT_EQ(found[1].token, (Ids{17, 16, 15}));
  EXPECT_EQ(target_ids(found[1]), (Ids{16, 15, 14}));
  EXPECT_EQ(found[2].token, (Ids{b, 18}));
  EXPECT_EQ(target_ids(found[2]), (Ids{18, 17}));
}

TEST(Windows, TheShortestDocumentsAndLengths) {
  for (const char* objective : {"causal", "reverse"}) {
    auto one = samples(objective, corpus_of({{11}}), 2);
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(one[0].token, (Ids{b, 11}));
    EXPECT_EQ(target_ids(one[0]), (Ids{11, e}));
    EXPECT_EQ(samples(objective, corpus_of({{11, 12, 13}}), 2).size(), 3u);
    // Exactly one window: sequence_length - 1 tokens need sequence_length rows.
    auto full = samples(objective, corpus_of({{11, 12, 13}}), 4);
    ASSERT_EQ(full.size(), 1u);
    EXPECT_EQ(full[0].size(), 4);
  }
}

TEST(Windows, EveryTokenIsATargetOnceInBothDirections) {
  TokenCorpus corpus = random_corpus(300, 400, 1000, 1);
  std::map<std::int32_t, std::uint64_t> wanted;
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    for (std::int32_t id : corpus.document(document).tokens) ++wanted[id];
    ++wanted[e];
  }
  for (std::int64_t length : {2, 3, 17, 64, 1024}) {
    for (const char* objective : {"causal", "reverse"}) {
      std::map<std::int32_t, std::uint64_t> targets;
      for (const Stream& sample : samples(objective, corpus, length)) {
        EXPECT_LE(sample.size(), length);
        for (std::int32_t id : target_ids(sample)) ++targets[id];
      }
      EXPECT_EQ(targets, wanted) << objective << " " << length;
    }
  }
}

// Sequence by sequence too, except for where e is: the windows are the same.
TEST(Windows, BothDirectionsHaveTheSameWindows) {
  TokenCorpus corpus = random_corpus(100, 400, 1000, 1);
  auto forward = samples("causal", corpus, 17), backward = samples("reverse", corpus, 17);
  ASSERT_EQ(forward.size(), backward.size());
  for (std::size_t i = 0; i < forward.size(); ++i) {
    Ids left = target_ids(forward[i]), right = target_ids(backward[i]);
    std::erase(left, e);
    std::erase(right, e);
    std::reverse(right.begin(), right.end());
    EXPECT_EQ(left, right);
    EXPECT_EQ(forward[i].sequence[0].document, backward[i].sequence[0].document);
  }
}

// `reverse` on a text is `causal` on its reversed ids, where one window holds the document. Otherwise the
// sequences differ by where they are cut: windows count from the text's beginning for both, so the remainder
// that the last window is lies at the end of the text for `reverse`, but at the end of the reversed ids for
// `causal`. The targets are equal all the same.
TEST(Reverse, IsCausalOnReversedIds) {
  TokenCorpus corpus = random_corpus(100, 60, 1000, 1);
  std::vector<std::vector<std::int32_t>> reversed;
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    auto tokens = corpus.document(document).tokens;
    reversed.emplace_back(tokens.rbegin(), tokens.rend());
  }
  TokenCorpus mirrored = corpus_of(reversed);
  EXPECT_EQ(samples("reverse", corpus, 61), samples("causal", mirrored, 61));
  std::multiset<std::int32_t> backward, forward;
  for (const Stream& sample : samples("reverse", corpus, 16)) {
    for (std::int32_t id : target_ids(sample)) backward.insert(id);
  }
  for (const Stream& sample : samples("causal", mirrored, 16)) {
    for (std::int32_t id : target_ids(sample)) forward.insert(id);
  }
  EXPECT_EQ(backward, forward);
}

TEST(Windows, BeginAndEndMayBeDifferentTokens) {
  TokenCorpus corpus = corpus_of({{11, 12}});
  auto found = samples_of(corpus, Mixture("causal", {}, full_tokenizer(), 8));
  EXPECT_EQ(found[0].token, (Ids{kCls, 11, 12}));
  EXPECT_EQ(target_ids(found[0]), (Ids{11, 12, kSep}));
  found = samples_of(corpus, Mixture("reverse", {}, full_tokenizer(), 8));
  EXPECT_EQ(found[0].token, (Ids{kCls, 12, 11}));
  EXPECT_EQ(target_ids(found[0]), (Ids{12, 11, kSep}));
}

TEST(Windows, NeedATokenizerWithBeginAndEndOfText) {
  EXPECT_ERROR(
      Mixture("causal", {}, word_tokenizer(), 8), usage,
      "objective causal needs a tokenizer with a begin-of-text token (bos): found one with pad [PAD], "
      "unk [UNK], cls [CLS], sep [SEP], mask [MASK]; `surprisal tokenizer train --type bpe` makes one "
      "that has it");
  Tokenizer half = word_tokenizer(100, R"({"bos_token":"[CLS]"})");
  EXPECT_ERROR(
      Mixture("reverse", {}, half, 8), usage,
      "objective reverse needs a tokenizer with an end-of-text token (eos): found one with bos [CLS]; "
      "`surprisal tokenizer train --type bpe` makes one that has it");
}

TEST(Windows, NeedRoomForAToken) {
  for (std::int64_t length : {-5, 0, 1}) {
    EXPECT_ERROR(
        Mixture("causal", {}, text_tokenizer(), length), usage,
        fmt::format("sequence length is impossible for objective causal: found {}, expected at least 2 "
                    "and at most 2147483647",
                    length));
  }
}

}  // namespace
}  // namespace surprisal
