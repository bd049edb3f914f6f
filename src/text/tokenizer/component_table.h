// From the "type" of a component in tokenizer.json to the class that does it. The one place that lists what
// is known.
#pragma once

#include <memory>
#include <string>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

// Each takes the whole tokenizer.json; `where` names it in errors. Null where the file has no such component.
// Throws Error (data) on a component that is not known, by name, and on a malformed one.
std::unique_ptr<const Normalizer> make_normalizer(const Json& root, const std::string& where);
std::unique_ptr<const PreTokenizer> make_pre_tokenizer(const Json& root, const std::string& where);
std::unique_ptr<const TokenModel> make_token_model(const Json& root, const std::string& where);  // never null
std::unique_ptr<const Decoder> make_decoder(const Json& root, const std::string& where);
SequenceTemplates make_templates(const Json& root, const std::string& where);

}  // namespace surprisal
