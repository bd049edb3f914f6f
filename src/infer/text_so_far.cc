#include "infer/text_so_far.h"

namespace surprisal {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// How much of a text will stay whatever comes: a character of which bytes are missing is decoded as U+FFFD,
// and clean-up may still draw the last word to the one before. Scripts without blanks have no such words.
std::size_t settled(const std::string& text) {
  std::string_view rest = text;
  while (rest.ends_with(kReplacement)) rest.remove_suffix(kReplacement.size());
  const bool ascii = !rest.empty() && static_cast<unsigned char>(rest.back()) < 0x80;
  if (!ascii) return rest.size();
  const std::size_t blank = rest.find_last_of(" \n\t");
  return blank == std::string_view::npos ? 0 : blank;
}

}  // namespace

void TextSoFar::show_up_to(const std::string& text, std::size_t end) {
  if (end <= shown_.size() || !text.starts_with(shown_)) return;
  sink_(std::string_view(text).substr(shown_.size(), end - shown_.size()));
  shown_.assign(text, 0, end);
}

void TextSoFar::show(std::span<const std::int32_t> ids) {
  if (!sink_) return;
  const std::string text = tokenizer_.decode(ids);
  show_up_to(text, settled(text));
}

void TextSoFar::finish(const std::string& text) {
  if (sink_) show_up_to(text, text.size());
}

}  // namespace surprisal
