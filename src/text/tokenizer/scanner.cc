#include "text/tokenizer/scanner.h"

#include <limits>

#include "text/tokenizer/word_class.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr char32_t kLongS = 0x17F;  // an s to whoever ignores case

// A text with the class of each code point at hand.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text), classes_(WordClasses::instance()) {}

  std::size_t size() const { return text_.size(); }
  char byte(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  struct Step {
    WordClass kind;
    std::size_t end;
  };
  // The code point at `at`, which is below size().
  Step step(std::size_t at) const {
    char32_t c = next_code_point(text_, at);
    return {classes_(c), at};
  }
  bool is(WordClass kind, std::size_t at) const { return at < size() && step(at).kind == kind; }

  // The end of the code points of one class from `at` on, at most `most` of them.
  std::size_t run_end(WordClass kind, std::size_t at, std::size_t most = kAll) const {
    for (; most > 0 && at < size(); --most) {
      Step next = step(at);
      if (next.kind != kind) break;
      at = next.end;
    }
    return at;
  }
  std::size_t line_ends_end(std::size_t at) const {
    while (byte(at) == '\r' || byte(at) == '\n') ++at;
    return at;
  }

  // The end of 's, 't, 're, 've, 'm, 'll or 'd at `at`, where a ' is; `at` where there is none.
  std::size_t contraction_end(std::size_t at) const {
    return contraction_end(at, [this](std::size_t i) { return byte(i); });
  }
  // The same in either case.
  std::size_t any_case_contraction_end(std::size_t at) const {
    std::size_t end =
        contraction_end(at, [this](std::size_t i) { return static_cast<char>(byte(i) | 0x20); });
    if (end != at) return end;
    end = at + 1;
    return end < size() && next_code_point(text_, end) == kLongS ? end : at;
  }

  // \s+(?!\S)|\s+ where a run of white space [at, end) is: all of it at the end of the text; else all but its
  // last code point, which the next word may take, unless it is the only one.
  std::size_t space_end(std::size_t at, std::size_t end) const {
    if (end == size()) return end;
    std::size_t last = end - 1;
    while ((text_[last] & 0xC0) == 0x80) --last;
    return last > at ? last : end;
  }

 private:
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

  // `letter(i)`: byte i as it is compared.
  template <class Letter>
  std::size_t contraction_end(std::size_t at, Letter letter) const {
    switch (letter(at + 1)) {
      case 's':
      case 't':
      case 'm':
      case 'd':
        return at + 2;
      case 'r':
      case 'v':
        return letter(at + 2) == 'e' ? at + 3 : at;
      case 'l':
        return letter(at + 2) == 'l' ? at + 3 : at;
      default:
        return at;
    }
  }

  std::string_view text_;
  const WordClasses& classes_;
};

std::size_t gpt2_word_end(const Cursor& cursor, std::size_t at) {
  Cursor::Step first = cursor.step(at);
  if (cursor.byte(at) == '\'') {
    if (std::size_t end = cursor.contraction_end(at); end != at) return end;
  }
  if (first.kind != WordClass::space) return cursor.run_end(first.kind, first.end);
  // One blank goes with the run behind it.
  if (cursor.byte(at) == ' ' && first.end < cursor.size()) {
    Cursor::Step second = cursor.step(first.end);
    if (second.kind != WordClass::space) return cursor.run_end(second.kind, second.end);
  }
  return cursor.space_end(at, cursor.run_end(WordClass::space, first.end));
}

// `digits`: how many numbers make a word at most.
template <std::size_t digits>
std::size_t gpt4_word_end(const Cursor& cursor, std::size_t at) {
  Cursor::Step first = cursor.step(at);
  char byte = cursor.byte(at);
  if (byte == '\'') {
    if (std::size_t end = cursor.any_case_contraction_end(at); end != at) return end;
  }
  if (first.kind == WordClass::letter) return cursor.run_end(WordClass::letter, first.end);
  if (first.kind == WordClass::number) return cursor.run_end(WordClass::number, first.end, digits - 1);
  // Anything but a line's end goes with the letters behind it, and a blank with anything else behind it.
  bool line_end = byte == '\r' || byte == '\n';
  if (!line_end && cursor.is(WordClass::letter, first.end))
    return cursor.run_end(WordClass::letter, first.end);
  if (first.kind == WordClass::other || (byte == ' ' && cursor.is(WordClass::other, first.end))) {
    return cursor.line_ends_end(cursor.run_end(WordClass::other, first.end));
  }
  std::size_t end = cursor.run_end(WordClass::space, first.end);
  for (std::size_t back = end; back > at; --back) {
    if (cursor.byte(back - 1) == '\r' || cursor.byte(back - 1) == '\n') return back;
  }
  return cursor.space_end(at, end);
}

template <std::size_t word_end(const Cursor&, std::size_t)>
void scan(std::string_view text, std::uint32_t offset, std::vector<ByteSpan>& words) {
  Cursor cursor(text);
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = word_end(cursor, at);
    words.push_back({offset + static_cast<std::uint32_t>(at), offset + static_cast<std::uint32_t>(end)});
    at = end;
  }
}

constexpr KnownPattern kPatterns[] = {{kGpt2, &scan<gpt2_word_end>},
                                      {kLlama3, &scan<gpt4_word_end<3>>},
                                      {kQwen2Pattern, &scan<gpt4_word_end<1>>}};

}  // namespace

std::span<const KnownPattern> known_patterns() {
  return kPatterns;
}

Scanner find_scanner(std::string_view pattern) {
  for (const KnownPattern& known : kPatterns) {
    if (known.pattern == pattern) return known.scan;
  }
  return nullptr;
}

void scan_gpt2(std::string_view text, std::uint32_t offset, std::vector<ByteSpan>& words) {
  scan<gpt2_word_end>(text, offset, words);
}

}  // namespace surprisal
