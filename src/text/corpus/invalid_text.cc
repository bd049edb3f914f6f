#include "text/corpus/invalid_text.h"

#include <charconv>

#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kEscape = 6;  // \uD83D

// Bytes at the front of `text`, which begins with a sequence that is no UTF-8, that one U+FFFD stands for: as
// many as could still begin a character, at least one.
std::size_t maximal_subpart(std::string_view text) {
  auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  unsigned char lead = byte(0);
  std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return 1;
  unsigned char least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;  // overlong forms below
  unsigned char most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;   // surrogates, U+110000 above
  std::size_t length = 1;
  while (length < size && length < text.size() && byte(length) >= least && byte(length) <= most) {
    ++length;
    least = 0x80;
    most = 0xBF;
  }
  return length;
}

// The code unit that the escape at `at` stands for; -1 where there is none.
int escaped_unit(std::string_view json, std::size_t at) {
  if (json.size() - at < kEscape || json[at] != '\\' || json[at + 1] != 'u') return -1;
  int unit = 0;
  const char* end = json.data() + at + kEscape;
  return std::from_chars(json.data() + at + 2, end, unit, 16).ptr == end ? unit : -1;
}

bool is_high(int unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}
bool is_low(int unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

}  // namespace

InvalidText invalid_text_policy(std::string_view name) {
  return name == "replace" ? InvalidText::replace : name == "skip" ? InvalidText::skip : InvalidText::error;
}

std::uint64_t replace_invalid_utf8(std::string& text) {
  std::string result;
  std::uint64_t count = 0;
  for (std::string_view rest = text; !rest.empty();) {
    std::size_t invalid = find_invalid_utf8(rest);
    if (count == 0 && invalid == std::string_view::npos) return 0;
    result += rest.substr(0, invalid);
    if (invalid == std::string_view::npos) break;
    rest.remove_prefix(invalid);
    rest.remove_prefix(maximal_subpart(rest));
    result += kReplacement;
    ++count;
  }
  text = std::move(result);
  return count;
}

std::size_t find_lone_surrogate(std::string_view json, std::size_t from) {
  for (std::size_t at = json.find('\\', from); at < json.size(); at = json.find('\\', at)) {
    int unit = escaped_unit(json, at);
    bool pair = is_high(unit) && is_low(escaped_unit(json, std::min(at + kEscape, json.size())));
    if (!pair && (is_high(unit) || is_low(unit))) return at;
    at += pair ? 2 * kEscape : unit >= 0 ? kEscape : 2;
    if (at >= json.size()) break;
  }
  return std::string_view::npos;
}

std::uint64_t replace_lone_surrogates(std::string& json) {
  std::uint64_t count = 0;
  for (std::size_t at = find_lone_surrogate(json); at != std::string_view::npos;
       at = find_lone_surrogate(json, at + kEscape)) {
    json.replace(at, kEscape, "\\uFFFD");
    ++count;
  }
  return count;
}

}  // namespace surprisal
