#include "objective/blank_window.h"

#include <algorithm>

#include "objective/requirements.h"

namespace surprisal {
namespace {

constexpr std::int64_t kShortest = 32;  // rows of a short window, as GLM has it

// What part of the document's sentences lies in [begin, end), moved to where the window has it.
Blanks sentences_of(const TokenDocument& document, std::int64_t begin, std::int64_t end, std::int64_t row) {
  auto next = std::upper_bound(document.sentences.begin(), document.sentences.end(), begin);
  Blanks sentences;
  while (begin < end) {
    std::int64_t stop = next == document.sentences.end() ? end : std::min<std::int64_t>(*next++, end);
    const std::int32_t first = static_cast<std::int32_t>(row);
    row += stop - begin;
    sentences.push_back({first, static_cast<std::int32_t>(row)});
    begin = stop;
  }
  return sentences;
}

}  // namespace

BlankSurround BlankSurround::of(std::string_view objective, const Tokenizer& tokenizer) {
  BlankSurround surround;
  std::vector<std::int32_t>* side = &surround.before;
  for (const TemplatePiece& piece : tokenizer.single_template()) {
    if (piece.sequence >= 0) {
      side = &surround.after;
    } else {
      side->push_back(piece.id);
    }
  }
  if (!surround.before.empty() || !surround.after.empty()) return surround;
  surround.before.push_back(
      require_glm_special(objective, "a [CLS] token", tokenizer.special().cls, tokenizer));
  surround.after.push_back(
      require_glm_special(objective, "an end-of-text token (eos)", tokenizer.special().eos, tokenizer));
  return surround;
}

BlankWindowCutter::BlankWindowCutter(std::string_view objective, const BlankInfillingOptions& options,
                                     const Tokenizer& tokenizer)
    : special_tokens_(options.special_tokens),
      whole_sentences_(options.whole_sentences),
      short_sequence_(options.short_sequence) {
  if (special_tokens_) surround_ = BlankSurround::of(objective, tokenizer);
}

BlankWindow BlankWindowCutter::cut(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                                   std::int64_t length) const {
  const TokenDocument document = corpus.document(key.document);
  BlankWindow window{.text = surround_.before};
  window.next = end(document, cursor, length_of_pass(key, length));
  auto tokens = document.tokens.subspan(cursor, window.next - cursor);
  window.text.insert(window.text.end(), tokens.begin(), tokens.end());
  window.body = {static_cast<std::int32_t>(surround_.before.size()),
                 static_cast<std::int32_t>(window.text.size())};
  window.region = window.body;
  window.sentences = sentences_of(document, cursor, window.next, rows_before());
  const bool finished = window.next == std::ssize(document.tokens) &&
                        std::ssize(window.text) + std::ssize(surround_.after) <= length;
  if (finished) {
    window.text.insert(window.text.end(), surround_.after.begin(), surround_.after.end());
  } else if (special_tokens_) {
    --window.region.end;
  }
  return window;
}

std::int64_t BlankWindowCutter::length_of_pass(const SampleKey& key, std::int64_t length) const {
  if (short_sequence_ == 0 || length - 2 < kShortest) return length;
  Random random = key.document_random(Purpose::infilling);
  if (random.uniform() >= short_sequence_) return length;
  return kShortest + random.below(static_cast<std::uint32_t>(length - 1 - kShortest));
}

// Where the window that begins at `cursor` ends in its document.
std::int64_t BlankWindowCutter::end(const TokenDocument& document, std::int64_t cursor,
                                    std::int64_t length) const {
  const std::int64_t size = std::ssize(document.tokens), most = cursor + length - rows_before();
  if (size <= most) return size;
  if (!whole_sentences_) return most;
  auto behind = std::upper_bound(document.sentences.begin(), document.sentences.end(), most);
  const std::int64_t sentence = *(behind - 1);  // the first begins at 0
  const bool half_full = 2 * (sentence - cursor + rows_before()) >= length;
  return half_full && sentence > cursor ? sentence : most;
}

}  // namespace surprisal
