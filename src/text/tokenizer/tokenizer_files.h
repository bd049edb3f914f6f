// The layouts that a tokenizer's directory has: tokenizer.json, or the files of before it.
#pragma once

#include <filesystem>
#include <string>

namespace surprisal {

struct TokenizerFiles {
  std::string tokenizer_json, tokenizer_config_json;  // the latter is empty where there is none
  std::string where;                                  // the file that errors name
};

// Whether `path` is a directory with one of these layouts, or a file of one by its name. Throws Error (data)
// where a directory holds several SentencePiece models and nothing else to choose by.
bool holds_tokenizer(const std::filesystem::path& path);

// Reads `path`, a directory or the file in it that decides: tokenizer.json as it is; vocab.txt (BERT), or
// vocab.json and merges.txt (GPT-2, RoBERTa), made a tokenizer.json as transformers would; or a SentencePiece
// model. Throws Error (io: a missing file; data: malformed, or of a class that is not known).
TokenizerFiles read_tokenizer_files(const std::filesystem::path& path);

}  // namespace surprisal
