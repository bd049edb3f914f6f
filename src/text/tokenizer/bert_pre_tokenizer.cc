#include "text/tokenizer/bert_pre_tokenizer.h"

#include <array>

#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

enum class Kind : std::uint8_t { word, space, punctuation };

class Kinds {
 public:
  static const Kinds& instance() {
    static const Kinds kinds;
    return kinds;
  }
  Kind operator()(char32_t c) const { return c < ascii_.size() ? ascii_[c] : find(c); }

 private:
  Kinds() : punctuation_(bert_punctuation()) {
    for (char32_t c = 0; c < ascii_.size(); ++c) ascii_[c] = find(c);
  }
  Kind find(char32_t c) const {
    if (punctuation_.contains(c)) return Kind::punctuation;
    return is_space(static_cast<std::int32_t>(c)) ? Kind::space : Kind::word;
  }

  CodePointSet punctuation_;
  std::array<Kind, 0x80> ascii_{};
};

}  // namespace

void BertPreTokenizer::pre_tokenize(Words& words) const {
  const Kinds& kinds = Kinds::instance();
  std::vector<ByteSpan> spans;
  spans.reserve(words.content.text.size() / 4 + 1);
  for (ByteSpan span : words.spans) {
    std::string_view text = std::string_view(words.content.text).substr(0, span.end);
    std::uint32_t begin = span.begin;
    auto close = [&](std::size_t end) {
      if (begin < end) spans.push_back({begin, static_cast<std::uint32_t>(end)});
    };
    for (std::size_t at = span.begin; at < text.size();) {
      std::size_t before = at;
      Kind kind = kinds(next_code_point(text, at));
      if (kind == Kind::word) continue;
      close(before);
      begin = static_cast<std::uint32_t>(before);
      if (kind == Kind::punctuation) close(at);
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
