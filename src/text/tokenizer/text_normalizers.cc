#include "text/tokenizer/text_normalizers.h"

#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/component_json.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

namespace surprisal {

void Lowercase::normalize(AlignedText& text) const {
  AlignedText result = text.successor();
  result.text.reserve(text.text.size());
  std::string bytes;
  for (std::size_t at = 0; at < text.text.size();) {
    std::uint32_t from = text.origin[at];
    char32_t lower[2];
    int count = lower_case(next_code_point(text.text, at), lower);
    bytes.clear();
    for (int i = 0; i < count; ++i) append_utf8(lower[i], bytes);
    result.append(bytes, from);
  }
  text = std::move(result);
}

std::unique_ptr<Normalizer> Lowercase::create(const Json&, const std::string&) {
  return std::make_unique<Lowercase>();
}

void StripAccents::normalize(AlignedText& text) const {
  static const CodePointSet dropped(marks());
  AlignedText result = text.successor();
  std::size_t kept = 0;  // begin of what is kept and not yet written
  for (std::size_t at = 0; at < text.text.size();) {
    std::size_t begin = at;
    if (!dropped.contains(next_code_point(text.text, at))) continue;
    result.append(text, {static_cast<std::uint32_t>(kept), static_cast<std::uint32_t>(begin)});
    kept = at;
  }
  if (kept == 0) return;
  result.append(text, {static_cast<std::uint32_t>(kept), static_cast<std::uint32_t>(text.text.size())});
  text = std::move(result);
}

std::unique_ptr<Normalizer> StripAccents::create(const Json&, const std::string&) {
  return std::make_unique<StripAccents>();
}

void Strip::normalize(AlignedText& text) const {
  std::size_t begin = left_ ? skip_space(text.text, 0) : 0;
  std::size_t end = right_ ? skip_space_back(text.text, text.text.size()) : text.text.size();
  if (begin == 0 && end == text.text.size()) return;
  if (begin >= end) begin = end = 0;
  text = text.slice({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
}

std::unique_ptr<Normalizer> Strip::create(const Json& json, const std::string& where) {
  return std::make_unique<Strip>(get_bool(json, "strip_left", where), get_bool(json, "strip_right", where));
}

void Prepend::normalize(AlignedText& text) const {
  if (text.text.empty()) return;
  AlignedText result = text.successor();
  result.append(prefix_, text.origin[0]);
  result.append(text, {0, static_cast<std::uint32_t>(text.text.size())});
  text = std::move(result);
}

std::unique_ptr<Normalizer> Prepend::create(const Json& json, const std::string& where) {
  return std::make_unique<Prepend>(get_string(json, "prepend", where));
}

void ByteLevelNormalizer::normalize(AlignedText& text) const {
  AlignedText result = text.successor();
  for (std::size_t i = 0; i < text.text.size(); ++i) {
    result.append(byte_level_character(static_cast<std::uint8_t>(text.text[i])), text.origin[i]);
  }
  text = std::move(result);
}

std::unique_ptr<Normalizer> ByteLevelNormalizer::create(const Json&, const std::string&) {
  return std::make_unique<ByteLevelNormalizer>();
}

}  // namespace surprisal
