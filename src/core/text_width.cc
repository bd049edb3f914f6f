#include "core/text_width.h"

#include <utf8proc.h>

namespace surprisal {
namespace {

// Calls take(bytes, columns) for every code point of `utf8`; a byte that starts none counts one column.
template <class Take>
void for_each_code_point(std::string_view utf8, Take&& take) {
  while (!utf8.empty()) {
    utf8proc_int32_t code_point;
    utf8proc_ssize_t length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()),
                                               static_cast<utf8proc_ssize_t>(utf8.size()), &code_point);
    int columns = length < 1 ? 1 : utf8proc_charwidth(code_point);
    std::size_t bytes = length < 1 ? 1 : static_cast<std::size_t>(length);
    if (!take(bytes, columns)) return;
    utf8.remove_prefix(bytes);
  }
}

}  // namespace

int display_width(std::string_view utf8) {
  int width = 0;
  for_each_code_point(utf8, [&](std::size_t, int columns) {
    width += columns;
    return true;
  });
  return width;
}

std::string pad_to(std::string_view utf8, int columns) {
  int width = display_width(utf8);
  if (width <= columns)
    return std::string(utf8) + std::string(static_cast<std::size_t>(columns - width), ' ');
  if (columns < 1) return "";
  std::string cut;
  int used = 0;
  for_each_code_point(utf8, [&](std::size_t bytes, int wide) {
    if (used + wide > columns - 1) return false;
    cut += utf8.substr(cut.size(), bytes);
    used += wide;
    return true;
  });
  return cut + "…" + std::string(static_cast<std::size_t>(columns - 1 - used), ' ');
}

}  // namespace surprisal
