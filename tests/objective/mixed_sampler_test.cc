// Sources of several kinds in one run: their shares, their order, and going on from any place.
#include "objective/mixed_sampler.h"

#include <cmath>
#include <map>
#include <set>

#include "objective/records.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using testing::ElementsAre;

constexpr std::int32_t kPack = 64;
constexpr DocumentKind kText = DocumentKind::text, kPair = DocumentKind::pair;

// `texts` texts and `pairs` pairs of some 20 tokens, mixed up.
TokenCorpus mixed_corpus(std::uint64_t texts, std::uint64_t pairs) {
  std::vector<TokenCorpus::Ids> documents;
  for (std::uint64_t index = 0; index < texts + pairs; ++index) {
    Random random({7, index, 0, Purpose::sampling});
    TokenCorpus::Ids document;
    document.tokens.resize(2 + random.below(40));
    for (auto& token : document.tokens) token = static_cast<std::int32_t>(10 + random.below(80));
    if (index * pairs / (texts + pairs) != (index + 1) * pairs / (texts + pairs)) {
      document.kind = kPair;
      document.sentences = {0, random.below(static_cast<std::uint32_t>(document.tokens.size()))};
    }
    documents.push_back(std::move(document));
  }
  return TokenCorpus::from_ids(documents);
}

Mixture mixture(const std::string& specification) {
  return Mixture(specification, {}, glm_tokenizer(), 32);
}

MixedSampler sampler(const TokenCorpus& corpus, const Mixture& mixture) {
  return MixedSampler(corpus, mixture, 1, kPack, SampleOrder::shuffled);
}

// The samples of each kind so far never stray from their share by more than a pack's.
TEST(MixedSampler, SharesHoldToAPack) {
  const TokenCorpus corpus = mixed_corpus(300, 60);
  for (auto [specification, share] :
       {std::pair{"0.95 blank_infilling | 0.05 conditional", 0.05},
        std::pair{"0.5 conditional | 0.5 blank_infilling:document", 0.5},
        std::pair{"2 blank_infilling | 1 conditional | 3 conditional", 2.0 / 3}}) {
    const Mixture mixture = surprisal::mixture(specification);
    EXPECT_DOUBLE_EQ(mixture.share(kPair), share);
    MixedSampler packs = sampler(corpus, mixture);
    double pairs = 0, samples = 0;
    std::size_t most = 0;
    Stream stream;
    for (int pack = 0; pack < 1500; ++pack) {
      packs.next(stream);
      most = std::max(most, stream.sequence.size());
      const bool pair = kind_of(stream.sequence[0]) == kPair;
      for (const Sequence& sequence : stream.sequence) {
        ASSERT_EQ(kind_of(sequence) == kPair, pair) << "a pack of two kinds";
        const ObjectiveTraits& traits = mixture.parts()[sequence.part].terms.front().objective->traits();
        ASSERT_EQ(traits.reads, kind_of(sequence));
      }
      samples += static_cast<double>(stream.sequence.size());
      pairs += pair ? static_cast<double>(stream.sequence.size()) : 0;
      ASSERT_LE(std::abs(pairs - share * samples), static_cast<double>(most)) << specification << " " << pack;
    }
    EXPECT_GT(most, 1u);
    EXPECT_NEAR(pairs / samples, share, 0.002);
  }
}

// Of parts that read one kind the sample's own number draws one, in proportion to their shares.
TEST(MixedSampler, PartsOfOneKindAreDrawn) {
  const TokenCorpus corpus = mixed_corpus(2000, 20);
  const Mixture mixture =
      surprisal::mixture("6 blank_infilling:token | 1 conditional | 2 blank_infilling:document");
  MixedSampler packs = sampler(corpus, mixture);
  std::map<std::int32_t, double> count;
  double texts = 0;
  Stream stream;
  for (int pack = 0; pack < 1000; ++pack) {
    packs.next(stream);
    for (const Sequence& sequence : stream.sequence) {
      ++count[sequence.part];
      texts += kind_of(sequence) == kText;
    }
  }
  EXPECT_TRUE(within_three_sigma(count[0], texts, 0.75)) << count[0] << " of " << texts;
  EXPECT_EQ(count[0] + count[2], texts);
}

// Every document of the first part's kind once in an epoch; the others go round as often as it takes.
TEST(MixedSampler, FirstPartCountsTheEpochs) {
  const TokenCorpus corpus = mixed_corpus(200, 10);
  const Mixture mixture = surprisal::mixture("0.5 blank_infilling | 0.5 conditional");
  MixedSampler packs = sampler(corpus, mixture);
  EXPECT_THAT(mixture.kinds(), ElementsAre(kText, kPair));
  const std::uint64_t epoch = packs.packs_in_epoch();
  std::set<std::uint64_t> texts;
  std::map<std::uint64_t, int> pairs;
  Stream stream;
  std::uint64_t drawn = 0;
  double samples = 0;  // of texts
  for (; packs.position()[0].at.epoch == 0; ++drawn) {
    packs.next(stream);
    for (const Sequence& sequence : stream.sequence) {
      if (kind_of(sequence) == kPair) ++pairs[sequence.document];
      if (kind_of(sequence) == kPair || sequence.epoch > 0) continue;
      texts.insert(sequence.document);
      ++samples;
    }
  }
  EXPECT_EQ(texts.size(), 200u);
  EXPECT_NEAR(static_cast<double>(drawn - 1), static_cast<double>(epoch),
              0.02 * static_cast<double>(epoch) + 2);
  ASSERT_EQ(pairs.size(), 10u);
  for (auto [document, count] : pairs) EXPECT_NEAR(count, samples / 10, 2) << document;
  EXPECT_NEAR(packs.position()[1].at.epoch, samples / 10, 2);
}

