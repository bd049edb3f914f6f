#include "text/tokenizer/precompiled.h"

#include <optional>
#include <utility>

#include <utf8proc.h>

#include "surprisal/error.h"

#include "text/tokenizer/base64.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

constexpr std::size_t kShortGrapheme = 6;

// The end of the grapheme that begins at `begin`.
std::size_t grapheme_end(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  utf8proc_int32_t state = 0;
  auto before = static_cast<utf8proc_int32_t>(next_code_point(text, end));
  while (end < text.size()) {
    std::size_t at = end;
    auto next = static_cast<utf8proc_int32_t>(next_code_point(text, at));
    if (utf8proc_grapheme_break_stateful(before, next, &state)) break;
    before = next;
    end = at;
  }
  return end;
}

}  // namespace

void Precompiled::normalize(AlignedText& text) const {
  if (charsmap_.empty()) return;
  AlignedText result = text.successor();
  result.text.reserve(text.text.size());
  std::string_view bytes = text.text;
  auto apply = [&](std::size_t begin, std::size_t end) {
    std::optional<Charsmap::Match> match = charsmap_.shortest_prefix(bytes.substr(begin, end - begin));
    // What stands behind the entry within the grapheme goes with it.
    if (match) result.append(match->replacement, text.origin[begin]);
    return match.has_value();
  };
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = grapheme_end(bytes, at);
    if (end - at < kShortGrapheme && apply(at, end)) {
      at = end;
      continue;
    }
    while (at < end) {
      std::size_t begin = at;
      next_code_point(bytes, at);
      if (apply(begin, at)) continue;
      result.append(text, {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at)});
    }
  }
  text = std::move(result);
}

std::unique_ptr<Normalizer> Precompiled::create(const Json& json, const std::string& where) {
  std::optional<std::string> bytes = base64_decode(get_string(json, "precompiled_charsmap", where));
  if (!bytes) throw Error(ErrorKind::data, {.what = "precompiled_charsmap is no base64", .where = where});
  return std::make_unique<Precompiled>(bytes->empty() ? Charsmap() : Charsmap(*bytes, where));
}

}  // namespace surprisal
