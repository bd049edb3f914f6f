#include "text/tokenizer/special_tokens.h"

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/json.h"

namespace surprisal {
namespace {

struct Role {
  const char* key;
  std::optional<std::int32_t> SpecialTokens::*token;
};

constexpr Role kRoles[] = {
    {"pad_token", &SpecialTokens::pad},   {"unk_token", &SpecialTokens::unk},
    {"cls_token", &SpecialTokens::cls},   {"sep_token", &SpecialTokens::sep},
    {"mask_token", &SpecialTokens::mask}, {"bos_token", &SpecialTokens::bos},
    {"eos_token", &SpecialTokens::eos},
};

// A token is its spelling, or an object that holds it under "content". Empty: null.
std::string spelling_of(const Json& value, const char* key, const std::string& where) {
  if (value.is_null()) return "";
  if (value.is_object()) return get_string(value, "content", fmt::format("{}, {}", where, key));
  if (value.is_string()) return value.get<std::string>();
  throw Error(ErrorKind::data, {.what = fmt::format("key {} has a wrong value", key),
                                .where = where,
                                .found = value.dump(),
                                .expected = "a token, an object with its content, or null"});
}

// The first of these spellings that is a token; `special`: a special one.
std::optional<std::int32_t> first_of(const TokenizerPipeline& pipeline, bool special,
                                     std::initializer_list<std::string_view> spellings) {
  for (std::string_view spelling : spellings) {
    std::optional<std::int32_t> id = pipeline.id(spelling);
    if (id && (!special || pipeline.is_special(*id))) return id;
  }
  return std::nullopt;
}

SpecialTokens from_spellings(const TokenizerPipeline& pipeline) {
  auto first = [&](std::initializer_list<std::string_view> spellings) {
    return first_of(pipeline, false, spellings);
  };
  SpecialTokens special{.pad = first({"[PAD]", "<pad>"}),
                        .unk = first({"[UNK]", "<unk>"}),
                        .cls = first({"[CLS]"}),
                        .sep = first({"[SEP]"}),
                        .mask = first({"[MASK]", "<mask>"}),
                        .bos = first({"<|endoftext|>", "<s>"}),
                        .eos = first({"<|endoftext|>", "</s>"})};
  // RoBERTa's; Llama has the same two, but no mask.
  if (pipeline.id("<mask>")) {
    if (!special.cls) special.cls = pipeline.id("<s>");
    if (!special.sep) special.sep = pipeline.id("</s>");
  }
  return special;
}

// No key of the configuration names these. Some of the spellings are words too.
void find_glm_tokens(const TokenizerPipeline& pipeline, SpecialTokens& special) {
  auto first = [&](std::initializer_list<std::string_view> spellings) {
    return first_of(pipeline, true, spellings);
  };
  special.gmask = first({"[gMASK]"});
  special.smask = first({"[sMASK]"});
  special.sop = first({"<|startofpiece|>", "<sop>", "sop"});
  special.eop = first({"<|endofpiece|>", "<eop>", "eop"});
  if (!special.sop) return;
  if (!special.mask) special.mask = first({"[MASK]", "<mask>"});
  if (!special.cls) special.cls = first({"[CLS]", "<ENC>", "ENC"});
}

SpecialTokens roles_of(std::string_view tokenizer_config_json, const TokenizerPipeline& pipeline,
                       const std::string& where) {
  if (tokenizer_config_json.empty()) return from_spellings(pipeline);
  Json config = parse_json(tokenizer_config_json, where);
  if (!config.is_object()) throw Error(ErrorKind::data, {.what = "the file holds no object", .where = where});
  SpecialTokens special;
  bool named = false;
  for (const Role& role : kRoles) {
    auto entry = config.find(role.key);
    std::string spelling = entry == config.end() ? "" : spelling_of(*entry, role.key, where);
    if (spelling.empty()) continue;
    special.*role.token = pipeline.id(spelling);
    named = true;
    if (!(special.*role.token)) {
      throw Error(ErrorKind::data,
                  {.what = fmt::format("{} {} is not in the vocabulary", role.key, Json(spelling).dump()),
                   .where = where});
    }
  }
  return named ? special : from_spellings(pipeline);
}

}  // namespace

SpecialTokens find_special_tokens(std::string_view tokenizer_config_json, const TokenizerPipeline& pipeline,
                                  const std::string& where) {
  SpecialTokens special = roles_of(tokenizer_config_json, pipeline, where);
  find_glm_tokens(pipeline, special);
  return special;
}

bool is_mask(const SpecialTokens& special, std::int32_t id) {
  return id == special.mask || id == special.gmask || id == special.smask;
}

std::vector<std::pair<const char*, std::int32_t>> roles_of(const SpecialTokens& special) {
  const std::pair<const char*, std::optional<std::int32_t>> roles[] = {
      {"pad", special.pad},     {"unk", special.unk}, {"cls", special.cls}, {"sep", special.sep},
      {"mask", special.mask},   {"bos", special.bos}, {"eos", special.eos}, {"gmask", special.gmask},
      {"smask", special.smask}, {"sop", special.sop}, {"eop", special.eop}};
  std::vector<std::pair<const char*, std::int32_t>> there;
  for (const auto& [role, id] : roles) {
    if (id) there.emplace_back(role, *id);
  }
  return there;
}

}  // namespace surprisal
