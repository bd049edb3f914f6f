// From the "type" of a component in tokenizer.json to the class that does it. The one place that lists what
// is known.
#pragma once

#include <memory>
#include <string>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

struct TokenizerParts {
  std::unique_ptr<const Normalizer> normalizer;
  std::unique_ptr<const PreTokenizer> pre_tokenizer;
  std::unique_ptr<const TokenModel> model;  // never null
  std::unique_ptr<const Decoder> decoder;
};

// Both take the whole tokenizer.json; `where` names it in errors. Null where the file has no such component.
// Throw Error (data) on a component that is not known, by name, and on a malformed one.
TokenizerParts make_parts(const Json& root, const std::string& where);
SequenceTemplates make_templates(const Json& root, const std::string& where);

}  // namespace surprisal
