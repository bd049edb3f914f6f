// Post-processors: what they put around sequences.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

SequenceTemplates template_processing(const Json& json, const std::string& where);
SequenceTemplates bert_processing(const Json& json, const std::string& where);
SequenceTemplates roberta_processing(const Json& json, const std::string& where);
// The post-processor ByteLevel only trims offsets.
SequenceTemplates byte_level_processing(const Json& json, const std::string& where);

// Several in a row, of which one adds tokens: what two do to one another is not defined in Hugging Face.
SequenceTemplates combine_templates(const std::vector<SequenceTemplates>& members, const std::string& where);

}  // namespace surprisal
