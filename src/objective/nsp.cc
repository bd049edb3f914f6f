#include "objective/nsp.h"

#include <algorithm>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "objective/layout.h"
#include "objective/requirements.h"

namespace surprisal {
namespace {

using Tokens = std::span<const std::int32_t>;

constexpr std::int32_t kNext = 0, kRandom = 1;

// One past the last token of sentence `index`.
std::size_t sentence_end(const TokenDocument& document, std::size_t index) {
  return index + 1 < document.sentences.size() ? document.sentences[index + 1] : document.tokens.size();
}

// The ends of the sentences from `cursor` on, until they hold `length` tokens or the document ends. A cursor
// within a sentence (another part of a mixture stopped there) makes the rest of it the first.
std::vector<std::size_t> chunk(const TokenDocument& document, std::size_t cursor, std::size_t length) {
  auto after = std::upper_bound(document.sentences.begin(), document.sentences.end(), cursor);
  std::vector<std::size_t> ends;
  for (std::size_t index = static_cast<std::size_t>(after - document.sentences.begin()) - 1;
       index < document.sentences.size(); ++index) {
    ends.push_back(sentence_end(document, index));
    if (ends.back() - cursor >= length) break;
  }
  return ends;
}

// Drops single tokens from the longer one, at its front or back by even chance, so that the text's edges are
// not always those of a sentence.
void truncate(Random& random, std::size_t length, Tokens& a, Tokens& b) {
  while (a.size() + b.size() > length) {
    Tokens& longer = a.size() > b.size() ? a : b;
    longer = random.below(2) == 0 ? longer.subspan(1) : longer.first(longer.size() - 1);
  }
}

class Nsp : public Objective {
 public:
  Nsp(const NspOptions& options, const Tokenizer& tokenizer, std::int64_t sequence_length)
      : options_(options),
        template_(tokenizer.pair_template().begin(), tokenizer.pair_template().end()),
        room_(static_cast<std::size_t>(sequence_length - special_rows(template_))) {
    require_probability("objective.nsp.random_next", options.random_next);
    require_probability("objective.nsp.short_sequence", options.short_sequence);
    if (template_.empty() || template_.front().sequence >= 0) {
      fail_tokenizer(kNspTraits.name, "a template for pairs that begins with a special token", "wordpiece",
                     tokenizer);
    }
    require_length(kNspTraits.name, sequence_length, special_rows(template_) + kLeastRoom);
  }

  const ObjectiveTraits& traits() const override { return kNspTraits; }

  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                     Stream& sample) const override {
    TokenDocument document = corpus.document(key.document);
    Random random = key.random(Purpose::pairing);
    std::size_t begin = static_cast<std::size_t>(cursor), length = target_length(key);
    std::vector<std::size_t> ends = chunk(document, begin, length);
    std::size_t sentences_of_a = 1;
    if (ends.size() > 1) sentences_of_a += random.below(static_cast<std::uint32_t>(ends.size() - 1));
    std::size_t end_of_a = ends[sentences_of_a - 1], next = ends.back();
    Tokens a = document.tokens.subspan(begin, end_of_a - begin);
    Tokens b = document.tokens.subspan(end_of_a, next - end_of_a);
    bool random_next = b.empty() || random.uniform() < options_.random_next;
    if (random_next) {
      b = random_second(corpus, key, length > a.size() ? length - a.size() : 1, random);
      next = end_of_a;  // what B would have been is put back
    }
    truncate(random, room_, a, b);
    lay_out_template(template_, a, b, key, sample);
    sample.label.push_back({0, random_next ? kRandom : kNext, 1});
    return static_cast<std::int64_t>(next);
  }

  void check_corpus(const TokenCorpus& corpus) const override {
    if (corpus.documents() >= 2) return;
    throw Error(ErrorKind::data, {.what = "objective nsp draws random sentences from other documents",
                                  .found = fmt::format("{} document", corpus.documents()),
                                  .expected = "at least 2",
                                  .fix = "separate documents by blank lines, or set data.document"});
  }

 private:
  static constexpr std::int64_t kLeastRoom = 2;  // a token for each sentence

  // How long the pairs of this pass over the document shall be: mostly all that fits.
  std::size_t target_length(const SampleKey& key) const {
    Random random = key.document_random(Purpose::pairing);
    if (random.uniform() >= options_.short_sequence) return room_;
    return kLeastRoom + random.below(static_cast<std::uint32_t>(room_ - kLeastRoom + 1));
  }

  // Sentences of another document from a uniform one on, until they hold `length` tokens or it ends; at least
  // one.
  static Tokens random_second(const TokenCorpus& corpus, const SampleKey& key, std::size_t length,
                              Random& random) {
    // Below 2^40 documents no rounding makes the product reach its bound.
    auto other = static_cast<std::uint64_t>(random.uniform() * static_cast<double>(corpus.documents() - 1));
    if (other >= key.document) ++other;
    TokenDocument document = corpus.document(other);
    std::size_t first = random.below(static_cast<std::uint32_t>(document.sentences.size()));
    std::size_t begin = document.sentences[first];
    return document.tokens.subspan(begin, chunk(document, begin, length).back() - begin);
  }

  NspOptions options_;
  std::vector<TemplatePiece> template_;
  std::size_t room_;  // tokens of text in a sequence
};

}  // namespace

std::shared_ptr<const Objective> make_nsp(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                          std::int64_t sequence_length) {
  return std::make_shared<Nsp>(options.nsp, tokenizer, sequence_length);
}

}  // namespace surprisal
