#include "objective/sampler.h"

#include <map>
#include <set>

#include "stream/check.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

constexpr std::int32_t kPack = 64;

class SamplerTest : public testing::TestWithParam<const char*> {
 protected:
  TokenCorpus corpus_ = random_corpus(1500, 60, 100, 0);
  Mixture mixture_{GetParam(), {}, full_tokenizer(), 24};

  Sampler sampler(SampleOrder order = SampleOrder::shuffled, std::uint64_t seed = 1) {
    return Sampler(corpus_, mixture_, seed, kPack, order);
  }
};

INSTANTIATE_TEST_SUITE_P(Objectives, SamplerTest,
                         testing::Values("causal", "reverse", "mlm", "nsp", "mlm + nsp",
                                         "0.4 causal | 0.3 reverse | 0.3 mlm + nsp"));

using Samples = std::map<std::uint64_t, Stream>;  // by key

Samples unpacked(Sampler& sampler, std::uint32_t epoch) {
  Samples samples;
  Stream stream;
  for (std::uint64_t packs = sampler.packs_in_epoch(epoch); packs > 0; --packs) {
    sampler.next(stream);
    EXPECT_LE(stream.size(), kPack);
    EXPECT_FALSE(stream.empty());
    check_stream(stream, {.vocabulary = 100, .positions = 24, .segments = 2, .classes = 2}, "pack");
    for (std::size_t i = 0; i < stream.sequence.size(); ++i) {
      EXPECT_EQ(stream.sequence[i].epoch, epoch);
      for (std::int32_t row = stream.sequence[i].begin; row < stream.sequence[i].end; ++row) {
        EXPECT_GE(stream.visible[row].begin, stream.sequence[i].begin);
        EXPECT_LE(stream.visible[row].end, stream.sequence[i].end);
      }
      bool is_new = samples.emplace(stream.sequence[i].sample, alone(stream, i)).second;
      EXPECT_TRUE(is_new) << "a sample came twice";
    }
  }
  return samples;
}

// No sequence is cut, none sees another, none is missing: packs hold exactly the samples that for_each_sample
// makes.
TEST_P(SamplerTest, EverySampleComesOnceAnEpochAsItIsAlone) {
  for (SampleOrder order : {SampleOrder::shuffled, SampleOrder::as_written}) {
    Sampler packs = sampler(order);
    for (std::uint32_t epoch = 0; epoch < 2; ++epoch) {
      Samples wanted;
      for (const Stream& sample : samples_of(corpus_, mixture_, 1, epoch)) {
        wanted.emplace(sample.sequence[0].sample, sample);
      }
      Samples found = unpacked(packs, epoch);
      ASSERT_GT(found.size(), 1500u);
      EXPECT_EQ(found, wanted);
    }
    EXPECT_EQ(packs.position().epoch, 1u);
  }
}

TEST_P(SamplerTest, ResumesFromAnyPositionWithTheSameStreams) {
  Sampler straight = sampler();
  std::vector<SamplerPosition> positions;
  std::vector<Stream> streams;
  std::uint64_t packs = straight.packs_in_epoch(0) + 20;  // into the second epoch
  for (std::uint64_t i = 0; i < packs; ++i) {
    positions.push_back(straight.position());
    straight.next(streams.emplace_back());
  }
  ASSERT_GT(positions.back().epoch, 0u);
  Sampler other = sampler();
  Stream stream;
  for (std::size_t i = streams.size(); i > 0;
       i -= std::min<std::size_t>(i, 37)) {  // backwards: no history helps
    other.seek(positions[i - 1]);
    EXPECT_EQ(other.position(), positions[i - 1]);
    for (std::size_t j = i - 1; j < std::min(i + 3, streams.size()); ++j) {
      other.next(stream);
      ASSERT_EQ(stream, streams[j]) << "resumed at " << i - 1 << ", pack " << j;
    }
    if (i % 5 == 0) other.packs_in_epoch(1);  // counting moves nothing
  }
}

TEST_P(SamplerTest, FillsItsPacks) {
  Sampler packs = sampler();
  double rows = 0, capacity = 0;
  Stream stream;
  for (std::uint64_t left = packs.packs_in_epoch(0); left > 0; --left) {
    packs.next(stream);
    rows += stream.size();
    capacity += kPack;
  }
  EXPECT_GT(rows / capacity, 0.85);  // pairs are mostly 24 rows long, which leaves 16 of 64
}

TEST(Sampler, OrderChangesWithEpochAndSeedButNotAsWritten) {
  TokenCorpus corpus = random_corpus(500, 60, 100);
  Mixture mixture("causal", {}, full_tokenizer(), 24);
  auto first = [&](SampleOrder order, std::uint64_t seed, std::uint32_t epoch) {
    Sampler sampler(corpus, mixture, seed, kPack, order);
    sampler.seek({.epoch = epoch});
    Stream stream;
    sampler.next(stream);
    return stream.sequence[0].document;
  };
  std::set<std::uint64_t> shuffled;
  for (std::uint32_t epoch = 0; epoch < 4; ++epoch) {
    shuffled.insert(first(SampleOrder::shuffled, 1, epoch));
    shuffled.insert(first(SampleOrder::shuffled, 2, epoch));
    EXPECT_EQ(first(SampleOrder::as_written, 1, epoch), 0u);
  }
  EXPECT_GT(shuffled.size(), 4u);
}

