// gzip and zstd in memory, for seeds and the mutator.
#pragma once

#include <string>
#include <string_view>

namespace surprisal::fuzz {

std::string gzip(std::string_view text);
std::string zstd(std::string_view text);
// The first `most` bytes of what the data hold; less where they are damaged.
std::string gunzip(std::string_view data, std::size_t most);
std::string unzstd(std::string_view data, std::size_t most);

}  // namespace surprisal::fuzz
