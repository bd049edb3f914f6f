#include "text/tokenizer/aligned_text.h"

#include <numeric>

namespace surprisal {

AlignedText AlignedText::from(std::string_view text, std::uint32_t begin) {
  AlignedText result{std::string(text), std::vector<std::uint32_t>(text.size())};
  std::iota(result.origin.begin(), result.origin.end(), begin);
  return result;
}

AlignedText AlignedText::slice(ByteSpan span) const {
  return {text.substr(span.begin, span.end - span.begin),
          {origin.begin() + span.begin, origin.begin() + span.end}};
}

void AlignedText::append(std::string_view bytes, std::uint32_t from) {
  text += bytes;
  origin.resize(text.size(), from);
}

void AlignedText::clear() {
  text.clear();
  origin.clear();
}

Words Words::from(AlignedText content) {
  Words words{std::move(content), {}};
  if (!words.content.text.empty()) {
    words.spans.push_back({0, static_cast<std::uint32_t>(words.content.text.size())});
  }
  return words;
}

}  // namespace surprisal
