// Text on its way through the pipeline, with the place in the original text that each of its bytes came from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/regex.h"

namespace surprisal {

// Where in the original text each byte of a text came from: ascending byte offsets. As long as nothing was
// rewritten they follow one another, and no array is needed; nor where nobody asks.
class Origins {
 public:
  Origins() = default;  // of no bytes
  // Of `size` bytes that are the original's from byte `begin` on.
  static Origins in_place(std::size_t size, std::uint32_t begin);
  // Of any number of bytes; every place is 0, and whatever is added is forgotten.
  static Origins unknown();

  std::uint32_t operator[](std::size_t i) const {
    if (kind_ == Kind::listed) return places_[i];
    return kind_ == Kind::in_place ? begin_ + static_cast<std::uint32_t>(i) : 0;
  }
  bool known() const { return kind_ != Kind::unknown; }
  std::size_t size() const { return kind_ == Kind::listed ? places_.size() : size_; }
  // No bytes, and as known as these.
  Origins successor() const { return known() ? Origins() : unknown(); }

  void reserve(std::size_t size);
  // Cuts, or adds bytes that all came from `from`.
  void resize(std::size_t size, std::uint32_t from = 0) {
    if (kind_ == Kind::in_place && size > size_) list();
    kind_ == Kind::listed ? places_.resize(size, from) : void(size_ = size);
  }
  void push_back(std::uint32_t from) { resize(size() + 1, from); }
  // Adds the places of bytes [begin, end) of another text.
  void append(const Origins& other, std::size_t begin, std::size_t end);
  Origins slice(std::size_t begin, std::size_t end) const;

 private:
  enum class Kind : std::uint8_t { listed, in_place, unknown };
  void list();

  std::vector<std::uint32_t> places_;  // where listed
  std::size_t size_ = 0;               // where not
  std::uint32_t begin_ = 0;
  Kind kind_ = Kind::listed;
};

struct AlignedText {
  std::string text;  // valid UTF-8
  Origins origin;    // [bytes of text]

  // Text that is still what it was, from byte `begin` of the original on.
  static AlignedText from(std::string_view text, std::uint32_t begin = 0);
  AlignedText slice(ByteSpan span) const;
  // An empty text to write what becomes of this one to.
  AlignedText successor() const;
  // Adds `bytes`, all of which came from the same place.
  void append(std::string_view bytes, std::uint32_t from);
  // Adds bytes `span` of another text.
  void append(const AlignedText& other, ByteSpan span);
  void clear();
};

// Text cut into words: what a pre-tokenizer works on and leaves behind. Spans ascend, do not overlap, are not
// empty.
struct Words {
  AlignedText content;
  std::vector<ByteSpan> spans;
  // Whether byte-level characters are still to be written for the bytes of the words (byte_level.h).
  bool bytes = false;

  // All of it as one word (none, if it is empty).
  static Words from(AlignedText content);
  std::string_view word(ByteSpan span) const {
    return std::string_view(content.text).substr(span.begin, span.end - span.begin);
  }
};

}  // namespace surprisal
