#include "objective/nsp.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/core/error_matchers.h"
#include "tests/objective/pairs.h"

namespace surprisal {
namespace {

Mixture nsp(std::int64_t length, const NspOptions& options = {}) {
  ObjectiveOptions all;
  all.nsp = options;
  return Mixture("nsp", all, word_tokenizer(), length);
}

// Put-back loses nothing: passes tile the document, and what a pair uses of it is what its cursors say.
TEST(Nsp, PairsComeFromWhereTheCursorsSay) {
  TokenCorpus corpus = mixed_sentences(60);
  Mixture mixture = nsp(64);
  int next = 0, random = 0;
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    auto sentences = corpus.document(document).sentences;
    for (std::uint32_t epoch = 0; epoch < 5; ++epoch) {
      for (const Pair& pair : pass(mixture, corpus, document, epoch)) {
        expect_run(pair.a);
        expect_run(pair.b);
        EXPECT_EQ(document_of(pair.a[0]), document);
        EXPECT_GE(place_of(pair.a.front()), pair.begin);
        EXPECT_LT(place_of(pair.a.back()), pair.next);
        EXPECT_TRUE(std::binary_search(sentences.begin(), sentences.end(), pair.begin));
        if (pair.random()) {
          EXPECT_NE(document_of(pair.b[0]), document);
          ++random;
        } else {
          EXPECT_EQ(document_of(pair.b[0]), document);
          EXPECT_GT(place_of(pair.b.front()), place_of(pair.a.back()));
          EXPECT_LT(place_of(pair.b.back()), pair.next);
          ++next;
        }
      }
    }
  }
  EXPECT_GT(next, 100);
  EXPECT_GT(random, next);  // chunks of one sentence always take a random B
}

TEST(Nsp, WithoutTruncationNothingOfTheDocumentIsMissing) {
  // Two sentences of 5 tokens reach a target of 10 exactly, so no pair is ever too long.
  TokenCorpus corpus = equal_sentences(20, 40, 5);
  Mixture mixture = nsp(13, {.short_sequence = 0});
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    std::vector<std::int32_t> seen;
    for (const Pair& pair : pass(mixture, corpus, document)) {
      EXPECT_EQ(pair.a.size() + pair.b.size(), 10u);
      seen.insert(seen.end(), pair.a.begin(), pair.a.end());
      if (!pair.random()) seen.insert(seen.end(), pair.b.begin(), pair.b.end());
    }
    auto tokens = corpus.document(document).tokens;
    EXPECT_EQ(seen, std::vector<std::int32_t>(tokens.begin(), tokens.end()));
  }
}

TEST(Nsp, HalfOfThePairsThatCouldBeTrueAreRandom) {
  TokenCorpus corpus = equal_sentences(50, 400, 2);
  for (double probability : {0.5, 0.2}) {
    Mixture mixture = nsp(35, {.random_next = probability, .short_sequence = 0});
    double random = 0, all = 0, alone = 0;
    for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
      for (const Pair& pair : pass(mixture, corpus, document)) {
        bool one_sentence = pair.begin == 798;  // the last sentence of the document
        if (one_sentence) {
          EXPECT_TRUE(pair.random());
          ++alone;
        } else {
          random += pair.random();
          ++all;
        }
      }
    }
    ASSERT_GT(all, 1200);
    EXPECT_GT(alone, 0);
    EXPECT_TRUE(within_three_sigma(random, all, probability)) << random / all;
  }
}

TEST(Nsp, AChunkOfOneSentenceHasNoTrueNext) {
  TokenCorpus corpus = equal_sentences(10, 20, 40);  // a sentence alone is longer than any pair
  int pairs = 0;
  for (const Pair& pair : pass(nsp(32, {.random_next = 0}), corpus, 3)) {
    EXPECT_TRUE(pair.random());
    EXPECT_EQ(pair.next, pair.begin + 40);
    ++pairs;
  }
  EXPECT_EQ(pairs, 20);
}

