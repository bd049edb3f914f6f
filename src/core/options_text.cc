#include "core/options_text.h"

#include <cmath>

#include <fmt/format.h>
#include <utf8proc.h>

namespace surprisal::detail {
namespace {

template <class Number>
struct Bound {
  bool given;
  bool open;
  Number value;
};

template <class Number>
std::string in_words(Bound<Number> min, Bound<Number> max) {
  if (min.given && max.given) {
    return fmt::format("in {}{}, {}{}", min.open ? '(' : '[', min.value, max.value, max.open ? ')' : ']');
  }
  if (min.given) return fmt::format("{} {}", min.open ? ">" : ">=", min.value);
  if (max.given) return fmt::format("{} {}", max.open ? "<" : "<=", max.value);
  return "";
}

}  // namespace

std::string to_toml(bool value) {
  return value ? "true" : "false";
}

std::string to_toml(std::int64_t value) {
  return fmt::format("{}", value);
}

std::string to_toml(double value) {
  std::string text = fmt::format("{}", value);
  bool integral = std::isfinite(value) && text.find_first_of(".e") == std::string::npos;
  return integral ? text + ".0" : text;
}

std::string to_toml(std::string_view value) {
  std::string text = "\"";
  for (char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '\t') {
      text += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      text += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      text += c;
    }
  }
  return text + "\"";
}

std::string to_toml(const std::vector<std::string>& value) {
  std::string text = "[";
  for (const std::string& item : value)
    text += (text.size() > 1 ? ", " : "") + to_toml(std::string_view(item));
  return text + "]";
}

std::string range_text(const IntRange& range) {
  const IntRange all;
  return in_words<std::int64_t>({range.min != all.min, false, range.min},
                                {range.max != all.max, false, range.max});
}

std::string range_text(const NumberRange& range) {
  const NumberRange all;
  return in_words<double>({range.min != all.min, range.open_min, range.min},
                          {range.max != all.max, range.open_max, range.max});
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    utf8proc_int32_t code_point;
    utf8proc_ssize_t length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                               static_cast<utf8proc_ssize_t>(text.size()), &code_point);
    if (length < 1) return false;
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return true;
}

}  // namespace surprisal::detail