// Windows are small beside the corpus: what is held and replayed does not grow with it.
TEST(Sampler, AWindowMakesAboutSixtyFourPacks) {
  TokenCorpus corpus = random_corpus(20000, 60, 100);
  Mixture mixture("causal", {}, full_tokenizer(), 24);
  Sampler sampler(corpus, mixture, 1, kPack, SampleOrder::shuffled);
  Stream stream;
  std::uint64_t packs = 0;
  for (; sampler.position().window < 20; ++packs) sampler.next(stream);
  EXPECT_NEAR(static_cast<double>(packs) / 20, 66, 6);  // 64, and a row more for every document: its end
}

TEST(Sampler, SkipsWindowsThatGiveNothing) {
  std::vector<std::vector<std::int32_t>> documents(2000, std::vector<std::int32_t>(20, kUnk));
  documents[1500].assign(20, 50);
  documents[700].assign(20, 51);
  TokenCorpus corpus = corpus_of(documents);
  Mixture mixture("mlm", {}, full_tokenizer(), 24);
  Sampler sampler(corpus, mixture, 1, 24, SampleOrder::as_written);
  EXPECT_EQ(sampler.packs_in_epoch(0), 2u);
  Stream stream;
  for (std::uint64_t document : {700, 1500, 700, 1500}) {
    sampler.next(stream);
    EXPECT_EQ(stream.sequence[0].document, document);
  }
  EXPECT_EQ(sampler.position().epoch, 1u);
}

TEST(Sampler, RefusesACorpusWithoutATarget) {
  TokenCorpus corpus = corpus_of({{kUnk}, {kUnk, kUnk}});
  Mixture mixture("mlm", {}, full_tokenizer(), 24);
  const char* message =
      "the corpus has no target for objective \"mlm\"; give text with tokens that are not special";
  EXPECT_ERROR(Sampler(corpus, mixture, 1, kPack, SampleOrder::shuffled), data, message);
  EXPECT_ERROR(samples_of(corpus, mixture), data, message);
}

TEST(Sampler, RefusesOneDocumentForNsp) {
  TokenCorpus corpus = corpus_of({{50, 51}});
  Mixture mixture("mlm + nsp", {}, full_tokenizer(), 24);
  EXPECT_ERROR(
      Sampler(corpus, mixture, 1, kPack, SampleOrder::shuffled), data,
      testing::StartsWith("objective nsp draws random sentences from other documents: found 1 document"));
}

TEST(Sampler, RefusesSamplesLongerThanAPack) {
  TokenCorpus corpus = random_corpus(5, 60, 100);
  Mixture mixture("causal", {}, full_tokenizer(), 65);
  EXPECT_ERROR(
      Sampler(corpus, mixture, 1, 64, SampleOrder::shuffled), usage,
      "a sample may be longer than a micro-batch: found a sequence length of 65, expected at most 64 tokens; "
      "raise train.micro_batch_tokens or lower data.sequence_length");
}

TEST(Sampler, SeekRefusesPlacesThatAreNot) {
  TokenCorpus corpus = random_corpus(1000, 60, 100);
  Mixture mixture("causal", {}, full_tokenizer(), 24);
  Sampler sampler(corpus, mixture, 1, kPack, SampleOrder::shuffled);
  Stream before, after;
  sampler.next(before);
  SamplerPosition position = sampler.position();
  EXPECT_ERROR(
      sampler.seek({.window = 1000}), data,
      testing::AllOf(testing::StartsWith("this corpus has no such place in its packs: found epoch 0, window "
                                         "1000, pack 0, expected "),
                     testing::HasSubstr(" windows; go on with the corpus, objective and sizes")));
  EXPECT_ERROR(sampler.seek({.pack = 1000}), data, testing::HasSubstr("packs in the window"));
  EXPECT_ERROR(sampler.seek({.epoch = 1u << 24}), data, testing::HasSubstr("epoch 16777216"));
  EXPECT_EQ(sampler.position(), position);  // a refused seek moves nothing
  sampler.next(after);
  sampler.seek(position);
  sampler.next(before);
  EXPECT_EQ(before, after);
}

TEST(ForEachSample, GoesOnIntoTheNextEpochUntilTheSinkIsFull) {
  TokenCorpus corpus = corpus_of({{50, 51}, {52}});
  Mixture mixture("causal", {}, full_tokenizer(), 8);
  std::vector<std::pair<std::uint32_t, std::uint64_t>> seen;
  for_each_sample(corpus, mixture, 1, 3, false, [&](const Stream& sample) {
    seen.emplace_back(sample.sequence[0].epoch, sample.sequence[0].document);
    return seen.size() < 5;
  });
  EXPECT_EQ(seen,
            (std::vector<std::pair<std::uint32_t, std::uint64_t>>{{3, 0}, {3, 1}, {4, 0}, {4, 1}, {5, 0}}));
  seen.clear();
  for_each_sample(corpus, mixture, 1, 3, true, [&](const Stream& sample) {
    seen.emplace_back(sample.sequence[0].epoch, sample.sequence[0].document);
    return true;
  });
  EXPECT_EQ(seen.size(), 2u);
}

}  // namespace
}  // namespace surprisal