TEST(Nsp, AEndsAfterAUniformSentenceOfItsChunk) {
  TokenCorpus corpus = equal_sentences(2, 10, 2);  // a chunk is the whole document: A has 1 to 9 sentences
  Mixture mixture = nsp(23, {.random_next = 0, .short_sequence = 0});
  std::map<std::size_t, double> sizes;
  constexpr std::uint32_t kEpochs = 9000;
  for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch)
    ++sizes[pass(mixture, corpus, 0, epoch)[0].a.size()];
  ASSERT_EQ(sizes.size(), 9u);
  for (const auto& [size, count] : sizes) EXPECT_TRUE(within_three_sigma(count, kEpochs, 1.0 / 9)) << size;
}

TEST(Nsp, RandomSecondsAreUniformOverOtherDocumentsAndSentences) {
  TokenCorpus corpus = equal_sentences(6, 4, 20);
  Mixture mixture = nsp(23, {.random_next = 1, .short_sequence = 0});
  std::map<std::uint64_t, double> documents;
  std::map<std::int64_t, double> sentences;
  double all = 0;
  for (std::uint32_t epoch = 0; epoch < 2000; ++epoch) {
    for (const Pair& pair : pass(mixture, corpus, 2, epoch)) {
      ++documents[document_of(pair.b[0])];
      ++sentences[place_of(pair.b[0]) / 20];
      ++all;
    }
  }
  EXPECT_EQ(documents.size(), 5u);
  EXPECT_EQ(documents.count(2), 0u);
  EXPECT_EQ(sentences.size(), 4u);
  for (const auto& [document, count] : documents)
    EXPECT_TRUE(within_three_sigma(count, all, 0.2)) << document;
  for (const auto& [sentence, count] : sentences)
    EXPECT_TRUE(within_three_sigma(count, all, 0.25)) << sentence;
}

TEST(Nsp, RandomSecondFillsWhatALeaves) {
  TokenCorpus corpus = equal_sentences(5, 100, 1);
  for (const Pair& pair : pass(nsp(33, {.random_next = 1, .short_sequence = 0}), corpus, 0)) {
    EXPECT_EQ(static_cast<std::int64_t>(pair.a.size()), pair.next - pair.begin);  // so nothing is truncated
    std::int64_t wanted = 30 - static_cast<std::int64_t>(pair.a.size());
    std::int64_t left = 100 - place_of(pair.b[0]);  // the other document may end before
    EXPECT_EQ(static_cast<std::int64_t>(pair.b.size()), std::min(wanted, left));
  }
}

TEST(Nsp, TruncationTakesFromTheLongerAtBothEnds) {
  TokenCorpus corpus = equal_sentences(4, 20, 31);
  int front = 0, back = 0;
  for (std::uint32_t epoch = 0; epoch < 20; ++epoch) {
    for (const Pair& pair : pass(nsp(33, {.short_sequence = 0}), corpus, 1, epoch)) {
      EXPECT_EQ(pair.a.size(), 15u);  // both begin with 31 or more: they end equal
      EXPECT_EQ(pair.b.size(), 15u);
      front += place_of(pair.a.front()) > pair.begin;
      back += place_of(pair.a.back()) % 31 < 30;
    }
  }
  EXPECT_GT(front, 100);
  EXPECT_GT(back, 100);
}

