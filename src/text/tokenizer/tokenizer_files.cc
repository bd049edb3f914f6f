#include "text/tokenizer/tokenizer_files.h"

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

#include "core/file.h"
#include "text/sentencepiece/sentencepiece_files.h"
#include "text/tokenizer/vocabulary_files.h"

namespace surprisal {
namespace {

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::string read_if_there(const std::filesystem::path& path) {
  return is_there(path) ? read_file(path) : "";
}

// The files beside a vocabulary.
VocabularyFiles files_around(const std::filesystem::path& directory) {
  return {.directory = directory.string(),
          .vocabulary = "",
          .merges = "",
          .tokenizer_config = read_if_there(directory / "tokenizer_config.json"),
          .special_tokens_map = read_if_there(directory / "special_tokens_map.json"),
          .added_tokens = read_if_there(directory / "added_tokens.json"),
          .model_config = read_if_there(directory / "config.json")};
}

TokenizerFiles convert(const std::filesystem::path& directory, bool bert) {
  VocabularyFiles files = files_around(directory);
  files.vocabulary = read_file(directory / (bert ? "vocab.txt" : "vocab.json"));
  if (!bert) files.merges = read_file(directory / "merges.txt");
  TokenizerFiles result = bert ? convert_vocab_txt(files) : convert_vocab_json(files);
  result.where = directory.string();
  return result;
}

// A file that is named counts for itself, whatever lies beside it.
TokenizerFiles convert_model(const std::filesystem::path& file, bool named) {
  VocabularyFiles files = named ? VocabularyFiles{} : files_around(file.parent_path());
  files.directory = file.parent_path().string();
  files.vocabulary = read_file(file);
  return convert_sentencepiece(files, file.string());
}

}  // namespace

bool holds_tokenizer(const std::filesystem::path& path) {
  constexpr const char* kNames[] = {"tokenizer.json", "vocab.txt", "vocab.json"};
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) {
    const std::string name = path.filename().string();
    return std::ranges::find(kNames, name) != std::end(kNames) || name == "merges.txt" ||
           path.extension() == ".model";
  }
  return std::ranges::any_of(kNames, [&](const char* name) { return is_there(path / name); }) ||
         find_sentencepiece_file(path);
}

TokenizerFiles read_tokenizer_files(const std::filesystem::path& path) {
  std::error_code ignored;
  bool is_directory = std::filesystem::is_directory(path, ignored);
  std::filesystem::path directory = is_directory ? path : path.parent_path();
  std::string name = is_directory ? "" : path.filename().string();
  bool alone = is_directory && !is_there(path / "tokenizer.json");
  if (name == "vocab.txt" || (alone && is_there(path / "vocab.txt"))) return convert(directory, true);
  if (name == "vocab.json" || name == "merges.txt" || (alone && is_there(path / "vocab.json"))) {
    return convert(directory, false);
  }
  if (path.extension() == ".model" && !is_directory) return convert_model(path, true);
  if (alone) {
    if (auto file = find_sentencepiece_file(path)) return convert_model(*file, false);
  }
  std::filesystem::path file = is_directory ? path / "tokenizer.json" : path;
  return {read_file(file), read_if_there(directory / "tokenizer_config.json"), file.string()};
}

}  // namespace surprisal
