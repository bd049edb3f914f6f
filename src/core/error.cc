#include "surprisal/error.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <utf8proc.h>

namespace surprisal {
namespace {

// Parts hold names and text of files that anyone may have made. Longer ones hide what is wrong.
constexpr std::size_t kLongestPart = 64 * 1024;  // bytes

// What breaks lines or steers terminals.
bool is_control(std::int32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) || code_point == 0x2028 ||
         code_point == 0x2029;
}

// Text as one line of UTF-8 that a terminal shows as it is.
std::string shown(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    if (result.size() >= kLongestPart) return result + "...";
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                                     static_cast<utf8proc_ssize_t>(text.size()), &code_point);
    const auto size = static_cast<std::size_t>(length < 1 ? 1 : length);
    if (length < 1) {
      result += "\uFFFD";
    } else if (is_control(code_point)) {
      result += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code_point));
    } else {
      result += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return result;
}

ErrorParts shown(ErrorParts parts) {
  for (std::string* part : {&parts.what, &parts.where, &parts.found, &parts.expected, &parts.fix}) {
    *part = shown(std::string_view(*part));
  }
  return parts;
}

std::string one_line(const ErrorParts& parts) {
  std::string text = parts.where.empty() ? parts.what : parts.where + ": " + parts.what;
  if (!parts.found.empty()) text += ": found " + parts.found;
  if (!parts.expected.empty()) text += (parts.found.empty() ? ": expected " : ", expected ") + parts.expected;
  if (!parts.fix.empty()) text += "; " + parts.fix;
  return text;
}

}  // namespace

Error::Error(ErrorKind kind, ErrorParts parts)
    : kind_(kind), parts_(shown(std::move(parts))), message_(one_line(parts_)) {}

}  // namespace surprisal
