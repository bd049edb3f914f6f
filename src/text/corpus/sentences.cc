#include "text/corpus/sentences.h"

#include <algorithm>

#include "text/corpus/sentence_end.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

// Calls take(line) for every line, without its newline.
template <class Take>
void for_each_line(std::string_view text, Take&& take) {
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = std::min(text.find('\n', begin), text.size());
    take(begin, text.substr(begin, end - begin));
    begin = end + 1;
  }
}

// Appends the ends of the sentences of one line, counted in the whole text; the last is the line's own end.
void append_ends(std::string_view line, std::size_t offset, bool divide, std::vector<std::uint32_t>& ends) {
  std::size_t end = skip_space_back(line, line.size());
  std::size_t begin = skip_space(line, 0);
  if (begin >= end) return;
  std::string_view content = line.substr(0, end);
  while (divide) {
    std::size_t next = find_sentence_end(content, begin);
    if (next >= end) break;
    ends.push_back(static_cast<std::uint32_t>(offset + next));
    begin = skip_space(content, next);
  }
  ends.push_back(static_cast<std::uint32_t>(offset + end));
}

// Punctuation that Latin and CJK share: it takes the side of its neighbour.
bool is_shared_punctuation(std::int32_t c) {
  return c == 0xB7 || (c >= 0x2014 && c <= 0x2015) || (c >= 0x2018 && c <= 0x201D) || c == 0x2026;
}

bool joins_without_blank(std::int32_t left, std::int32_t right) {
  bool left_cjk = is_cjk(left), right_cjk = is_cjk(right);
  return (left_cjk && right_cjk) || (left_cjk && is_shared_punctuation(right)) ||
         (is_shared_punctuation(left) && right_cjk);
}

}  // namespace

std::vector<std::uint32_t> find_sentences(std::string_view text, bool divide_lines) {
  std::vector<std::uint32_t> starts{0};
  for_each_line(text, [&](std::size_t offset, std::string_view line) {
    append_ends(line, offset, divide_lines, starts);
  });
  // A sentence begins where the one before it ends; what follows the last end is white space of the last
  // sentence.
  if (starts.size() > 1) starts.pop_back();
  return starts;
}

std::string join_lines(std::string_view text) {
  std::string joined;
  bool paragraph_ended = false;
  for_each_line(text, [&](std::size_t, std::string_view line) {
    std::size_t begin = skip_space(line, 0), end = skip_space_back(line, line.size());
    if (begin >= end) {
      paragraph_ended = true;
      return;
    }
    std::string_view content = line.substr(begin, end - begin);
    if (!joined.empty()) {
      std::int32_t left = code_point_before(joined, joined.size()).value;
      std::int32_t right = code_point_at(content, 0).value;
      if (paragraph_ended) {
        joined += '\n';
      } else if (!joins_without_blank(left, right)) {
        joined += ' ';
      }
    }
    joined += content;
    paragraph_ended = false;
  });
  return joined;
}

}  // namespace surprisal
