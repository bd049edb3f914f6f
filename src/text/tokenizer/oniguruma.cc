#include "text/tokenizer/oniguruma.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/oniguruma_properties.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

constexpr int kMaxDepth = 32;

bool is_letter(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char32_t c) {
  return c >= '0' && c <= '9';
}
bool is_hexadecimal(char32_t c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string literal_text(char32_t c) {
  if (c < 0x20 || c == 0x7F) return fmt::format("\\x{{{:x}}}", static_cast<unsigned>(c));
  std::string text;
  if (c < 0x80 && !is_letter(c) && !is_digit(c) && c != ' ') text = "\\";
  append_utf8(c, text);
  return text;
}

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where) : pattern_(pattern), where_(where) {}

  std::string translate() {
    groups_.push_back({});
    while (at_ < pattern_.size()) step();
    if (groups_.size() > 1) refuse("a group that is not closed");
    return std::move(out_);
  }

 private:
  struct Group {
    std::size_t begin = 0;  // in the output
    bool ignore_case = false, dot_all = false;
    bool empty = true;  // nothing stands in it yet
  };

  [[noreturn]] void refuse(std::string what) const {
    throw Error(ErrorKind::data,
                {.what = fmt::format("regular expression {}: {} is not supported", pattern_, what),
                 .where = where_,
                 .found = fmt::format("at byte {}", at_)});
  }

  bool at_end() const { return at_ >= pattern_.size(); }
  bool looking_at(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  bool take(std::string_view text) {
    if (!looking_at(text)) return false;
    at_ += text.size();
    return true;
  }

  // Anything that a quantifier may follow.
  void atom(std::string_view text) {
    atom_ = out_.size();
    repeated_ = false;
    previous_literal_ = 0;
    out_ += text;
  }

  void step() {
    bool opens = false;
    switch (pattern_[at_]) {
      case '\\':
        ++at_;
        escape();
        break;
      case '[':
        ++at_;
        atom(class_text(1));
        break;
      case '(':
        ++at_;
        open_group();
        opens = true;
        break;
      case ')':
        ++at_;
        close_group();
        break;
      case '|':
        ++at_;
        out_ += '|';
        atom_.reset();
        previous_literal_ = 0;
        break;
      case '^':
        ++at_;
        anchor("(?m:^)");
        break;
      case '$':
        ++at_;
        anchor("(?m:$)");
        break;
      case '.':
        ++at_;
        atom(groups_.back().dot_all ? "(?s:.)" : "[^\\x{a}]");
        break;
      case '*':
      case '+':
      case '?':
        quantifier();
        break;
      case '{':
        if (!interval()) literal();
        break;
      default:
        literal();
    }
    if (!opens) groups_.back().empty = false;
  }

  void anchor(std::string_view text) {
    out_ += text;
    atom_.reset();
    previous_literal_ = 0;
  }

  void literal() { add_literal(next_code_point(pattern_, at_)); }

  void add_literal(char32_t c) {
    char32_t before = std::exchange(previous_literal_, 0);
    if (groups_.back().ignore_case) check_case(before, c);
    atom(literal_text(c));
    previous_literal_ = c;
  }

  // One letter may equal two when case is ignored ("ss" and U+00DF); PCRE2 compares one with one.
  void check_case(char32_t before, char32_t c) const {
    if (c >= 0x80) refuse("a letter outside ASCII whose case is ignored");
    char pair[2] = {static_cast<char>(before | 0x20), static_cast<char>(c | 0x20)};
    std::string_view text(pair, 2);
    for (std::string_view folded : {"ss", "ff", "fi", "fl", "st"}) {
      if (before != 0 && text == folded) refuse(fmt::format("\"{}\" whose case is ignored", folded));
    }
  }

  void escape() {
    if (at_end()) refuse("a \\ at the end");
    char c = pattern_[at_];
    switch (c) {
      case 'b':
      case 'B': {
        ++at_;
        std::string word = fmt::format("[{}]", word_escape_class());
        std::string_view form =
            c == 'b' ? "(?:(?<={0})(?!{0})|(?<!{0})(?={0}))" : "(?:(?<={0})(?={0})|(?<!{0})(?!{0}))";
        return anchor(fmt::format(fmt::runtime(form), word));
      }
      case 'A':
      case 'z':
      case 'Z':
        ++at_;
        return anchor(std::string("\\") + c);
      case 'R':
        ++at_;
        return atom("(?>\\x{d}\\x{a}|[\\x{a}-\\x{d}\\x{85}\\x{2028}\\x{2029}])");
      case 'k':
        return named_reference();
      default:
        break;
    }
    if (is_digit(static_cast<unsigned char>(c)) && c != '0') return numbered_reference();
    if (std::optional<std::string> set = set_escape()) return atom(*set);
    add_literal(code_point_escape());
  }

  void numbered_reference() {
    std::size_t size = 1;
    if (at_ + 1 < pattern_.size() && is_digit(static_cast<unsigned char>(pattern_[at_ + 1]))) {
      refuse("a number of two digits behind \\");
    }
    atom(fmt::format("\\g{{{}}}", pattern_.substr(at_, size)));
    at_ += size;
  }

  void named_reference() {
    std::size_t end = pattern_.find('>', at_);
    if (at_ + 1 >= pattern_.size() || pattern_[at_ + 1] != '<' || end == pattern_.npos)
      refuse("\\k without <name>");
    std::string_view name = pattern_.substr(at_ + 2, end - at_ - 2);
    check_name(name);
    atom(fmt::format("\\k<{}>", name));
    at_ = end + 1;
  }

  void check_name(std::string_view name) const {
    bool good = !name.empty() && !is_digit(static_cast<unsigned char>(name[0]));
    for (char c : name)
      good = good && (is_letter(static_cast<unsigned char>(c)) || is_digit(static_cast<unsigned char>(c)) ||
                      c == '_');
    if (!good) refuse(fmt::format("the group name \"{}\"", name));
  }

  // \s \P{L} ...: a PCRE2 class, if that is what stands behind the backslash. Moves behind it.
  std::optional<std::string> set_escape() {
    bool negative = false;
    std::optional<std::string> inside = set_inside(negative);
    if (!inside) return std::nullopt;
    if (*inside == shorthand_class('w')) inside = word_escape_class();
    return fmt::format("[{}{}]", negative ? "^" : "", *inside);
  }

  std::optional<std::string> set_inside(bool& negative) {
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
  char32_t code_point_escape() {
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
        return hexadecimal_escape();
      case 'u':
        return hexadecimal(4, 4);
      default:
        break;
    }
    if (is_letter(c) || is_digit(c)) {
      --at_;
      refuse(fmt::format("\\{}", pattern_[at_]));
    }
    return c;
  }

  char32_t hexadecimal_escape() {
    if (!take("{")) {
      char32_t c = hexadecimal(2, 2);
      if (c >= 0x80) refuse("\\x of a byte that is no character");
      return c;
    }
    char32_t c = hexadecimal(1, 8);
    if (!take("}")) refuse("\\x{ without }");
    return c;
  }

  char32_t hexadecimal(int min, int max) {
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
  std::string class_text(int depth) {
    if (depth > kMaxDepth) refuse("a class so deep in others");
    bool negative = take("^");
    std::vector<std::string> intersected = {union_text(depth)};
    while (take("&&")) intersected.push_back(union_text(depth));
    if (!take("]")) refuse("a class that is not closed");
    std::string text;
    for (std::size_t i = 0; i + 1 < intersected.size(); ++i) text += fmt::format("(?={})", intersected[i]);
    text += intersected.back();
    if (intersected.size() > 1) text = fmt::format("(?:{})", text);
    if (!negative) return text;
    bool plain = text.front() == '[' && text.find(']') == text.size() - 1;
    return plain ? fmt::format("[^{}", text.substr(1)) : fmt::format("(?:(?!{})(?s:.))", text);
  }

  std::string union_text(int depth) {
    std::string members;
    std::vector<std::string> others;
    for (bool first = true; !at_end() && !looking_at("&&"); first = false) {
      if (looking_at("]") && !(first && pattern_.find(']', at_ + 1) != pattern_.npos)) break;
      class_member(depth, members, others);
    }
    if (members.empty() && others.empty()) refuse("an empty class");
    if (others.empty()) return fmt::format("[{}]", members);
    std::string text = members.empty() ? "(?:" : fmt::format("(?:[{}]|", members);
    for (std::size_t i = 0; i < others.size(); ++i) text += fmt::format("{}{}", i > 0 ? "|" : "", others[i]);
    return text + ")";
  }

  void class_member(int depth, std::string& members, std::vector<std::string>& others) {
    if (looking_at("[:")) return posix_member(members, others);
    if (take("[")) return others.push_back(class_text(depth + 1));
    bool negative = false;
    if (looking_at("\\") && at_ + 1 < pattern_.size()) {
      ++at_;
      if (std::optional<std::string> inside = set_inside(negative)) {
        check_cased(*inside);
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
    if (groups_.back().ignore_case && last >= 0x80) refuse("a letter outside ASCII whose case is ignored");
    members += literal_text(first);
    if (range) members += fmt::format("-{}", literal_text(last));
  }

  // Within a class, Oniguruma gives some of such a set its other case, and PCRE2 none.
  void check_cased(std::string_view inside) const {
    bool cased = false;
    for (std::string_view category : {"\\p{Lu}", "\\p{Ll}", "\\p{Lt}"}) {
      cased = cased || inside.find(category) != std::string_view::npos;
    }
    if (cased && groups_.back().ignore_case) refuse("a set of one case, in a class, whose case is ignored");
  }

  bool is_set_at(std::size_t at) const {
    if (pattern_[at] == '[') return true;
    return pattern_[at] == '\\' && at + 1 < pattern_.size() &&
           std::string_view("sSdDwWhHpP").find(pattern_[at + 1]) != std::string_view::npos;
  }

  static void add_set(const std::string& inside, bool negative, std::string& members,
                      std::vector<std::string>& others) {
    if (negative) {
      others.push_back(fmt::format("[^{}]", inside));
    } else {
      members += inside;
    }
  }

  void posix_member(std::string& members, std::vector<std::string>& others) {
    std::size_t end = pattern_.find(":]", at_);
    if (end == pattern_.npos) refuse("[: without :]");
    std::string_view name = pattern_.substr(at_ + 2, end - at_ - 2);
    bool negative = name.starts_with('^');
    if (negative) name.remove_prefix(1);
    std::optional<std::string> inside = posix_class(name);
    if (!inside) refuse(fmt::format("[:{}:]", name));
    check_cased(*inside);
    at_ = end + 2;
    add_set(*inside, negative, members, others);
  }

  char32_t class_code_point() {
    if (!take("\\")) return next_code_point(pattern_, at_);
    if (at_end()) refuse("a \\ at the end");
    if (take("b")) return '\b';
    return code_point_escape();
  }

  void open_group() {
    if (looking_at("*")) refuse("(*");
    Group group = groups_.back();
    group.begin = out_.size();
    group.empty = true;
    if (!looking_at("?")) {
      out_ += '(';
    } else if (!group_kind(group)) {
      return;
    }
    groups_.push_back(group);
    atom_.reset();
    previous_literal_ = 0;
  }

  // Writes what opens the group. False for options that hold to the end of the group around.
  bool group_kind(Group& group) {
    for (std::string_view kind : {"?:", "?=", "?!", "?>", "?<=", "?<!"}) {
      if (!take(kind)) continue;
      out_ += fmt::format("({}", kind);
      return true;
    }
    if (take("?<")) {
      std::size_t end = pattern_.find('>', at_);
      if (end == pattern_.npos) refuse("(?< without >");
      check_name(pattern_.substr(at_, end - at_));
      out_ += fmt::format("(?<{}>", pattern_.substr(at_, end - at_));
      at_ = end + 1;
      return true;
    }
    return options(group);
  }

  // (?i:...), (?m-i:...), or (?i) before anything else in its group. Oniguruma's m is PCRE2's s.
  bool options(Group& group) {
    std::size_t begin = at_++;
    bool on = true;
    for (; !at_end() && pattern_[at_] != ':' && pattern_[at_] != ')'; ++at_) {
      switch (pattern_[at_]) {
        case '-':
          on = false;
          break;
        case 'i':
          group.ignore_case = on;
          break;
        case 'm':
          group.dot_all = on;
          break;
        default:
          refuse(fmt::format("({}", pattern_.substr(begin, at_ + 1 - begin)));
      }
    }
    std::string flag = group.ignore_case ? "i" : "-i";
    if (take(":")) {
      out_ += fmt::format("(?{}:", flag);
      return true;
    }
    if (!take(")")) refuse("a group that is not closed");
    if (!groups_.back().empty) refuse("an option within a group");
    out_ += fmt::format("(?{})", flag);
    groups_.back().ignore_case = group.ignore_case;
    groups_.back().dot_all = group.dot_all;
    return false;
  }

  void close_group() {
    if (groups_.size() == 1) refuse(") without (");
    out_ += ')';
    atom_ = groups_.back().begin;
    repeated_ = false;
    previous_literal_ = 0;
    groups_.pop_back();
  }

  void wrap_atom() {
    out_.insert(*atom_, "(?:");
    out_ += ')';
  }

  void check_atom() {
    if (!atom_) refuse(fmt::format("{} behind nothing", pattern_[at_]));
    if (repeated_) wrap_atom();
    repeated_ = true;
    previous_literal_ = 0;
  }

  void quantifier() {
    check_atom();
    out_ += pattern_[at_++];
    if (looking_at("?") || looking_at("+")) out_ += pattern_[at_++];
  }

  // {2}, {2,}, {,3}, {2,3}, lazy with a ? behind the latter; false for a { that stands for itself.
  bool interval() {
    std::size_t at = at_ + 1;
    auto number = [&] {
      std::size_t begin = at;
      while (at < pattern_.size() && is_digit(static_cast<unsigned char>(pattern_[at]))) ++at;
      return pattern_.substr(begin, at - begin);
    };
    std::string_view low = number(), high = low;
    bool two = at < pattern_.size() && pattern_[at] == ',';
    if (two) {
      ++at;
      high = number();
    }
    if (at >= pattern_.size() || pattern_[at] != '}' || (low.empty() && high.empty())) return false;
    check_atom();
    at_ = at + 1;
    out_ += fmt::format("{{{}{}}}", low.empty() ? "0" : low, two ? fmt::format(",{}", high) : "");
    if (two && take("?")) out_ += '?';
    return true;
  }

  std::string_view pattern_;
  const std::string& where_;
  std::size_t at_ = 0;
  std::string out_;
  std::vector<Group> groups_;
  std::optional<std::size_t> atom_;  // where in the output what a quantifier would repeat begins
  bool repeated_ = false;            // it has a quantifier already
  char32_t previous_literal_ = 0;    // directly before; 0: something else
};

}  // namespace

std::string pcre2_pattern(std::string_view pattern, const std::string& where) {
  return Translator(pattern, where).translate();
}

}  // namespace surprisal
