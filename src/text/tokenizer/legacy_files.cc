#include "text/tokenizer/legacy_files.h"

#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

std::string without_fast(std::string name) {
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

OrderedJson added_tokens_json(const std::vector<AddedToken>& tokens) {
  OrderedJson list = OrderedJson::array();
  for (const AddedToken& token : tokens) {
    list.push_back({{"id", token.id},
                    {"content", token.content},
                    {"single_word", token.single_word},
                    {"lstrip", token.lstrip},
                    {"rstrip", token.rstrip},
                    {"normalized", token.normalized},
                    {"special", token.special}});
  }
  return list;
}

// What a tokenizer.json needs beside it; options that became components are gone.
std::string config_text(const LegacyFiles& parsed, const TokenRoles& roles) {
  OrderedJson config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                        {"clean_up_tokenization_spaces", false}};
  for (const auto& [role, token] : roles) {
    if (token) config[role] = *token;
  }
  for (const char* key : {"model_max_length", "padding_side", "truncation_side", "chat_template"}) {
    if (auto entry = parsed.tokenizer_config.find(key); entry != parsed.tokenizer_config.end())
      config[key] = *entry;
  }
  return config.dump(2) + "\n";
}

}  // namespace

Json parse_object(const std::string& text, const std::string& where) {
  if (text.empty()) return Json::object();
  Json json = parse_json(text, where);
  if (!json.is_object()) throw Error(ErrorKind::data, {.what = "the file holds no object", .where = where});
  return json;
}

LegacyFiles::LegacyFiles(const VocabularyFiles& files)
    : tokenizer_config(parse_object(files.tokenizer_config, files.directory + "/tokenizer_config.json")),
      special_tokens_map(
          parse_object(files.special_tokens_map, files.directory + "/special_tokens_map.json")),
      added_tokens(parse_object(files.added_tokens, files.directory + "/added_tokens.json")),
      model_config(parse_object(files.model_config, files.directory + "/config.json")),
      config_name(files.directory + "/tokenizer_config.json"),
      directory(files.directory) {}

AddedTokenFiles LegacyFiles::token_files() const {
  return {tokenizer_config, special_tokens_map, added_tokens, directory};
}

std::string LegacyFiles::tokenizer_class() const {
  std::string name = get_string_or(tokenizer_config, "tokenizer_class", config_name, "");
  std::string model_file = directory + "/config.json";
  if (name.empty()) name = get_string_or(model_config, "tokenizer_class", model_file, "");
  if (!name.empty()) return without_fast(name);
  static constexpr std::pair<std::string_view, const char*> kClasses[] = {{"bert", "BertTokenizer"},
                                                                          {"distilbert", "BertTokenizer"},
                                                                          {"gpt2", "GPT2Tokenizer"},
                                                                          {"qwen2", "Qwen2Tokenizer"},
                                                                          {"roberta", "RobertaTokenizer"}};
  std::string type = get_string_or(model_config, "model_type", model_file, "");
  for (auto [known, class_name] : kClasses) {
    if (type == known) return class_name;
  }
  return "";
}

void refuse_class(const LegacyFiles& parsed, const std::string& name, const std::string& file,
                  const std::string& known) {
  throw Error(
      ErrorKind::data,
      {.what = fmt::format("{} is not read for this class of tokenizer", file),
       .where = parsed.directory,
       .found = name,
       .expected = known,
       .fix = name.starts_with("GLM")
                  ? fmt::format("give the tokenizer that it was made of (GLM-10B: gpt2, GLM-base: bert) "
                                "GLM's special tokens, which get the ids that it has: `{}`",
                                glm_specials_command())
                  : "save the tokenizer with transformers, which writes a tokenizer.json"});
}

const std::string& role_of(const LegacyTokens& tokens, const char* role, const std::string& where) {
  const std::optional<std::string>& token = tokens.roles.at(role);
  if (!token) throw Error(ErrorKind::data, {.what = fmt::format("{} is null", role), .where = where});
  return *token;
}

std::int32_t id_of(const LegacyTokens& tokens, const std::string& content) {
  for (const AddedToken& token : tokens.tokens) {
    if (token.content == content) return token.id;
  }
  return -1;
}

OrderedJson template_json(const std::vector<TemplatePart>& single, const std::vector<TemplatePart>& pair,
                          const LegacyTokens& tokens) {
  OrderedJson special = OrderedJson::object();
  auto list = [&](const std::vector<TemplatePart>& pieces) {
    OrderedJson result = OrderedJson::array();
    for (const TemplatePart& piece : pieces) {
      const char* kind = piece.special ? "SpecialToken" : "Sequence";
      result.push_back({{kind, {{"id", piece.name}, {"type_id", piece.type_id}}}});
      if (!piece.special) continue;
      special[piece.name] = {{"id", piece.name},
                             {"ids", OrderedJson::array({id_of(tokens, piece.name)})},
                             {"tokens", OrderedJson::array({piece.name})}};
    }
    return result;
  };
  OrderedJson result = {{"type", "TemplateProcessing"}};
  result["single"] = list(single);
  result["pair"] = list(pair);
  result["special_tokens"] = std::move(special);
  return result;
}

OrderedJson bos_and_eos_template(const LegacyFiles& parsed, const LegacyTokens& tokens, bool bos_default) {
  auto wanted = [&](const char* option, const char* role, bool fallback) {
    auto token = tokens.roles.find(role);
    return get_bool_or(parsed.tokenizer_config, option, parsed.config_name, fallback) &&
           token != tokens.roles.end() && token->second;
  };
  bool bos = wanted("add_bos_token", "bos_token", bos_default),
       eos = wanted("add_eos_token", "eos_token", false);
  std::vector<TemplatePart> single, pair;
  auto add = [&](std::vector<TemplatePart>& pieces, const char* sequence, int type_id) {
    if (bos) pieces.push_back({*tokens.roles.at("bos_token"), type_id});
    pieces.push_back({sequence, type_id, false});
    if (eos) pieces.push_back({*tokens.roles.at("eos_token"), type_id});
  };
  add(single, "A", 0);
  add(pair, "A", 0);
  add(pair, "B", 1);
  return template_json(single, pair, tokens);
}

TokenizerFiles assemble(const LegacyFiles& parsed, const LegacyTokens& tokens, LegacyComponents components) {
  OrderedJson file = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
  file["added_tokens"] = added_tokens_json(tokens.tokens);
  file["normalizer"] = std::move(components.normalizer);
  file["pre_tokenizer"] = std::move(components.pre_tokenizer);
  file["post_processor"] = std::move(components.post_processor);
  file["decoder"] = std::move(components.decoder);
  file["model"] = std::move(components.model);
  return {file.dump(2), config_text(parsed, tokens.roles), parsed.directory};
}

}  // namespace surprisal
