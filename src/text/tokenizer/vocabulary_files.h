// Tokenizers from before tokenizer.json, made one as transformers' AutoTokenizer does.
#pragma once

#include <string>

#include "text/tokenizer/tokenizer_files.h"

namespace surprisal {

// What the files hold; all but the vocabulary and its merges may be empty. `directory` names them in errors.
struct VocabularyFiles {
  std::string directory;
  std::string vocabulary, merges;
  std::string tokenizer_config;    // options, roles, added_tokens_decoder
  std::string special_tokens_map;  // roles
  std::string added_tokens;        // {"spelling": id}
  std::string model_config;        // model_type, where tokenizer_config names no class
};

// vocab.txt, a token a line: BertTokenizer.
TokenizerFiles convert_vocab_txt(const VocabularyFiles& files);
// vocab.json and merges.txt: GPT2Tokenizer, RobertaTokenizer and Qwen2Tokenizer.
TokenizerFiles convert_vocab_json(const VocabularyFiles& files);

}  // namespace surprisal
