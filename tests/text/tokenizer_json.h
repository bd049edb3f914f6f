// Small tokenizer.json files for tests, to be changed by them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "core/json.h"
#include "text/tokenizer/byte_level.h"

namespace surprisal {

inline Json added_token(std::int32_t id, const std::string& content, const Json& flags = Json::object()) {
  Json token = {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
                {"rstrip", false}, {"normalized", false}, {"special", true}};
  token.update(flags);
  return token;
}

// [PAD] .. [MASK] are 0 to 4, then a, b, ab, ##a, ##b, ##ab and a full stop.
inline Json wordpiece_json() {
  Json root = {
      {"version", "1.0"},
      {"normalizer",
       {{"type", "BertNormalizer"},
        {"clean_text", true},
        {"handle_chinese_chars", true},
        {"strip_accents", nullptr},
        {"lowercase", true}}},
      {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
      {"post_processor",
       {{"type", "BertProcessing"}, {"sep", Json::array({"[SEP]", 3})}, {"cls", Json::array({"[CLS]", 2})}}},
      {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
      {"model",
       {{"type", "WordPiece"},
        {"unk_token", "[UNK]"},
        {"continuing_subword_prefix", "##"},
        {"max_input_chars_per_word", 100}}}};
  std::int32_t id = 0;
  for (const char* token : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    root["added_tokens"].push_back(added_token(id, token));
    root["model"]["vocab"][token] = id++;
  }
  for (const char* token : {"a", "b", "ab", "##a", "##b", "##ab", "."}) root["model"]["vocab"][token] = id++;
  return root;
}

// The 256 bytes are ids 1 to 256 behind <|endoftext|>; then come what `merges` make.
inline Json byte_level_json(const std::vector<std::pair<std::string, std::string>>& merges = {}) {
  Json root = {
      {"version", "1.0"},
      {"added_tokens", Json::array({added_token(0, "<|endoftext|>")})},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}}},
      {"post_processor", nullptr},
      {"decoder", {{"type", "ByteLevel"}}},
      {"model", {{"type", "BPE"}, {"merges", Json::array()}}}};
  Json& vocabulary = root["model"]["vocab"];
  vocabulary["<|endoftext|>"] = 0;
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary[std::string(byte_level_character(static_cast<std::uint8_t>(byte)))] = byte + 1;
  }
  for (const auto& [left, right] : merges) {
    root["model"]["merges"].push_back(Json::array({left, right}));
    if (!vocabulary.contains(left + right)) vocabulary[left + right] = vocabulary.size();
  }
  return root;
}

inline Tokenizer tokenizer_of(const Json& root, const std::string& config = "") {
  return Tokenizer::from_json(root.dump(), config, "test");
}

inline std::vector<std::int32_t> encode(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::int32_t> ids;
  tokenizer.encode(text, ids);
  return ids;
}

}  // namespace surprisal
