// A family is data: config.json <-> ModelConfig, and Hugging Face tensor names <-> our parameters. To add
// one: a file in families/ and a row in the table of family.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "surprisal/error.h"

#include "core/json.h"
#include "model/config.h"
#include "model/parameter.h"

namespace surprisal {

// A stored tensor and the place of ours that it fills: rows [row_begin, row_end) of the parameter's first
// axis, stored as they are or (GPT-2's Conv1D) transposed.
struct Binding {
  std::string stored;  // the name that `transformers` writes today
  int parameter = 0;   // index into ParameterTable::parameters
  std::int64_t row_begin = 0, row_end = 0;
  bool transposed = false;
  std::vector<std::int64_t> stored_shape(const ParameterTable& table) const;
};

struct Family {
  std::string name;          // config.json's model_type
  std::string architecture;  // its "architectures" entry
  bool decoder = false;      // everywhere else its rows see only what stands before them
  // Reads config.json. Throws Error (data): a key missing, out of range, or one that would change the
  // mathematics and is not supported, by name.
  ModelConfig (*read_config)(const Json& config, const std::string& where);
  OrderedJson (*write_config)(const ModelConfig& config);
  // A new model of this family.
  ModelConfig (*from_options)(const ModelOptions& options, std::int64_t vocab_size,
                              std::int64_t sequence_length);
  std::vector<Binding> (*bindings)(const ModelConfig& config, const ParameterTable& table);
  // Stored tensors that are read past without a word: buffers, and a second copy of a tied weight.
  bool (*ignored)(std::string_view stored);
};

// Throws Error of `kind` naming the families that there are.
const Family& find_family(const std::string& model_type, const std::string& where,
                          ErrorKind kind = ErrorKind::data);
std::vector<std::string> family_names();

// Range checks that hold for every family: positive sizes, heads that divide the width ... Throws Error of
// `kind`.
void check_config(const ModelConfig& config, ErrorKind kind, const std::string& where);

}  // namespace surprisal
