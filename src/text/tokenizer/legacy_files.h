// What the layouts of before tokenizer.json have in common: the files around the vocabulary, and the
// tokenizer.json that comes of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/added_token_files.h"
#include "text/tokenizer/tokenizer_files.h"
#include "text/tokenizer/vocabulary_files.h"

namespace surprisal {

// The files that are JSON, parsed.
struct LegacyFiles {
  explicit LegacyFiles(const VocabularyFiles& files);
  AddedTokenFiles token_files() const;
  // The class that transformers would take, without "Fast", or "" where the files do not say.
  std::string tokenizer_class() const;

  Json tokenizer_config, special_tokens_map, added_tokens, model_config;
  std::string config_name, directory;
};

// An object; an empty one for an empty text.
Json parse_object(const std::string& text, const std::string& where);

[[noreturn]] void refuse_class(const LegacyFiles& parsed, const std::string& name, const std::string& file,
                               const std::string& known);

// The spelling of a role; throws Error (data) where it is null.
const std::string& role_of(const LegacyTokens& tokens, const char* role, const std::string& where);
std::int32_t id_of(const LegacyTokens& tokens, const std::string& content);

// A place of a template: a special token, or the sequence "A" or "B".
struct TemplatePart {
  std::string name;
  int type_id = 0;
  bool special = true;
};
OrderedJson template_json(const std::vector<TemplatePart>& single, const std::vector<TemplatePart>& pair,
                          const LegacyTokens& tokens);
// The sequence, behind its bos_token if add_bos_token says so, before its eos_token if add_eos_token does.
OrderedJson bos_and_eos_template(const LegacyFiles& parsed, const LegacyTokens& tokens, bool bos_default);

struct LegacyComponents {
  OrderedJson normalizer, pre_tokenizer, post_processor, decoder, model;
};
TokenizerFiles assemble(const LegacyFiles& parsed, const LegacyTokens& tokens, LegacyComponents components);

}  // namespace surprisal