TEST(MixedSampler, ResumesFromAnyPosition) {
  const TokenCorpus corpus = mixed_corpus(60, 9);
  const Mixture mixture = surprisal::mixture("0.7 blank_infilling | 0.3 conditional");
  MixedSampler straight = sampler(corpus, mixture);
  std::vector<MixedPosition> positions;
  std::vector<Stream> streams;
  for (int pack = 0; pack < 200; ++pack) {
    positions.push_back(straight.position());
    straight.next(streams.emplace_back());
  }
  ASSERT_GT(positions.back()[0].at.epoch, 0u);
  ASSERT_GT(positions.back()[1].at.epoch, 1u);
  Stream stream;
  MixedSampler other = sampler(corpus, mixture);
  for (std::size_t from : {150u, 3u, 77u, 0u}) {
    other.seek(positions[from]);
    EXPECT_EQ(other.position(), positions[from]);
    for (std::size_t pack = from; pack < from + 30; ++pack) {
      other.next(stream);
      ASSERT_EQ(stream, streams[pack]) << "resumed at " << from;
    }
  }
  other.seek({});
  other.next(stream);
  EXPECT_EQ(stream, streams[0]);
  EXPECT_ERROR(
      other.seek(MixedPosition(1)), data,
      "the place in the data is of other kinds of documents: found 1 kinds, expected 2; go on with the "
      "corpus, objective and sizes that the run had before");
}

// With one kind it is that kind's sampler, whatever else the corpus has been asked for.
TEST(MixedSampler, OneKindIsItsSampler) {
  const TokenCorpus corpus = random_corpus(200, 60, 100, 10);
  const Mixture mixture = surprisal::mixture("0.5 blank_infilling:token | 0.5 blank_infilling:document");
  MixedSampler mixed = sampler(corpus, mixture);
  Sampler alone(corpus, mixture, 1, kPack, SampleOrder::shuffled);
  EXPECT_EQ(mixed.packs_in_epoch(), alone.packs_in_epoch(0));
  Stream a, b;
  for (int pack = 0; pack < 300; ++pack) {
    mixed.next(a);
    alone.next(b);
    ASSERT_EQ(a, b);
  }
  EXPECT_EQ(mixed.position(), (MixedPosition{{.at = alone.position(), .samples = 0}}));
}

// The random numbers of a text and of a pair with the same number are others.
TEST(MixedSampler, KindIsPartOfTheKey) {
  const SampleKey text{.seed = 1, .document = 5, .index = 2},
      pair{.seed = 1, .document = 5, .index = 2, .kind = kPair};
  EXPECT_EQ(text.sample(), (std::uint64_t{5} << 24 | 2));
  EXPECT_NE(text.sample(), pair.sample());
  EXPECT_NE(text.random(Purpose::masking).next_u64(), pair.random(Purpose::masking).next_u64());
  EXPECT_NE(text.document_random(Purpose::masking).next_u64(),
            pair.document_random(Purpose::masking).next_u64());
}

TEST(MixedSampler, RefusesACorpusThatLacksAKind) {
  const TokenCorpus texts = random_corpus(20, 60, 100, 10);
  const Mixture mixture = surprisal::mixture("0.95 blank_infilling | 0.05 conditional");
  EXPECT_ERROR(sampler(texts, mixture), data,
               "document 0 and on: the data hold nothing for objective \"conditional\", which reads pairs; "
               "give a .jsonl file of records "
               "with \"prompt\" and \"completion\", or of \"messages\"");
  // A part without a share asks for nothing.
  EXPECT_NO_THROW(sampler(texts, surprisal::mixture("1 blank_infilling | 0 conditional")));
}

// Samples in the order of the documents, whatever their kinds; origins are those of the file.
TEST(ForEachSample, GoesThroughAllKinds) {
  const TokenCorpus corpus = mixed_corpus(6, 3);
  std::vector<std::string> origins;
  std::vector<DocumentKind> kinds, wanted;
  for (const Stream& stream : samples_of(corpus, mixture("0.5 blank_infilling:document | 0.5 conditional"))) {
    kinds.push_back(kind_of(stream.sequence[0]));
    origins.push_back(corpus.of_kind(kinds.back()).origin(stream.sequence[0].document));
    if (origins.size() > 1 && origins.back() == origins[origins.size() - 2]) {
      origins.pop_back();
      kinds.pop_back();
    }
  }
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    wanted.push_back(corpus.document(document).kind);
    EXPECT_EQ(origins.at(document), corpus.origin(document));
  }
  EXPECT_EQ(kinds, wanted);
}

TEST(Records, AreReadAsTheObjectivesDo) {
  const Mixture texts = mixture("blank_infilling"), both = mixture("1 blank_infilling | 1 conditional"),
                none = mixture("1 blank_infilling | 0 conditional");
  auto read = [](const std::vector<const Mixture*>& mixtures) { return records_of(mixtures, {}).read; };
  EXPECT_THAT(read({&texts}), ElementsAre(true, false, false, false));
  EXPECT_THAT(read({&both}), ElementsAre(true, true, false, false));
  EXPECT_THAT(read({&none, &texts}), ElementsAre(true, false, false, false));
  EXPECT_THAT(read({&texts, &both}), ElementsAre(true, true, false, false));
  EXPECT_EQ(records_of({&texts}, {}).reader(kPair), "objective conditional reads pairs");
  EXPECT_EQ(records_of({&texts}, {}).reader(kText),
            "objectives mlm, nsp, sop, causal, reverse, blank_infilling read texts");
}

}  // namespace
}  // namespace surprisal
