#include "objective/pairs.h"

#include <algorithm>
#include <string>

#include "objective/layout.h"
#include "objective/requirements.h"

namespace surprisal {
namespace {

constexpr std::int64_t kLeastRoom = 2;  // a token for each segment

// One past the last token of sentence `index`.
std::size_t sentence_end(const TokenDocument& document, std::size_t index) {
  return index + 1 < document.sentences.size() ? document.sentences[index + 1] : document.tokens.size();
}

// The ends of the sentences of the chunk. A cursor within a sentence (another part of a mixture stopped
// there) makes the rest of it the first.
std::vector<std::size_t> chunk(const TokenDocument& document, std::size_t begin, std::size_t length,
                               std::size_t least) {
  auto after = std::upper_bound(document.sentences.begin(), document.sentences.end(), begin);
  std::vector<std::size_t> ends;
  for (std::size_t index = static_cast<std::size_t>(after - document.sentences.begin()) - 1;
       index < document.sentences.size(); ++index) {
    ends.push_back(sentence_end(document, index));
    if (ends.back() - begin >= length && ends.size() >= least) break;
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

}  // namespace

PairCutter::PairCutter(std::string_view objective, double short_sequence, const Tokenizer& tokenizer,
                       std::int64_t sequence_length)
    : short_sequence_(short_sequence),
      template_(tokenizer.pair_template().begin(), tokenizer.pair_template().end()),
      room_(static_cast<std::size_t>(sequence_length - special_rows(template_))) {
  require_probability("objective." + std::string(objective) + ".short_sequence", short_sequence);
  if (template_.empty() || template_.front().sequence >= 0) {
    fail_tokenizer(objective, "a template for pairs that begins with a special token", "wordpiece",
                   tokenizer);
  }
  require_length(objective, sequence_length, special_rows(template_) + kLeastRoom);
}

std::size_t PairCutter::target_length(const SampleKey& key) const {
  Random random = key.document_random(Purpose::pairing);
  if (random.uniform() >= short_sequence_) return room_;
  return kLeastRoom + random.below(static_cast<std::uint32_t>(room_ - kLeastRoom + 1));
}

DocumentPair PairCutter::cut(const TokenDocument& document, std::size_t begin, std::size_t length,
                             std::size_t least, Random& random) const {
  std::vector<std::size_t> ends = chunk(document, begin, length, least);
  std::size_t sentences_of_a = 1;
  if (ends.size() > 1) sentences_of_a += random.below(static_cast<std::uint32_t>(ends.size() - 1));
  DocumentPair pair;
  pair.end_of_a = ends[sentences_of_a - 1];
  pair.end = ends.back();
  pair.a = document.tokens.subspan(begin, pair.end_of_a - begin);
  pair.b = document.tokens.subspan(pair.end_of_a, pair.end - pair.end_of_a);
  return pair;
}

Tokens PairCutter::fill(const TokenDocument& document, std::size_t begin, std::size_t length) {
  return document.tokens.subspan(begin, chunk(document, begin, length, 1).back() - begin);
}

void PairCutter::lay_out(Random& random, Tokens a, Tokens b, const SampleKey& key, Stream& sample) const {
  truncate(random, room_, a, b);
  lay_out_template(template_, a, b, key, sample);
}

}  // namespace surprisal
