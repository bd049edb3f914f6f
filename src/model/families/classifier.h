// The classifier that a checkpoint's config.json names by its class, with the names of its labels.
#pragma once

#include "model/families/bindings.h"
#include "model/families/config_reader.h"

namespace surprisal {

// Where "architectures" names one of the family's classifiers, `config` gets it. Throws Error (data): labels
// that are not numbered from 0, a problem_type that is not supported.
void read_classifier(ConfigReader& reader, const Family& family, ModelConfig& config);

// Of a classifier: its architecture in place of the language model's, id2label, label2id and problem_type.
void write_classifier(const Family& family, const ModelConfig& config, OrderedJson& json);

// Its tensors. Adds nothing to a language model's.
void bind_classifier(BindingList& list, const Family& family, const ModelConfig& config);

}  // namespace surprisal
