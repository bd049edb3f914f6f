#include "surprisal/tokenizer.h"

#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/json.h"
#include "text/tokenizer/pipeline.h"
#include "text/tokenizer/special_tokens.h"
#include "text/tokenizer/tokenizer_files.h"

namespace surprisal {
namespace {

constexpr const char* kTokenizerFile = "tokenizer.json";
constexpr const char* kConfigFile = "tokenizer_config.json";

// What a tokenizer.json that came alone lacks: without it, transformers takes the tokenizer for that of the
// model's family and puts its own components in place of some.
std::string config_of(const Tokenizer& tokenizer) {
  const SpecialTokens& special = tokenizer.special();
  OrderedJson config{{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  auto add = [&](const char* role, const std::optional<std::int32_t>& id) {
    if (id) config[role] = tokenizer.token(*id);
  };
  add("bos_token", special.bos);
  add("eos_token", special.eos);
  add("unk_token", special.unk);
  add("cls_token", special.cls);
  add("sep_token", special.sep);
  add("pad_token", special.pad);
  add("mask_token", special.mask);
  return config.dump(2) + "\n";
}

}  // namespace

Tokenizer Tokenizer::from_json(std::string tokenizer_json, std::string tokenizer_config_json,
                               const std::string& where) {
  Tokenizer tokenizer;
  Json root = parse_json(tokenizer_json, where);
  if (!root.is_object()) throw Error(ErrorKind::data, {.what = "the file holds no object", .where = where});
  tokenizer.pipeline_ = std::make_shared<const TokenizerPipeline>(root, where);
  // Beside the tokenizer.json that `where` names, or in the directory.
  std::filesystem::path path(where);
  std::filesystem::path directory =
      path.extension() == ".json" || path.extension() == ".model" ? path.parent_path() : path;
  tokenizer.special_ =
      find_special_tokens(tokenizer_config_json, *tokenizer.pipeline_, (directory / kConfigFile).string());
  tokenizer.tokenizer_json_ = std::move(tokenizer_json);
  tokenizer.tokenizer_config_json_ =
      tokenizer_config_json.empty() ? config_of(tokenizer) : std::move(tokenizer_config_json);
  return tokenizer;
}

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  TokenizerFiles files = read_tokenizer_files(path);
  return from_json(std::move(files.tokenizer_json), std::move(files.tokenizer_config_json), files.where);
}

void Tokenizer::encode(std::string_view text, std::vector<std::int32_t>& ids,
                       std::vector<std::uint32_t>* starts) const {
  pipeline_->encode(text, ids, starts);
}

void Tokenizer::encode_as_text(std::string_view text, std::vector<std::int32_t>& ids,
                               std::vector<std::uint32_t>* starts) const {
  pipeline_->encode(text, ids, starts, SpecialSpelling::text);
}

std::vector<std::int32_t> Tokenizer::encode_with_special(std::string_view text) const {
  std::vector<std::int32_t> plain, ids;
  encode(text, plain);
  for (const TemplatePiece& piece : single_template()) {
    if (piece.sequence < 0) {
      ids.push_back(piece.id);
    } else {
      ids.insert(ids.end(), plain.begin(), plain.end());
    }
  }
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  return pipeline_->decode(ids);
}

std::int32_t Tokenizer::vocabulary_size() const {
  return pipeline_->vocabulary_size();
}
std::optional<std::int32_t> Tokenizer::id(std::string_view token) const {
  return pipeline_->id(token);
}
std::string_view Tokenizer::token(std::int32_t id) const {
  return pipeline_->token(id);
}
bool Tokenizer::is_special(std::int32_t id) const {
  return pipeline_->is_special(id);
}

std::string Tokenizer::fingerprint() const {
  return fmt::format("{:016x}", XXH3_64bits(tokenizer_json_.data(), tokenizer_json_.size()));
}

std::span<const TemplatePiece> Tokenizer::single_template() const {
  return pipeline_->templates().single;
}
std::span<const TemplatePiece> Tokenizer::pair_template() const {
  return pipeline_->templates().pair;
}

void Tokenizer::save(const std::filesystem::path& directory) const {
  make_directories(directory);
  write_file_atomically(directory / kTokenizerFile, tokenizer_json_);
  write_file_atomically(directory / kConfigFile, tokenizer_config_json_);
}

}  // namespace surprisal
