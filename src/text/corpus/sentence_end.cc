#include "text/corpus/sentence_end.h"

#include <algorithm>
#include <string>

#include <utf8proc.h>

#include "text/corpus/abbreviations.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr std::u32string_view kCjkTerminators = U"。！？｡．‼⁇⁈⁉";
constexpr std::u32string_view kTerminators = U".!?…。！？｡．‼⁇⁈⁉";
constexpr std::u32string_view kClosers = U")]}\"'”’»›」』）】》〉〗〕｝］＂";
constexpr std::u32string_view kOpeners = U"([{\"'“‘«‹「『（【《〈〖〔｛［¿¡`";
// What goes on with the sentence although it seemed to end.
constexpr std::u32string_view kContinuations = U"，、；：,;:—–…·";

bool one_of(std::u32string_view set, std::int32_t c) {
  return c >= 0 && set.find(static_cast<char32_t>(c)) != std::u32string_view::npos;
}

bool is_digit(std::int32_t c) {
  return utf8proc_category(c) == UTF8PROC_CATEGORY_ND;
}

bool is_letter(std::int32_t c) {
  auto category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_upper(std::int32_t c) {
  auto category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT;
}

// A letter that is not lower case, a number, or money.
bool begins_sentence(std::int32_t c) {
  if (c < 0) return false;
  auto category = utf8proc_category(c);
  return is_upper(c) || category == UTF8PROC_CATEGORY_LO || category == UTF8PROC_CATEGORY_LM || is_digit(c) ||
         category == UTF8PROC_CATEGORY_SC;
}

// Offset of the first byte at or after `offset` that may begin a terminator. 0xE2 .. 0xEF lead the CJK ones.
std::size_t find_candidate(std::string_view line, std::size_t offset) {
  while (offset < line.size()) {
    unsigned char byte = static_cast<unsigned char>(line[offset]);
    if (byte == '.' || byte == '!' || byte == '?' || byte == 0xE2 || byte == 0xE3 || byte == 0xEF) break;
    ++offset;
  }
  return offset;
}

// Terminators in a row: "?!", "...", "！！".
struct Run {
  std::size_t begin = 0, end = 0;
  std::size_t count = 0, stops = 0;
  bool cjk = false;       // has 。 or one of its kin
  bool ellipsis = false;  // has …
  bool strong = false;    // has ! or ?
  bool is_ellipsis() const {
    return !cjk && !strong && (ellipsis || (count == stops && count >= 2 && count <= 3));
  }
  bool is_full_stop() const { return count == 1 && stops == 1; }
};

Run read_run(std::string_view line, std::size_t begin) {
  Run run{.begin = begin, .end = begin};
  for (CodePoint c; one_of(kTerminators, (c = code_point_at(line, run.end)).value); run.end += c.size) {
    ++run.count;
    run.stops += c.value == '.';
    run.cjk |= one_of(kCjkTerminators, c.value);
    run.ellipsis |= c.value == U'…';
    run.strong |= c.value == '!' || c.value == '?';
  }
  return run;
}

// Straight double quotes since the beginning of the sentence, counted as far as they are asked for, so that a
// long line costs one pass.
class QuoteCount {
 public:
  QuoteCount(std::string_view line, std::size_t begin) : line_(line), at_(begin) {}
  bool is_open(std::size_t end) {
    for (; at_ < end; ++at_) open_ ^= line_[at_] == '"';
    return open_;
  }

 private:
  std::string_view line_;
  std::size_t at_;
  bool open_ = false;
};

// A straight quote may open or close: before white space it closes, elsewhere where one is open.
bool closes(std::string_view line, std::size_t at, const CodePoint& c, QuoteCount& quotes) {
  if (!one_of(kClosers, c.value)) return false;
  if (c.value != '"' && c.value != '\'') return true;
  CodePoint next = code_point_at(line, at + c.size);
  return next.value < 0 || is_space(next.value) || (c.value == '"' && quotes.is_open(at));
}

std::size_t skip_closers(std::string_view line, std::size_t at, QuoteCount& quotes) {
  for (CodePoint c = code_point_at(line, at); closes(line, at, c, quotes); c = code_point_at(line, at))
    at += c.size;
  return at;
}

// The word at `at`: letters only.
std::string_view first_word(std::string_view line, std::size_t at) {
  std::size_t end = at;
  for (CodePoint c; is_letter((c = code_point_at(line, end)).value); end += c.size) {
  }
  return line.substr(at, end - at);
}

// What stands between the last blank or opening bracket and `end`: "e.g", "(vs" without its bracket.
std::size_t word_begin(std::string_view line, std::size_t begin, std::size_t end) {
  std::size_t at = end;
  while (at > begin) {
    CodePoint c = code_point_before(line, at);
    if (is_space(c.value) || one_of(kOpeners, c.value)) break;
    at -= c.size;
  }
  return at;
}

std::string lower_ascii(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// "1", "12", "2.1.5", "a", "IV" at the very beginning: the label of a list item or a heading.
bool is_list_label(std::string_view word) {
  auto in = [&](std::string_view set) { return word.find_first_not_of(set) == std::string_view::npos; };
  bool dotted = word.find('.') != std::string_view::npos;
  return ((word.size() <= 3 || dotted) && in("0123456789.")) ||
         (word.size() <= 4 && (in("IVX") || in("ivx"))) || (word.size() == 1 && is_letter(word[0]));
}

// An initial ("J", "É") or letters with stops between them ("U.S", "J.R.R"); lower case only with stops.
bool is_initials(std::string_view word) {
  std::size_t parts = 0;
  bool upper = false;
  for (std::size_t at = 0; at < word.size(); ++parts) {
    CodePoint letter = code_point_at(word, at);
    if (!is_letter(letter.value) || is_cjk(letter.value)) return false;
    upper |= is_upper(letter.value);
    at += letter.size;
    if (at < word.size() && word[at++] != '.') return false;
  }
  return parts > 1 || (parts == 1 && upper);
}

// Whether the full stop behind `word` belongs to it, when the line goes on at `next`.
bool is_part_of_word(std::string_view word, bool first, std::string_view line, std::size_t next) {
  if (word.empty()) return false;
  if (first && is_list_label(word)) return true;
  Abbreviation kind = find_abbreviation(lower_ascii(word));
  if (kind == Abbreviation::inner) return true;
  if (kind == Abbreviation::numbered) return is_digit(code_point_at(line, next).value);
  if (kind == Abbreviation::either || is_initials(word)) return !is_usual_first_word(first_word(line, next));
  return false;
}

bool can_begin(std::string_view line, std::size_t next) {
  CodePoint c = code_point_at(line, next);
  if (!one_of(kOpeners, c.value)) return begins_sentence(c.value);
  // A quotation or a command may begin with a small letter; a remark in brackets then belongs to what is
  // before it.
  bool bracket = c.value == '(' || c.value == '[' || c.value == '{';
  return !bracket || begins_sentence(code_point_at(line, next + c.size).value);
}

bool ends_sentence(std::string_view line, std::size_t begin, const Run& run, std::size_t end) {
  std::size_t next = skip_space(line, end);
  std::int32_t following = code_point_at(line, next).value;
  if (following < 0) return false;  // the line ends, and the sentence with it
  bool direct = run.cjk || (run.strong && is_cjk(code_point_before(line, run.begin).value));
  if (direct) {
    bool number = one_of(U"．", code_point_before(line, run.end).value) && is_digit(following);
    bool opens = following == '"' || following == '\'';  // one that closes was skipped
    return !number && !one_of(kContinuations, following) && (opens || !one_of(kClosers, following));
  }
  if (next == end || run.is_ellipsis() || !can_begin(line, next)) return false;
  if (!run.is_full_stop()) return true;
  std::size_t word = word_begin(line, begin, run.begin);
  return !is_part_of_word(line.substr(word, run.begin - word), word == begin, line, next);
}

}  // namespace

std::size_t find_sentence_end(std::string_view line, std::size_t begin) {
  QuoteCount quotes(line, begin);
  for (std::size_t at = find_candidate(line, begin); at < line.size(); at = find_candidate(line, at)) {
    Run run = read_run(line, at);
    if (run.count == 0) {
      at += code_point_at(line, at).size;
      continue;
    }
    at = skip_closers(line, run.end, quotes);
    if (ends_sentence(line, begin, run, at)) return at;
  }
  return line.size();
}

}  // namespace surprisal
