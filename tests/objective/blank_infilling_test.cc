#include "objective/blank_infilling.h"

#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "stream/check.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/blank_samples.h"

namespace surprisal {
namespace {

using namespace glm;
using Ids = std::vector<std::int32_t>;

// One document of `size` tokens, each unlike its neighbours.
TokenCorpus long_text(std::int32_t size, std::uint32_t sentence = 0) {
  std::vector<TokenCorpus::Ids> ids(1);
  for (std::int32_t i = 0; i < size; ++i) ids[0].tokens.push_back(kFirst + i % 90);
  for (std::uint32_t at = 0; sentence > 0 && at < static_cast<std::uint32_t>(size); at += sentence) {
    ids[0].sentences.push_back(at);
  }
  return TokenCorpus::from_ids(ids);
}

template <typename Visit>
void for_samples(const Mixture& mixture, const TokenCorpus& corpus, std::uint32_t epochs, Visit visit) {
  for (std::uint32_t epoch = 0; epoch < epochs; ++epoch) {
    for (const Stream& sample : samples_of(corpus, mixture, 1, epoch)) visit(sample);
  }
}

// Over a million spans of sequences of 512: lengths, the share of the text, the gap, what is never blank.
TEST(BlankInfilling, StatisticsOfAMillionSpans) {
  const TokenCorpus corpus = long_text(510);
  const Mixture mixture = infilling({}, 512);
  const Ids text = [&] {
    Ids ids{kCls};
    auto tokens = corpus.document(0).tokens;
    ids.insert(ids.end(), tokens.begin(), tokens.end());
    ids.push_back(kEnd);
    return ids;
  }();
  double spans = 0, tokens = 0, samples = 0, first = 0, last = 0, closest = 1e9;
  for_samples(mixture, corpus, 41500, [&](const Stream& sample) {
    const TakenApart apart = take_apart_blanks(sample);
    ASSERT_EQ(apart.text, text);
    ASSERT_GE(apart.blank_tokens(), 76);  // int(0.15 * 512)
    ASSERT_EQ(sample.size(), 512 + 2 * std::ssize(apart.size));
    ASSERT_GE(apart.begin.front(), 1);                       // never [CLS]
    ASSERT_LE(apart.begin.back() + apart.size.back(), 511);  // nor the end
    for (std::size_t i = 1; i < apart.begin.size(); ++i) {
      closest = std::min<double>(closest, apart.begin[i] - apart.begin[i - 1] - apart.size[i - 1]);
    }
    first += apart.begin.front() == 1;
    last += apart.begin.back() + apart.size.back() == 511;
    spans += static_cast<double>(apart.size.size());
    tokens += apart.blank_tokens();
    ++samples;
  });
  ASSERT_GE(spans, 1e6);
  EXPECT_EQ(closest, 1);  // never adjacent, though as near as may be
  EXPECT_GT(first, 0);    // spans may touch what is never blank
  EXPECT_GT(last, 0);
  // By Wald's identity the mean length is that of the distribution, 3 / (1 - e^-3).
  EXPECT_NEAR(tokens / spans, 3.157187, 3 * 1.6312 / std::sqrt(spans));
  // 76 and what the last span has beyond: E[l^2] / (2 E[l]) - 1/2 on average.
  EXPECT_NEAR(tokens / samples, 77.5, 0.03);
}

TEST(BlankInfilling, AllOrdersOfPiecesAreEquallyLikely) {
  const TokenCorpus corpus = long_text(58);
  std::map<std::vector<std::size_t>, double> orders;
  for_samples(infilling({}, 60), corpus, 60000, [&](const Stream& sample) {
    const TakenApart apart = take_apart_blanks(sample);
    if (apart.order.size() == 3) ++orders[apart.order];
  });
  ASSERT_EQ(orders.size(), 6u);
  double all = 0, chi_square = 0;
  for (const auto& [order, count] : orders) all += count;
  ASSERT_GT(all, 10000);
  for (const auto& [order, count] : orders) chi_square += std::pow(count - all / 6, 2) / (all / 6);
  EXPECT_LT(chi_square, 5 + 3 * std::sqrt(10.0));
}

TEST(BlankInfilling, WithoutShufflingPiecesRunFromLeftToRight) {
  const TokenCorpus corpus = long_text(58);
  std::vector<Stream> shuffled, straight;
  for_samples(infilling({}, 60), corpus, 50, [&](const Stream& sample) { shuffled.push_back(sample); });
  for_samples(infilling({.shuffle = false}, 60), corpus, 50,
              [&](const Stream& sample) { straight.push_back(sample); });
  int moved = 0;
  for (std::size_t i = 0; i < straight.size(); ++i) {
    const TakenApart apart = take_apart_blanks(straight[i]);
    EXPECT_TRUE(std::is_sorted(apart.order.begin(), apart.order.end()));
    EXPECT_EQ(apart.begin, take_apart_blanks(shuffled[i]).begin) << "the blanks are the same";
    moved += straight[i].token != shuffled[i].token;
  }
  EXPECT_GT(moved, 25);
}

// Long documents of sentences, under every level: windows put together are the text, and end as they should.
TEST(BlankInfilling, WindowsCoverTheText) {
  const TokenCorpus corpus = random_corpus(300, 400, 100, kFirst);
  for (const char* level : {"token", "sentence", "document"}) {
    for (bool whole : {true, false}) {
      const Mixture mixture = infilling({.level = level, .suffix = 0, .whole_sentences = whole}, 40);
      std::map<std::uint64_t, Ids> found;
      std::int64_t at_sentences = 0, windows = 0;
      for_samples(mixture, corpus, 1, [&](const Stream& sample) {
        check_stream(sample, {.vocabulary = 100, .positions = 40}, level);
        const TakenApart apart = take_apart_blanks(sample);
        ASSERT_EQ(apart.text.front(), kCls);
        const std::uint64_t document = sample.sequence.front().document;
        const TokenDocument wanted = corpus.document(document);
        Ids& text = found[document];
        text.insert(text.end(), apart.text.begin() + 1, apart.text.end());
        if (text.back() == kEnd || text.size() == wanted.tokens.size()) return;
        ++windows;
        const bool ends_sentence =
            std::binary_search(wanted.sentences.begin(), wanted.sentences.end(), text.size());
        at_sentences += ends_sentence;
        EXPECT_TRUE(std::ssize(apart.text) == 40 || (whole && ends_sentence));
        EXPECT_GE(std::ssize(apart.text), 20);
      });
      EXPECT_EQ(found.size(), corpus.documents());
      for (auto& [document, text] : found) {
        auto tokens = corpus.document(document).tokens;
        Ids wanted(tokens.begin(), tokens.end());
        if (text.back() == kEnd) text.pop_back();
        EXPECT_EQ(text, wanted);
      }
      ASSERT_GT(windows, 500);
      if (whole) {
        EXPECT_EQ(at_sentences, windows) << "sentences have 15 tokens at most";
      }
      if (!whole) {
        EXPECT_LT(at_sentences, windows / 3);
      }
    }
  }
}

TEST(BlankInfilling, TheLastTokenOfATextThatGoesOnIsNeverInASpan) {
  const TokenCorpus corpus = long_text(1000);
  int next_to_it = 0;
  for_samples(infilling({}, 12), corpus, 40, [&](const Stream& sample) {
    const TakenApart apart = take_apart_blanks(sample);
    const std::int32_t end = apart.begin.back() + apart.size.back(),
                       rows = static_cast<std::int32_t>(apart.text.size());
    EXPECT_LT(end, rows);
    next_to_it += end + 1 == rows;
  });
  EXPECT_GT(next_to_it, 100);
}

TEST(BlankInfilling, SentencesAreWholeAndAnyOfThem) {
  const TokenCorpus corpus = long_text(38, 5);  // eight sentences, the last of 3 tokens
  std::map<std::int32_t, double> chosen;
  double samples = 0, adjacent = 0;
  for_samples(infilling({.level = "sentence"}, 40), corpus, 8000, [&](const Stream& sample) {
    const TakenApart apart = take_apart_blanks(sample);
    EXPECT_EQ(apart.mask, kSmask);
    for (std::size_t i = 0; i < apart.size.size(); ++i) {
      EXPECT_EQ(apart.begin[i] % 5, 1);
      EXPECT_EQ(apart.size[i], apart.begin[i] == 36 ? 3 : 5);
      ++chosen[apart.begin[i]];
      adjacent += i > 0 && apart.begin[i] == apart.begin[i - 1] + apart.size[i - 1];
    }
    EXPECT_EQ(apart.size.size(), 2u);  // int(0.15 * 40) = 6
    ++samples;
  });
  ASSERT_EQ(chosen.size(), 8u);
  for (const auto& [begin, count] : chosen) EXPECT_TRUE(within_three_sigma(count, samples, 0.25)) << begin;
  EXPECT_TRUE(within_three_sigma(adjacent, samples, 7.0 / 28))
      << "two masks in a row are as likely as others";
}

// Both forms, and lengths within their range, all alike.
TEST(BlankInfilling, DocumentsAreBlankAtTheirEndOrWithin) {
  const TokenCorpus corpus = long_text(18);  // [CLS] and the end: 20 rows, so 10 to 18 are blank
  std::map<std::int32_t, double> lengths;
  double suffixes = 0, samples = 0;
  std::set<std::int32_t> begins;
  for_samples(infilling({.level = "document", .suffix = 0.3}, 32), corpus, 20000, [&](const Stream& sample) {
    const bool suffix = sample.target.back().id == kEnd;
    const TakenApart apart = take_apart_blanks(sample, suffix ? -1 : kEndOfPiece);
    ASSERT_EQ(apart.size.size(), 1u);
    EXPECT_EQ(apart.mask, kGmask);
    EXPECT_EQ(apart.text.size(), 20u);
    EXPECT_EQ(sample.size(), suffix ? 21 : 22);
    if (suffix) {
      EXPECT_EQ(apart.begin[0] + apart.size[0], 20);
    }
    if (!suffix) {
      EXPECT_LE(apart.begin[0] + apart.size[0], 19);
    }
    if (!suffix && apart.size[0] == 10) begins.insert(apart.begin[0]);
    ++lengths[apart.size[0]];
    suffixes += suffix;
    ++samples;
  });
  EXPECT_TRUE(within_three_sigma(suffixes, samples, 0.3)) << suffixes;
  ASSERT_EQ(lengths.size(), 9u);
  EXPECT_EQ(lengths.begin()->first, 10);
  for (const auto& [length, count] : lengths) {
    EXPECT_TRUE(within_three_sigma(count, samples, 1.0 / 9)) << length << ": " << count;
  }
  EXPECT_EQ(begins, (std::set<std::int32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(BlankInfilling, RangesAndEndsOfTheDocumentsBlank) {
  const TokenCorpus corpus = long_text(18);
  for_samples(infilling({.level = "document",
                         .document_min_ratio = 0.2,
                         .document_max_ratio = 0.3,
                         .suffix = 1,
                         .document_mask = "[MASK]",
                         .suffix_end_of_piece = true},
                        32),
              corpus, 200, [&](const Stream& sample) {
                const TakenApart apart = take_apart_blanks(sample);
                EXPECT_EQ(apart.mask, kMask);
                EXPECT_TRUE(apart.size[0] >= 4 && apart.size[0] <= 6);
                EXPECT_EQ(apart.text.back(), kEnd);
                EXPECT_EQ(sample.size(), 22);
              });
}

TEST(BlankInfilling, ASingleSpan) {
  double single = 0, samples = 0;
  for_samples(infilling({.single_span = 0.3}, 512), long_text(510), 3000, [&](const Stream& sample) {
    single += take_apart_blanks(sample).size.size() == 1;
    ++samples;
  });
  EXPECT_TRUE(within_three_sigma(single, samples, 0.3)) << single;
}

TEST(BlankInfilling, NoiseHidesInputsNotTargets) {
  const TokenCorpus corpus = long_text(510);
  const Mixture plain = infilling({}, 512), noisy = infilling({.noise = 0.1}, 512);
  double hidden = 0, inputs = 0;
  for (std::uint32_t epoch = 0; epoch < 300; ++epoch) {
    Stream without = samples_of(corpus, plain, 1, epoch)[0], sample = samples_of(corpus, noisy, 1, epoch)[0];
    const TakenApart apart = take_apart_blanks(sample);
    hidden += apart.hidden;
    inputs += apart.inputs;
    for (std::size_t row = 0; row < sample.token.size(); ++row) {
      if (sample.token[row] != without.token[row]) {
        EXPECT_EQ(sample.token[row], kBlock);
      }
    }
    sample.token = without.token;
    EXPECT_EQ(sample, without) << "nothing else changes";
  }
  EXPECT_TRUE(within_three_sigma(hidden, inputs, 0.1)) << hidden / inputs;
  for_samples(infilling({.level = "0.5 sentence | 0.5 document", .noise = 1}, 40), long_text(600, 6), 5,
              [&](const Stream& sample) {
                EXPECT_EQ(std::count(sample.token.begin(), sample.token.end(), kBlock), 0);
              });
}

std::map<std::int32_t, double> masks_of(const Mixture& mixture, const TokenCorpus& corpus,
                                        std::uint32_t epochs) {
  std::map<std::int32_t, double> masks;
  for_samples(mixture, corpus, epochs, [&](const Stream& sample) {
    std::set<std::int32_t> found;
    for (std::int32_t mask : {kMask, kGmask, kSmask}) {
      if (std::count(sample.token.begin(), sample.token.end(), mask) > 0) found.insert(mask);
    }
    ASSERT_EQ(found.size(), 1u);
    ++masks[*found.begin()];
  });
  return masks;
}

TEST(BlankInfilling, LevelsAreMixed) {
  const TokenCorpus corpus = long_text(38, 5);
  auto masks = masks_of(infilling({.level = "4 token | 0.3 document| 5.7 sentence"}, 40), corpus, 20000);
  EXPECT_TRUE(within_three_sigma(masks[kMask], 20000, 0.4)) << masks[kMask];
  EXPECT_TRUE(within_three_sigma(masks[kSmask], 20000, 0.57)) << masks[kSmask];
  EXPECT_TRUE(within_three_sigma(masks[kGmask], 20000, 0.03)) << masks[kGmask];
  masks = masks_of(infilling({.level = "0 token | document"}, 40), corpus, 200);
  EXPECT_EQ(masks.size(), 1u);
  EXPECT_EQ(masks[kGmask], 200);
}

// Shares are shares of the text: a level whose windows are a quarter as long is drawn four times as often.
TEST(BlankInfilling, ShorterWindowsAreDrawnMoreOften) {
  const TokenCorpus corpus = long_text(100000);
  double token_rows = 0, rows = 0;
  for_samples(infilling({.level = "0.3 token | 0.7 document", .suffix = 1, .parts = 4}, 80), corpus, 10,
              [&](const Stream& sample) {
                const std::int32_t mask =
                    std::count(sample.token.begin(), sample.token.end(), kMask) > 0 ? kMask : kGmask;
                const TakenApart apart = take_apart_blanks(sample, mask == kMask ? kEndOfPiece : -1);
                const double size = static_cast<double>(apart.text.size());
                EXPECT_LE(size, mask == kMask ? 20 : 80);
                token_rows += mask == kMask ? size : 0;
                rows += size;
              });
  EXPECT_NEAR(token_rows / rows, 0.3, 0.01);
}

TEST(BlankInfilling, OneLevelAlone) {
  const TokenCorpus corpus = long_text(38, 5);
  for (auto [name, mask] : {std::pair{"blank_infilling:token", kMask},
                            {"blank_infilling:sentence", kSmask},
                            {"blank_infilling:document", kGmask}}) {
    Mixture mixture(name, {}, glm_tokenizer(), 40);
    auto masks = masks_of(mixture, corpus, 20);
    EXPECT_EQ(masks.size(), 1u);
    EXPECT_EQ(masks.begin()->first, mask);
  }
}

TEST(BlankInfilling, PacksOfOneLevel) {
  const TokenCorpus corpus = random_corpus(2000, 60, 100, kFirst);
  BlankInfillingOptions options{.level = "0.4 token | 0.3 sentence | 0.3 document"};
  auto levels_of_packs = [&] {
    const Mixture mixture = infilling(options, 40);
    Sampler sampler(corpus, mixture, 1, 128, SampleOrder::shuffled);
    std::map<std::set<std::int32_t>, int> packs;
    std::set<std::uint64_t> samples;
    Stream stream;
    for (std::uint64_t left = sampler.packs_in_epoch(0); left > 0; --left) {
      sampler.next(stream);
      std::set<std::int32_t> masks;
      for (std::int32_t id : stream.token) {
        if (id == kMask || id == kGmask || id == kSmask) masks.insert(id);
      }
      ++packs[masks];
      for (const Sequence& sequence : stream.sequence) {
        EXPECT_TRUE(samples.insert(sequence.sample).second);
      }
    }
    EXPECT_EQ(samples.size(), samples_of(corpus, mixture).size());
    return packs;
  };
  EXPECT_GT(levels_of_packs().size(), 3u);
  options.level_per = "micro_batch";
  auto packs = levels_of_packs();
  EXPECT_EQ(packs.size(), 3u);
  for (const auto& [masks, count] : packs) {
    EXPECT_EQ(masks.size(), 1u);
    EXPECT_GT(count, 50);
  }
}

TEST(BlankInfilling, ShortSequences) {
  const TokenCorpus corpus = [] {
    std::vector<Ids> documents(400, Ids(600, 50));
    return corpus_of(documents);
  }();
  double shorter = 0;
  std::map<std::uint64_t, std::set<std::int32_t>> sizes;  // of the windows of a document but its last
  for_samples(
      infilling({.short_sequence = 0.25, .whole_sentences = false}, 64), corpus, 1,
      [&](const Stream& sample) {
        const TakenApart apart = take_apart_blanks(sample);
        if (apart.text.back() != kEnd)
          sizes[sample.sequence.front().document].insert(static_cast<std::int32_t>(apart.text.size()));
      });
  for (const auto& [document, lengths] : sizes) {
    ASSERT_EQ(lengths.size(), 1u) << "one length for a pass over a document";
    EXPECT_TRUE(*lengths.begin() == 64 || (*lengths.begin() >= 32 && *lengths.begin() <= 62));
    shorter += *lengths.begin() != 64;
  }
  EXPECT_TRUE(within_three_sigma(shorter, 400, 0.25)) << shorter;
}

// No sample goes beyond the bounds, and some reach them.
TEST(BlankInfilling, ExtentBoundsEverySample) {
  const TokenCorpus corpus = random_corpus(400, 200, 100, kFirst);
  std::vector<BlankInfillingOptions> cases;
  for (const char* level : {"token", "sentence", "document"}) {
    for (const char* position : {"two_dimensional", "repeat", "continue"}) {
      cases.push_back({.level = level, .position = position});
      cases.push_back({.level = level, .mask_ratio = 1, .gap = 0, .position = position});
      cases.push_back({.level = level, .poisson_lambda = 1e-9, .end_of_piece = false, .position = position});
      cases.push_back({.level = level, .mask_ratio = 0.5, .special_tokens = false, .compatible = true});
    }
  }
  for (const BlankInfillingOptions& options : cases) {
    const Mixture mixture = infilling(options, 32);
    const SampleExtent extent = mixture.extent();
    SampleExtent found;
    for_samples(mixture, corpus, 3, [&](const Stream& sample) {
      check_stream(
          sample,
          {.vocabulary = 100, .positions = extent.positions, .block_positions = extent.block_positions},
          options.level + " " + options.position);
      found.rows = std::max<std::int64_t>(found.rows, sample.size());
    });
    EXPECT_LE(found.rows, extent.rows) << options.level;
    EXPECT_GE(found.rows, 32);
    if (options.compatible) {
      EXPECT_EQ(found.rows, 32);
    }
    // Single tokens, as many as are allowed: the bound is reached.
    if (options.poisson_lambda < 1 && options.level == "token") {
      EXPECT_EQ(found.rows, extent.rows);
    }
    if (options.level == "document") {
      EXPECT_EQ(found.rows, extent.rows);
    }
  }
}

TEST(BlankInfilling, MixesWithOtherObjectives) {
  const TokenCorpus corpus = random_corpus(800, 60, 100, kFirst);
  const Tokenizer tokenizer = Tokenizer::from_json(
      glm_tokenizer().tokenizer_json(),
      R"({"cls_token":"[CLS]","mask_token":"[MASK]","bos_token":"[CLS]","eos_token":"<|endoftext|>"})",
      "full");
  Mixture mixture("0.5 blank_infilling | 0.2 causal | 0.2 reverse | 0.1 mlm", {}, tokenizer, 32);
  EXPECT_EQ(mixture.extent().rows, 32 + 2 * 4);
  EXPECT_FALSE(mixture.decoder());
  EXPECT_FALSE(mixture.covers_text());
  std::map<std::int32_t, double> parts;
  double samples = 0;
  for_samples(mixture, corpus, 5, [&](const Stream& sample) {
    check_stream(sample, {.vocabulary = 100, .positions = 32, .block_positions = 33}, "sample");
    ++parts[sample.sequence.front().part];
    ++samples;
  });
  EXPECT_NEAR(parts[0] / samples, 0.5, 0.02);
  EXPECT_NEAR(parts[1] / samples, 0.2, 0.02);
  Sampler sampler(corpus, mixture, 1, 64, SampleOrder::shuffled);
  Stream stream;
  sampler.next(stream);
  EXPECT_LE(stream.size(), 64);
}

}  // namespace
}  // namespace surprisal
