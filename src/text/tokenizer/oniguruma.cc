#include "text/tokenizer/oniguruma.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "text/tokenizer/oniguruma_properties.h"
#include "text/tokenizer/oniguruma_reader.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

// Those of known tokenizers have a few hundred bytes.
constexpr std::size_t kMaxPattern = 16 * 1024;

class Translator : OnigurumaReader {
 public:
  Translator(std::string_view pattern, const std::string& where) : OnigurumaReader(pattern, where) {}

  std::string translate() {
    if (pattern_.size() > kMaxPattern) refuse(fmt::format("a length of {} bytes", pattern_.size()));
    at_ = std::min(find_invalid_utf8(pattern_), pattern_.size());
    if (at_ < pattern_.size()) refuse("a byte that is no UTF-8");
    at_ = 0;
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
        atom(class_text(groups_.back().ignore_case));
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
    if (is_ascii_digit(static_cast<unsigned char>(c)) && c != '0') return numbered_reference();
    if (std::optional<std::string> set = set_escape()) return atom(*set);
    add_literal(code_point_escape());
  }

  void numbered_reference() {
    std::size_t size = 1;
    if (at_ + 1 < pattern_.size() && is_ascii_digit(static_cast<unsigned char>(pattern_[at_ + 1]))) {
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
    bool good = !name.empty() && !is_ascii_digit(static_cast<unsigned char>(name[0]));
    for (char c : name)
      good = good && (is_ascii_letter(static_cast<unsigned char>(c)) ||
                      is_ascii_digit(static_cast<unsigned char>(c)) || c == '_');
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
      while (at < pattern_.size() && is_ascii_digit(static_cast<unsigned char>(pattern_[at]))) ++at;
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
