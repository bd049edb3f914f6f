// What families share in making a configuration from options and in writing one.
#pragma once

#include <cstdint>
#include <string>

#include "core/json.h"
#include "model/config.h"

namespace surprisal {

// What a family uses where the options say nothing.
struct FamilyDefaults {
  const char* activation;
  double layer_norm_eps;
  std::int64_t pad_token_id = -1;        // where the tokenizer has none
  double embedding_gradient_shrink = 1;  // 1: the family's configuration cannot name another
  bool grouped_queries = false;  // fewer heads of keys than of queries, and a base of rotary positions
  double dropout = 0.1;          // 0: on attention probabilities alone, and there off
};

// Two thirds of four times the width, as the gate's matrix comes on top; to a multiple of 8.
std::int64_t gated_intermediate_size(std::int64_t hidden_size);

// Fills in sizes, activation, epsilon, initial range, dropouts and ids; type_vocab_size is the family's.
// Throws Error (usage) on an unknown activation; check_config() is the caller's.
void set_from_options(const ModelOptions& options, const FamilyDefaults& defaults,
                      const ModelVocabulary& vocabulary, std::int64_t sequence_length, ModelConfig& config);

// A key of [model] that the family's configuration cannot name: anything but `expected` is an Error (usage)
// where `given`.
void require_only(bool given, const char* key, const std::string& found, const std::string& expected,
                  const ModelConfig& config);

// null for -1.
OrderedJson token_id_or_null(std::int64_t id);

}  // namespace surprisal
