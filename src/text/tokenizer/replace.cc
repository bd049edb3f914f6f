#include "text/tokenizer/replace.h"

#include <utility>

namespace surprisal {

ReplaceNormalizer::ReplaceNormalizer(const Json& json, const std::string& where)
    : pattern_(json, where), content_(get_string(json, "content", where)) {}

void ReplaceNormalizer::normalize(AlignedText& text) const {
  std::vector<ByteSpan> matches;
  PatternMatches(pattern_).find(text.text, matches);
  if (matches.empty()) return;
  AlignedText result = text.successor();
  std::uint32_t done = 0;
  auto size = static_cast<std::uint32_t>(text.text.size());
  for (ByteSpan match : matches) {
    result.append(text, {done, match.begin});
    result.append(content_, text.origin[match.begin < size ? match.begin : size - 1]);
    done = match.end;
  }
  result.append(text, {done, size});
  text = std::move(result);
}

std::unique_ptr<Normalizer> ReplaceNormalizer::create(const Json& json, const std::string& where) {
  return std::make_unique<ReplaceNormalizer>(json, where);
}

ReplaceDecoder::ReplaceDecoder(const Json& json, const std::string& where)
    : pattern_(json, where), content_(get_string(json, "content", where)) {}

void ReplaceDecoder::decode(std::vector<std::string>& pieces) const {
  PatternMatches finder(pattern_);
  std::vector<ByteSpan> matches;
  for (std::string& piece : pieces) {
    finder.find(piece, matches);
    if (matches.empty()) continue;
    std::string result;
    std::size_t done = 0;
    for (ByteSpan match : matches) {
      result.append(piece, done, match.begin - done).append(content_);
      done = match.end;
    }
    piece = result.append(piece, done);
  }
}

std::unique_ptr<Decoder> ReplaceDecoder::create(const Json& json, const std::string& where) {
  return std::make_unique<ReplaceDecoder>(json, where);
}

}  // namespace surprisal
