// What Llama and the families after it share: pre-norm without mean and bias, rotary positions, gated
// feed-forward, grouped queries, and the names of `transformers`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/families/bindings.h"
#include "model/families/config_reader.h"
#include "model/families/new_model.h"
#include "model/family.h"

namespace surprisal {

// What no key of config.json can change.
ModelConfig shape_of_llama(const char* family);

// Everything but biases, the ids of text's ends and what one family alone has.
void read_llama_body(ConfigReader& reader, ModelConfig& config);

// The keys that both write.
Json write_llama_body(const ModelConfig& config, const char* architecture);

ModelConfig llama_from_options(const ModelOptions& options, const ModelVocabulary& vocabulary,
                               std::int64_t sequence_length, ModelConfig config);

std::vector<Binding> llama_bindings(const ModelConfig& config, const ParameterTable& table);
bool is_llama_buffer(std::string_view name);
std::vector<SharedTensor> shared_by_llama(const ModelConfig& config);

}  // namespace surprisal
