// adapter_config.json, PEFT's (0.21), and the options that it means. Of its keys those are read that this
// program has an option for; any other that says something else than its default is refused by name.
#pragma once

#include <string>
#include <string_view>

#include "adapt/options.h"
#include "core/json.h"
#include "model/config.h"

namespace surprisal {

// Throws Error (data) with the key.
AdapterOptions read_adapter_config(std::string_view text, const ModelConfig& base, const std::string& where);

// Of what model it is the adapter.
Task read_adapter_task(std::string_view text, const std::string& where);

// `base_name`: of the model that it was trained on, for people.
OrderedJson write_adapter_config(const AdapterOptions& options, const ModelConfig& base,
                                 const std::string& base_name);

}  // namespace surprisal
