#include "text/tokenizer/oniguruma_reader.h"

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/oniguruma_properties.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxShown = 200;  // bytes of a pattern in an error

bool is_hexadecimal(char32_t c) {
  return is_ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

std::string literal_text(char32_t c) {
  if (c < 0x20 || c == 0x7F) return fmt::format("\\x{{{:x}}}", static_cast<unsigned>(c));
  std::string text;
  if (c < 0x80 && !is_ascii_letter(c) && !is_ascii_digit(c) && c != ' ') text = "\\";
  append_utf8(c, text);
  return text;
}

void OnigurumaReader::refuse(std::string what) const {
  std::string shown(pattern_.substr(0, kMaxShown));
  if (pattern_.size() > kMaxShown) shown = utf8_lossy(shown) + " ...";
  throw Error(ErrorKind::data,
              {.what = fmt::format("regular expression {}: {} is not supported", shown, what),
               .where = where_,
               .found = fmt::format("at byte {}", at_)});
}

std::optional<std::string> OnigurumaReader::set_inside(bool& negative) {
  char c = pattern_[at_], lower = static_cast<char>(c | 0x20);
  if (lower == 's' || lower == 'd' || lower == 'w' || lower == 'h') {
    ++at_;
    negative = c != lower;
    return shorthand_class(lower);
  }
  if (lower != 'p') return std::nullopt;
  std::size_t end = pattern_.find('}', at_);
  if (at_ + 1 >= pattern_.size() || pattern_[at_ + 1] != '{' || end == pattern_.npos)
    refuse("\\p without {name}");
  std::string_view name = pattern_.substr(at_ + 2, end - at_ - 2);
  negative = c == 'P';
  if (name.starts_with('^')) {
    negative = !negative;
    name.remove_prefix(1);
  }
  std::optional<std::string> inside = property_class(name);
  if (!inside) refuse(fmt::format("\\p{{{}}}", name));
  at_ = end + 1;
  return inside;
}

// What stands behind a backslash and is one code point.
char32_t OnigurumaReader::code_point_escape() {
  char32_t c = next_code_point(pattern_, at_);
  switch (c) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case 'a':
      return '\a';
    case 'e':
      return 0x1B;
    case 'x':
      return OnigurumaReader::hexadecimal_escape();
    case 'u':
      return OnigurumaReader::hexadecimal(4, 4);
    default:
      break;
  }
  if (is_ascii_letter(c) || is_ascii_digit(c)) {
    --at_;
    refuse(fmt::format("\\{}", pattern_[at_]));
  }
  return c;
}

char32_t OnigurumaReader::hexadecimal_escape() {
  if (!take("{")) {
    char32_t c = hexadecimal(2, 2);
    if (c >= 0x80) refuse("\\x of a byte that is no character");
    return c;
  }
  char32_t c = hexadecimal(1, 8);
  if (!take("}")) refuse("\\x{ without }");
  return c;
}

