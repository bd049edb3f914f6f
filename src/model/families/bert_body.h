// What BERT and the models made from it (RoBERTa) have in common: the keys of config.json, the tensors of the
// body, which is the model without its heads, and those of the masked-LM head.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/families/bindings.h"
#include "model/families/config_reader.h"
#include "model/families/new_model.h"
#include "model/family.h"

namespace surprisal {

// What no key of config.json can change.
ModelConfig shape_of_bert(const char* family);

// Reads sizes, activation, epsilon, dropouts and ids into `config` and refuses what would change the
// mathematics. Absent keys are those of `transformers`' configuration classes; `pad_token_id` is its default.
void read_bert_body(ConfigReader& reader, std::int64_t pad_token_id, ModelConfig& config);

// A new model's; the default of the epsilon and of the padding's id is the family's.
void set_bert_body(const ModelOptions& options, const FamilyDefaults& defaults,
                   const ModelVocabulary& vocabulary, std::int64_t sequence_length, ModelConfig& config);

OrderedJson write_bert_body(const ModelConfig& config, const char* architecture);

// `prefix`: "bert.".
void bind_bert_body(BindingList& list, const std::string& prefix, const ModelConfig& config);
bool is_bert_buffer(std::string_view name, const std::string& prefix);

// What a family calls the tensors of its masked-LM head.
struct MaskedHeadNames {
  std::string transform, norm, bias, decoder;
};
void bind_masked_head(BindingList& list, const MaskedHeadNames& names, const ModelConfig& config);
std::vector<SharedTensor> shared_by_masked_head(const MaskedHeadNames& names, const std::string& prefix,
                                                const ModelConfig& config);

}  // namespace surprisal
