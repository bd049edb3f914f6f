// The rules that every stream keeps, whoever made it.
#pragma once

#include <cstdint>
#include <string>

#include "surprisal/stream.h"

namespace surprisal {

// What a model can take. 0 or less: not checked.
struct StreamLimits {
  std::int64_t vocabulary = 0;  // token and target ids are below it
  std::int64_t positions = 0;   // positions are below it
  std::int64_t block_positions = 0;
  std::int64_t segments = 0;
  std::int64_t classes = 0;  // label classes are below it
  bool targets = true;       // whether there may be any
};

// Throws Error (data) naming `where`, the array, the row, found and expected: arrays of unequal length; an
// interval that is not 0 <= begin <= end <= N; a row, id, position, segment or class outside its range; a
// weight that is negative or not finite; targets or labels of an earlier sequence behind those of a later
// one; a choice without an option, an option without a target, out of their range or in another's, an answer
// that is no option; sequences that do not cover the stream in order.
void check_stream(const Stream& stream, const StreamLimits& limits, const std::string& where);

}  // namespace surprisal
