// The text form of a stream: one JSON object a line, as `explain --json` prints and `loss --streams` reads.
#pragma once

#include <string>
#include <string_view>

#include "surprisal/stream.h"

namespace surprisal {

// {"token":[..],"position":[..],"block_position":[..],"segment":[..],"visible":[[b,e],..],"target":[[row,id,weight],..],
//  "label":[[row,class,weight],..],"choice":[{"options":[[first target,end],..],"answer":k,"weight":w},..]};
//  `choice`
// only where there is one; a label of a regression is [row,0,weight,value], without the value where that is
// 0. Weights and values are written so that they read back to the same float.
std::string stream_to_json(const Stream& stream);

// `position` may be left out (position[i] = i - visible[i][0]), `block_position` and `segment` too (zeros),
// `target`, `label` and `choice` may be empty or left out. A line is read as one sequence, also where the
// sample that it tells of has several. Other keys are an error. Throws Error (data) with `where`.
Stream stream_from_json(std::string_view line, const std::string& where);

}  // namespace surprisal
