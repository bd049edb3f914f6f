#include "objective/sop.h"

#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "objective/layout.h"
#include "objective/pairs.h"
#include "objective/requirements.h"

namespace surprisal {
namespace {

constexpr std::int32_t kInOrder = 0, kSwapped = 1;

class Sop : public Objective {
 public:
  Sop(const SopOptions& options, const Tokenizer& tokenizer, std::int64_t sequence_length)
      : swap_(options.swap), pairs_(kSopTraits.name, options.short_sequence, tokenizer, sequence_length) {
    require_probability("objective.sop.swap", options.swap);
  }

  const ObjectiveTraits& traits() const override { return kSopTraits; }
  std::vector<std::string> class_names() const override { return {"in order", "swapped"}; }

  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                     Stream& sample) const override {
    Random random = key.random(Purpose::pairing);
    DocumentPair pair = pairs_.cut(corpus.document(key.document), static_cast<std::size_t>(cursor),
                                   pairs_.target_length(key), 2, random);
    if (pair.b.empty()) {  // the document's last sentence, which nothing follows: no rows, so it is left out
      number_rows(key, sample);
      return static_cast<std::int64_t>(pair.end);
    }
    bool swapped = random.uniform() < swap_;
    if (swapped) std::swap(pair.a, pair.b);
    pairs_.lay_out(random, pair.a, pair.b, key, sample);
    sample.label.push_back({0, swapped ? kSwapped : kInOrder, 1});
    return static_cast<std::int64_t>(pair.end);
  }

  void check_corpus(const TokenCorpus& corpus) const override {
    for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
      if (corpus.document(document).sentences.size() >= 2) return;
    }
    throw Error(ErrorKind::data, {.what = "objective sop needs documents of two sentences or more",
                                  .found = fmt::format("{} of one sentence", corpus.documents()),
                                  .fix = "see what data.document and data.sentence say of this text"});
  }

 private:
  double swap_;
  PairCutter pairs_;
};

}  // namespace

std::shared_ptr<const Objective> make_sop(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                          std::int64_t sequence_length) {
  return std::make_shared<Sop>(options.sop, tokenizer, sequence_length);
}

}  // namespace surprisal
