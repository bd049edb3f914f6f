// What a path holds, gathered once and shown as JSON or as text.
#pragma once

#include <filesystem>
#include <string>

#include "core/json.h"

namespace surprisal {

// "kind" is checkpoint, tensors, tokenizer, adapter or run; what else there is depends on it. `verify` adds
// "verified". Throws Error: io (missing), data (nothing that is known, malformed, or not as it should be).
OrderedJson inspect_path(const std::filesystem::path& path, bool verify);

// The report for a person; `tensor_table`: with a line for every tensor.
std::string inspection_text(const OrderedJson& report, bool tensor_table);

}  // namespace surprisal
