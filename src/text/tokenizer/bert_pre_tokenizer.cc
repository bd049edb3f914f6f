#include "text/tokenizer/bert_pre_tokenizer.h"

#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

bool is_punctuation(char32_t c) {
  static const CodePointSet punctuation(bert_punctuation());
  return punctuation.contains(c);
}

}  // namespace

void BertPreTokenizer::pre_tokenize(Words& words) const {
  std::vector<ByteSpan> spans;
  for (ByteSpan span : words.spans) {
    std::string_view text = std::string_view(words.content.text).substr(0, span.end);
    std::uint32_t begin = span.begin;
    auto close = [&](std::size_t end) {
      if (begin < end) spans.push_back({begin, static_cast<std::uint32_t>(end)});
    };
    for (std::size_t at = span.begin; at < text.size();) {
      std::size_t before = at;
      char32_t c = next_code_point(text, at);
      bool alone = is_punctuation(c);
      if (!alone && !is_space(c)) continue;
      close(before);
      begin = static_cast<std::uint32_t>(before);
      if (alone) close(at);
      begin = static_cast<std::uint32_t>(at);
    }
    close(span.end);
  }
  words.spans = std::move(spans);
}

std::unique_ptr<PreTokenizer> BertPreTokenizer::create(const Json&, const std::string&) {
  return std::make_unique<BertPreTokenizer>();
}

}  // namespace surprisal
