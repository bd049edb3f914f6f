#include "objective/nsp.h"

#include <fmt/format.h>

#include "surprisal/error.h"

#include "objective/pairs.h"
#include "objective/requirements.h"

namespace surprisal {
namespace {

constexpr std::int32_t kNext = 0, kRandom = 1;

class Nsp : public Objective {
 public:
  Nsp(const NspOptions& options, const Tokenizer& tokenizer, std::int64_t sequence_length)
      : random_next_(options.random_next),
        pairs_(kNspTraits.name, options.short_sequence, tokenizer, sequence_length) {
    require_probability("objective.nsp.random_next", options.random_next);
  }

  const ObjectiveTraits& traits() const override { return kNspTraits; }
  std::vector<std::string> class_names() const override { return {"next", "random"}; }

  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                     Stream& sample) const override {
    Random random = key.random(Purpose::pairing);
    std::size_t length = pairs_.target_length(key);
    DocumentPair pair =
        pairs_.cut(corpus.document(key.document), static_cast<std::size_t>(cursor), length, 1, random);
    bool random_next = pair.b.empty() || random.uniform() < random_next_;
    if (random_next) {
      pair.b = random_second(corpus, key, length > pair.a.size() ? length - pair.a.size() : 1, random);
      pair.end = pair.end_of_a;  // what B would have been is put back
    }
    pairs_.lay_out(random, pair.a, pair.b, key, sample);
    sample.label.push_back({0, random_next ? kRandom : kNext, 1});
    return static_cast<std::int64_t>(pair.end);
  }

  void check_corpus(const TokenCorpus& corpus) const override {
    if (corpus.documents() >= 2) return;
    throw Error(ErrorKind::data, {.what = "objective nsp draws random sentences from other documents",
                                  .found = fmt::format("{} document", corpus.documents()),
                                  .expected = "at least 2",
                                  .fix = "separate documents by blank lines, or set data.document"});
  }

 private:
  // Sentences of another document from a uniform one on, until they hold `length` tokens or it ends; at least
  // one.
  static Tokens random_second(const TokenCorpus& corpus, const SampleKey& key, std::size_t length,
                              Random& random) {
    // Below 2^40 documents no rounding makes the product reach its bound.
    auto other = static_cast<std::uint64_t>(random.uniform() * static_cast<double>(corpus.documents() - 1));
    if (other >= key.document) ++other;
    TokenDocument document = corpus.document(other);
    std::size_t first = random.below(static_cast<std::uint32_t>(document.sentences.size()));
    return PairCutter::fill(document, document.sentences[first], length);
  }

  double random_next_;
  PairCutter pairs_;
};

}  // namespace

std::shared_ptr<const Objective> make_nsp(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                          std::int64_t sequence_length) {
  return std::make_shared<Nsp>(options.nsp, tokenizer, sequence_length);
}

}  // namespace surprisal
