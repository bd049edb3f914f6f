// Columns that UTF-8 text takes on a terminal: wide characters two, combining marks none.
#pragma once

#include <string>
#include <string_view>

namespace surprisal {

int display_width(std::string_view utf8);
// `utf8` padded with blanks to `columns`, or cut to it with a trailing ellipsis; "" for no columns.
std::string pad_to(std::string_view utf8, int columns);

}  // namespace surprisal
