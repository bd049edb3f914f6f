// What BERT and the models made from it (RoBERTa) have in common: the keys of config.json, and the tensors of
// the body, the model without its heads.
#pragma once

#include <cstdint>
#include <string>

#include "model/families/bindings.h"
#include "model/families/config_reader.h"
#include "model/families/new_model.h"

namespace surprisal {

// Reads sizes, activation, epsilon, dropouts and ids into `config` and refuses what would change the
// mathematics. Absent keys are those of `transformers`' configuration classes; `pad_token_id` is its default.
void read_bert_body(ConfigReader& reader, std::int64_t pad_token_id, ModelConfig& config);

// A new model's; the default of the epsilon and of the padding's id is the family's.
void set_bert_body(const ModelOptions& options, const FamilyDefaults& defaults,
                   const ModelVocabulary& vocabulary, std::int64_t sequence_length, ModelConfig& config);

OrderedJson write_bert_body(const ModelConfig& config, const char* architecture);

// `prefix`: "bert.".
void bind_bert_body(BindingList& list, const std::string& prefix, const ModelConfig& config);

}  // namespace surprisal