char32_t OnigurumaReader::hexadecimal(int min, int max) {
  std::uint64_t value = 0;
  int digits = 0;
  for (; digits < max && !at_end() && is_hexadecimal(static_cast<unsigned char>(pattern_[at_]));
       ++digits, ++at_) {
    char digit = pattern_[at_];
    value = value * 16 + static_cast<unsigned>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
  }
  if (digits < min || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
    refuse("this number of a character");
  return static_cast<char32_t>(value);
}

// A class as a PCRE2 pattern of one code point; the [ is behind us. Its members are one PCRE2 class as long
// as none of them is negative; what PCRE2 cannot put inside a class becomes an alternative to it.
std::string OnigurumaReader::class_text(bool ignore_case, int depth) {
  if (depth > kMaxDepth) refuse("a class so deep in others");
  bool negative = take("^");
  std::vector<std::string> intersected = {union_text(ignore_case, depth)};
  while (take("&&")) intersected.push_back(union_text(ignore_case, depth));
  if (!take("]")) refuse("a class that is not closed");
  std::string text;
  for (std::size_t i = 0; i + 1 < intersected.size(); ++i) text += fmt::format("(?={})", intersected[i]);
  text += intersected.back();
  if (intersected.size() > 1) text = fmt::format("(?:{})", text);
  if (!negative) return text;
  bool plain = text.front() == '[' && text.find(']') == text.size() - 1;
  return plain ? fmt::format("[^{}", text.substr(1)) : fmt::format("(?:(?!{})(?s:.))", text);
}

std::string OnigurumaReader::union_text(bool ignore_case, int depth) {
  std::string members;
  std::vector<std::string> others;
  for (bool first = true; !at_end() && !looking_at("&&"); first = false) {
    if (looking_at("]") && !(first && pattern_.find(']', at_ + 1) != pattern_.npos)) break;
    OnigurumaReader::class_member(ignore_case, depth, members, others);
  }
  if (members.empty() && others.empty()) refuse("an empty class");
  if (others.empty()) return fmt::format("[{}]", members);
  std::string text = members.empty() ? "(?:" : fmt::format("(?:[{}]|", members);
  for (std::size_t i = 0; i < others.size(); ++i) text += fmt::format("{}{}", i > 0 ? "|" : "", others[i]);
  return text + ")";
}

void OnigurumaReader::class_member(bool ignore_case, int depth, std::string& members,
                                   std::vector<std::string>& others) {
  if (looking_at("[:")) return posix_member(ignore_case, members, others);
  if (take("[")) return others.push_back(class_text(ignore_case, depth + 1));
  bool negative = false;
  if (looking_at("\\") && at_ + 1 < pattern_.size()) {
    ++at_;
    if (std::optional<std::string> inside = set_inside(negative)) {
      check_cased(ignore_case, *inside);
      return add_set(*inside, negative, members, others);
    }
    --at_;
  }
  char32_t first = class_code_point(), last = first;
  bool range = looking_at("-") && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']' &&
               !looking_at("-&&") && !is_set_at(at_ + 1);
  if (range) {
    ++at_;
    last = class_code_point();
    if (last < first) refuse("a range that runs backwards");
  }
  if (ignore_case && last >= 0x80) refuse("a letter outside ASCII whose case is ignored");
  members += literal_text(first);
  if (range) members += fmt::format("-{}", literal_text(last));
}

// Within a class, Oniguruma gives some of such a set its other case, and PCRE2 none.
void OnigurumaReader::check_cased(bool ignore_case, std::string_view inside) const {
  bool cased = false;
  for (std::string_view category : {"\\p{Lu}", "\\p{Ll}", "\\p{Lt}"}) {
    cased = cased || inside.find(category) != std::string_view::npos;
  }
  if (cased && ignore_case) refuse("a set of one case, in a class, whose case is ignored");
}

bool OnigurumaReader::is_set_at(std::size_t at) const {
  if (pattern_[at] == '[') return true;
  return pattern_[at] == '\\' && at + 1 < pattern_.size() &&
         std::string_view("sSdDwWhHpP").find(pattern_[at + 1]) != std::string_view::npos;
}

void OnigurumaReader::add_set(const std::string& inside, bool negative, std::string& members,
                              std::vector<std::string>& others) {
  if (negative) {
    others.push_back(fmt::format("[^{}]", inside));
  } else {
    members += inside;
  }
}

void OnigurumaReader::posix_member(bool ignore_case, std::string& members, std::vector<std::string>& others) {
  std::size_t end = pattern_.find(":]", at_);
  if (end == pattern_.npos) refuse("[: without :]");
  std::string_view name = pattern_.substr(at_ + 2, end - at_ - 2);
  bool negative = name.starts_with('^');
  if (negative) name.remove_prefix(1);
  std::optional<std::string> inside = posix_class(name);
  if (!inside) refuse(fmt::format("[:{}:]", name));
  check_cased(ignore_case, *inside);
  at_ = end + 2;
  add_set(*inside, negative, members, others);
}

char32_t OnigurumaReader::class_code_point() {
  if (!take("\\")) return next_code_point(pattern_, at_);
  if (at_end()) refuse("a \\ at the end");
  if (take("b")) return '\b';
  return code_point_escape();
}

}  // namespace surprisal
