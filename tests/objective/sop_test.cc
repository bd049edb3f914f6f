#include "objective/sop.h"

#include <map>

#include "tests/core/error_matchers.h"
#include "tests/objective/pairs.h"

namespace surprisal {
namespace {

Mixture sop(std::int64_t length, const SopOptions& options = {}) {
  ObjectiveOptions all;
  all.sop = options;
  return Mixture("sop", all, word_tokenizer(), length);
}

std::vector<Pair> pairs_of(const TokenCorpus& corpus, const Mixture& mixture, std::uint32_t epoch = 0) {
  std::vector<Pair> pairs;
  for (const Stream& sample : samples_of(corpus, mixture, 1, epoch))
    pairs.push_back(take_apart(sample, mixture.sequence_length()));
  return pairs;
}

// In order A stands before B, swapped behind it, and nothing of the document is between them that truncation
// did not drop.
TEST(Sop, SegmentsFollowOneAnotherInTheirDocument) {
  TokenCorpus corpus = mixed_sentences(300);
  int in_order = 0, swapped = 0;
  for (std::uint32_t epoch = 0; epoch < 5; ++epoch) {
    for (const Pair& pair : pairs_of(corpus, sop(64), epoch)) {
      expect_run(pair.a);
      expect_run(pair.b);
      EXPECT_EQ(document_of(pair.a[0]), document_of(pair.b[0]));
      const auto& first = pair.swapped() ? pair.b : pair.a;
      const auto& second = pair.swapped() ? pair.a : pair.b;
      EXPECT_LT(place_of(first.back()), place_of(second.front()));
      ++(pair.swapped() ? swapped : in_order);
    }
  }
  ASSERT_GT(in_order + swapped, 5000);
  EXPECT_TRUE(within_three_sigma(swapped, in_order + swapped, 0.5)) << swapped;
}

TEST(Sop, WithoutTruncationNothingOfTheDocumentIsMissing) {
  TokenCorpus corpus = equal_sentences(20, 40, 5);
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    std::vector<std::int32_t> seen;
    for (Pair& pair : pass(sop(13, {.short_sequence = 0}), corpus, document)) {
      if (pair.swapped()) std::swap(pair.a, pair.b);
      EXPECT_EQ(pair.a.back() + 1, pair.b.front());
      seen.insert(seen.end(), pair.a.begin(), pair.a.end());
      seen.insert(seen.end(), pair.b.begin(), pair.b.end());
    }
    auto tokens = corpus.document(document).tokens;
    EXPECT_EQ(seen, std::vector<std::int32_t>(tokens.begin(), tokens.end()));
  }
}

TEST(Sop, SwapsAreDrawnWithTheirProbability) {
  TokenCorpus corpus = equal_sentences(200, 400, 2);
  for (double probability : {0.0, 0.25, 0.5, 1.0}) {
    double swapped = 0, all = 0, tokens = 0;
    for (const Pair& pair : pairs_of(corpus, sop(35, {.swap = probability}))) {
      swapped += pair.swapped();
      ++all;
      tokens += static_cast<double>(pair.a.size() + pair.b.size());
    }
    ASSERT_GT(tokens, 100000);
    EXPECT_TRUE(within_three_sigma(swapped, all, probability)) << swapped / all;
  }
}

// The length of a segment tells nothing of the order: A is a uniform number of sentences of the chunk in
// both.
TEST(Sop, LengthsDoNotTellTheOrder) {
  TokenCorpus corpus = equal_sentences(2, 10, 2);
  Mixture mixture = sop(23, {.short_sequence = 0});
  std::map<std::size_t, double> sizes;
  constexpr std::uint32_t kEpochs = 9000;
  for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch) {
    Pair pair = pass(mixture, corpus, 0, epoch)[0];
    ++sizes[(pair.swapped() ? pair.b : pair.a).size()];
  }
  ASSERT_EQ(sizes.size(), 9u);
  for (const auto& [size, count] : sizes) EXPECT_TRUE(within_three_sigma(count, kEpochs, 1.0 / 9)) << size;
}

// A sentence that fills the sequence alone takes another, and truncation shortens both.
TEST(Sop, LongSentencesMakePairsToo) {
  TokenCorpus corpus = equal_sentences(10, 20, 40);
  auto pairs = pass(sop(33, {.short_sequence = 0}), corpus, 3);
  ASSERT_EQ(pairs.size(), 10u);
  for (const Pair& pair : pairs) {
    EXPECT_EQ(pair.a.size(), 15u);
    EXPECT_EQ(pair.b.size(), 15u);
    EXPECT_EQ(pair.next, pair.begin + 80);
  }
}

// Three sentences a pair of 30: the last of ten is left alone, and left out.
TEST(Sop, ALastSentenceAloneIsLeftOut) {
  TokenCorpus corpus = equal_sentences(4, 10, 10);
  auto pairs = pairs_of(corpus, sop(33, {.short_sequence = 0}));
  EXPECT_EQ(pairs.size(), 12u);
  TokenCorpus mixed = sentences_of(
      3, [](std::int32_t document) { return std::vector<std::uint32_t>(document == 1 ? 2 : 1, 5); });
  auto samples = samples_of(mixed, Mixture("mlm + sop", {}, word_tokenizer(), 64));
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].sequence[0].document, 1u);
  Mixture joined("mlm + sop", {}, word_tokenizer(), 64);
  Sampler sampler(mixed, joined, 1, 64, SampleOrder::shuffled);
  EXPECT_EQ(sampler.packs_in_epoch(0), 1u);
}

TEST(Sop, JoinedByMlmThePairStaysAndTokensAreMasked) {
  TokenCorpus corpus = mixed_sentences(30);
  expect_same_but_masked(samples_of(corpus, sop(64)),
                         samples_of(corpus, Mixture("mlm + 2 sop", {}, word_tokenizer(), 64)));
}

TEST(Sop, NeedsTwoSentences) {
  TokenCorpus corpus = equal_sentences(3, 1, 4);
  EXPECT_ERROR(samples_of(corpus, sop(16)), data,
               "objective sop needs documents of two sentences or more: found 3 of one sentence; see what "
               "data.document and data.sentence say of this text");
  EXPECT_ERROR(Mixture("sop", {}, text_tokenizer(), 16), usage,
               testing::HasSubstr("objective sop needs a tokenizer with a template for pairs"));
  EXPECT_ERROR(sop(4), usage, testing::HasSubstr("sequence length is impossible for objective sop"));
}

TEST(Sop, RefusesImpossibleOptions) {
  EXPECT_ERROR(sop(16, {.swap = 2}), usage,
               "objective.sop.swap is out of range: found 2, expected a number in [0, 1]");
  EXPECT_ERROR(sop(16, {.short_sequence = -1}), usage,
               "objective.sop.short_sequence is out of range: found -1, expected a number in [0, 1]");
}

}  // namespace
}  // namespace surprisal
