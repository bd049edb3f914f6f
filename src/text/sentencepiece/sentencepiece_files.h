// Directories that hold a SentencePiece model and no tokenizer.json.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "text/tokenizer/tokenizer_files.h"
#include "text/tokenizer/vocabulary_files.h"

namespace surprisal {

// The directory's .model file: the one that has a usual name, or else the only one there is. Throws Error
// (data) where there are several.
std::optional<std::filesystem::path> find_sentencepiece_file(const std::filesystem::path& directory);

// `files.vocabulary` holds the file's bytes; `where` names it in errors. Its own ids, those of LlamaTokenizer
// or GLMChineseTokenizer, or GLM-130B's (icetk.h), as tokenizer_config.json and config.json say; other
// classes give ids of their own to pieces, and are refused by name.
TokenizerFiles convert_sentencepiece(const VocabularyFiles& files, const std::string& where);

}  // namespace surprisal
