// The grammar of specifications (mixture.h), without a meaning of its names.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "surprisal/error.h"

namespace surprisal {

struct WrittenTerm {
  double weight = 1;
  std::string name;
  std::size_t offset = 0;  // of the name in the specification, bytes
};

struct WrittenPart {
  std::string text;  // without the share
  double share = 1;  // as written
  std::size_t offset = 0;
  std::vector<WrittenTerm> terms;  // at least one
};

// Throws Error (usage) with the column. Numbers are within [0, 1e9]. `key` says in errors what was given so.
std::vector<WrittenPart> parse_specification(const std::string& specification,
                                             std::string_view key = "objective");

// An error at a place of a specification: where = `objective "mlm + causl", column 7`.
Error specification_error(const std::string& specification, std::size_t offset, ErrorParts parts,
                          std::string_view key = "objective");

}  // namespace surprisal
