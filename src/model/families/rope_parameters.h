// Rotary positions as configurations of `transformers` name them: since 5.0 an object rope_parameters with
// base, type and what the type needs; before, rope_theta beside an object rope_scaling.
#pragma once

#include "core/json.h"
#include "model/config.h"
#include "model/families/config_reader.h"

namespace surprisal {

// Sets rotary_base and rotary_scaling. REQUIRES that max_position_embeddings is set. Throws Error (data) on a
// type or a key that is not supported, by name.
void read_rope_parameters(ConfigReader& reader, ModelConfig& config);

// rope_parameters as `transformers` writes them.
Json write_rope_parameters(const ModelConfig& config);

}  // namespace surprisal
