// A record of a JSONL corpus, of whose fields some may be meant for other programs.
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"

namespace surprisal {

// As parse_json; but a number that no double holds, and what lies deeper than 64 levels, is null, which
// whoever reads that field refuses, and nobody else.
Json parse_record(std::string_view text, const std::string& where);

}  // namespace surprisal
