// The parts of an Oniguruma pattern that need no look at what stands around them: escapes and classes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace surprisal {

inline bool is_ascii_letter(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_ascii_digit(char32_t c) {
  return c >= '0' && c <= '9';
}

// A code point as a PCRE2 pattern has it, inside brackets or not.
std::string literal_text(char32_t c);

class OnigurumaReader {
 protected:
  OnigurumaReader(std::string_view pattern, const std::string& where) : pattern_(pattern), where_(where) {}

  [[noreturn]] void refuse(std::string what) const;

  bool at_end() const { return at_ >= pattern_.size(); }
  bool looking_at(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  bool take(std::string_view text) {
    if (!looking_at(text)) return false;
    at_ += text.size();
    return true;
  }

  // What \\s, \\p{L} ... are inside a PCRE2 class, if that is what stands behind the backslash; moves behind
  // it.
  std::optional<std::string> set_inside(bool& negative);
  // What stands behind a backslash and is one code point.
  char32_t code_point_escape();
  // A class as a PCRE2 pattern of one code point; the [ is behind us.
  std::string class_text(bool ignore_case, int depth = 1);

  std::string_view pattern_;
  const std::string& where_;
  std::size_t at_ = 0;

 private:
  char32_t hexadecimal_escape();
  char32_t hexadecimal(int min, int max);
  std::string union_text(bool ignore_case, int depth);
  void class_member(bool ignore_case, int depth, std::string& members, std::vector<std::string>& others);
  void posix_member(bool ignore_case, std::string& members, std::vector<std::string>& others);
  char32_t class_code_point();
  void check_cased(bool ignore_case, std::string_view inside) const;
  bool is_set_at(std::size_t at) const;
  static void add_set(const std::string& inside, bool negative, std::string& members,
                      std::vector<std::string>& others);
};

}  // namespace surprisal