TEST(Nsp, ShortSequencesAreDrawnOnceAPass) {
  TokenCorpus corpus = equal_sentences(200, 200, 1);
  Mixture always = nsp(35, {.random_next = 0, .short_sequence = 1});
  std::map<std::size_t, double> lengths;
  double passes = 0;
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    for (std::uint32_t epoch = 0; epoch < 50; ++epoch) {
      auto pairs = pass(always, corpus, document, epoch);
      std::size_t length = pairs[0].a.size() + pairs[0].b.size();
      for (std::size_t i = 0; i + 1 < pairs.size(); ++i)
        EXPECT_EQ(pairs[i].a.size() + pairs[i].b.size(), length);
      ++lengths[length];
      ++passes;
    }
  }
  EXPECT_EQ(lengths.size(), 31u);  // uniform in [2, 32]
  EXPECT_EQ(lengths.begin()->first, 2u);
  EXPECT_EQ(lengths.rbegin()->first, 32u);
  double chi_square = 0;
  for (const auto& [length, count] : lengths) chi_square += std::pow(count - passes / 31, 2) / (passes / 31);
  EXPECT_LT(chi_square, 30 + 3 * std::sqrt(2 * 30.0));
  double shorter = 0;
  Mixture usually = nsp(35, {.random_next = 0});
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    for (std::uint32_t epoch = 0; epoch < 20; ++epoch) {
      auto pairs = pass(usually, corpus, document, epoch);
      shorter += pairs[0].a.size() + pairs[0].b.size() < 32;
    }
  }
  EXPECT_TRUE(within_three_sigma(shorter, 4000, 0.1 * 30 / 31)) << shorter;
}

TEST(Nsp, ACursorWithinASentenceMakesItsRestTheFirst) {
  TokenCorpus corpus = equal_sentences(2, 3, 10);
  Mixture mixture = nsp(13, {.random_next = 0, .short_sequence = 0});
  Stream sample;
  EXPECT_EQ(mixture.build(corpus, {.seed = 1}, 7, sample), 20);
  Pair pair = take_apart(sample, 13);
  EXPECT_EQ(place_of(pair.a.front()), 7);
  EXPECT_EQ(pair.a.size(), 3u);
  EXPECT_LE(pair.b.size(), 7u);
}

TEST(Nsp, TheShortestSequences) {
  TokenCorpus corpus = mixed_sentences(10);
  for (const Pair& pair : pass(nsp(5), corpus, 4)) EXPECT_EQ(pair.a.size() + pair.b.size(), 2u);
  EXPECT_ERROR(nsp(4), usage,
               "sequence length is impossible for objective nsp: found 4, expected at least 5 and at most "
               "2147483647");
}

TEST(Nsp, JoinedByMlmThePairStaysAndTokensAreMasked) {
  TokenCorpus corpus = mixed_sentences(30);
  Tokenizer tokenizer = word_tokenizer();
  auto pairs = samples_of(corpus, Mixture("nsp", {}, tokenizer, 64));
  for (const char* written : {"mlm + nsp", "nsp + mlm"}) {
    expect_same_but_masked(pairs, samples_of(corpus, Mixture(written, {}, tokenizer, 64)));
  }
}

TEST(Nsp, NeedsTwoDocuments) {
  TokenCorpus corpus = equal_sentences(1, 4, 4);
  EXPECT_ERROR(
      samples_of(corpus, nsp(16)), data,
      "objective nsp draws random sentences from other documents: found 1 document, expected at least 2; "
      "separate documents by blank lines, or set data.document");
}

TEST(Nsp, NeedsATemplateForPairs) {
  EXPECT_ERROR(
      Mixture("nsp", {}, text_tokenizer(), 16), usage,
      "objective nsp needs a tokenizer with a template for pairs that begins with a special token: found "
      "one with bos <|endoftext|>, eos <|endoftext|>; `surprisal tokenizer train --type wordpiece` makes "
      "one that has it");
}

TEST(Nsp, RefusesImpossibleOptions) {
  EXPECT_ERROR(nsp(16, {.random_next = 2}), usage,
               "objective.nsp.random_next is out of range: found 2, expected a number in [0, 1]");
  EXPECT_ERROR(nsp(16, {.short_sequence = -1}), usage,
               "objective.nsp.short_sequence is out of range: found -1, expected a number in [0, 1]");
}

}  // namespace
}  // namespace surprisal
