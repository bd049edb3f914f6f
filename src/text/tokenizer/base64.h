// Bytes within JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace surprisal {

std::string base64_encode(std::string_view bytes);
// None for text that is no base64 with its padding (RFC 4648).
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace surprisal
