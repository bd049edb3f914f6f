// Text on its way through the pipeline, with the place in the original text that each of its bytes came from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace surprisal {

// Bytes [begin, end).
struct ByteSpan {
  std::uint32_t begin = 0, end = 0;
  friend bool operator==(const ByteSpan&, const ByteSpan&) = default;
};

struct AlignedText {
  std::string text;                   // valid UTF-8
  std::vector<std::uint32_t> origin;  // [bytes of text], ascending: byte offsets in the original

  // Text that is still what it was, from byte `begin` of the original on.
  static AlignedText from(std::string_view text, std::uint32_t begin = 0);
  AlignedText slice(ByteSpan span) const;
  // Adds `bytes`, all of which came from the same place.
  void append(std::string_view bytes, std::uint32_t from);
  void clear();
};

// Text cut into words: what a pre-tokenizer works on and leaves behind. Spans ascend, do not overlap, are not
// empty.
struct Words {
  AlignedText content;
  std::vector<ByteSpan> spans;

  // All of it as one word (none, if it is empty).
  static Words from(AlignedText content);
  std::string_view word(ByteSpan span) const {
    return std::string_view(content.text).substr(span.begin, span.end - span.begin);
  }
};

}  // namespace surprisal
