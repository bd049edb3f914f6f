// The special tokens of GLM (Du et al.: GLM; ACL 2022), as its tokenizers add them.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "surprisal/error.h"
#include "surprisal/tokenizer.h"

#include "core/json.h"
#include "text/tokenizer/tokenizer_json.h"

namespace surprisal {
namespace {

constexpr const char* kEndOfText = "<|endoftext|>";

struct NewToken {
  const char* spelling;
  std::optional<std::int32_t> SpecialTokens::*role;  // null: none
  const char* key;                                   // of the role in tokenizer_config.json; null: none
  bool mask = false;
};

// In the order of GLM's ids for GPT-2's vocabulary.
constexpr NewToken kTokens[] = {
    {"<|startofpiece|>", &SpecialTokens::sop, nullptr},
    {"<|endofpiece|>", &SpecialTokens::eop, nullptr},
    {"[CLS]", &SpecialTokens::cls, "cls_token"},
    {"[MASK]", &SpecialTokens::mask, "mask_token", true},
    {"[SEP]", &SpecialTokens::sep, "sep_token"},
    {"[UNK]", &SpecialTokens::unk, "unk_token"},
    {"[gMASK]", &SpecialTokens::gmask, nullptr, true},
    {"[sMASK]", &SpecialTokens::smask, nullptr, true},
    {"[dBLOCK]", nullptr, nullptr},
};

class Adder {
 public:
  explicit Adder(const Tokenizer& tokenizer)
      : tokenizer_(tokenizer),
        root_(OrderedJson::parse(tokenizer.tokenizer_json())),
        config_(OrderedJson::parse(tokenizer.tokenizer_config_json())),
        next_(tokenizer.vocabulary_size()) {
    if (!root_.contains("added_tokens") || root_["added_tokens"].is_null())
      root_["added_tokens"] = OrderedJson::array();
  }

  Tokenizer add() {
    std::pair<std::string, std::int32_t> end = end_of_text();
    for (const NewToken& token : kTokens) {
      if (std::optional<std::int32_t> id = present(token, end.second)) {
        if (token.spelling == std::string_view("[CLS]")) cls_ = {std::string(tokenizer_.token(*id)), *id};
        name_role(token.key, std::string(tokenizer_.token(*id)));
      } else {
        std::int32_t added = append(token.spelling, token.mask);
        if (token.spelling == std::string_view("[CLS]")) cls_ = {token.spelling, added};
        token.key ? name_role(token.key, token.spelling) : name_other(token.spelling);
      }
    }
    root_["post_processor"] = template_of(end);
    return Tokenizer::from_json(root_.dump(2), config_.dump(2) + "\n", "tokenizer with GLM's special tokens");
  }

 private:
  // The token that ends a text; GLM pads with the same one.
  std::pair<std::string, std::int32_t> end_of_text() {
    const SpecialTokens& special = tokenizer_.special();
    std::optional<std::int32_t> id = special.eos ? special.eos : special.pad;
    std::string spelling = id ? std::string(tokenizer_.token(*id)) : kEndOfText;
    if (!id) id = append(kEndOfText, false);
    name_role("eos_token", spelling);
    name_role("pad_token", special.pad ? std::string(tokenizer_.token(*special.pad)) : spelling);
    return {spelling, *id};
  }

  // The id of the role, or of the spelling. GPT-2's vocabularies name the end of the text as the unknown
  // token.
  std::optional<std::int32_t> present(const NewToken& token, std::int32_t end) const {
    if (token.role) {
      std::optional<std::int32_t> id = tokenizer_.special().*token.role;
      if (id && !(token.role == &SpecialTokens::unk && *id == end)) return id;
    }
    std::optional<std::int32_t> id = tokenizer_.id(token.spelling);
    return id && tokenizer_.is_special(*id) ? id : std::nullopt;
  }

  std::int32_t append(const char* spelling, bool mask) {
    if (tokenizer_.id(spelling)) {
      throw Error(ErrorKind::data,
                  {.what = "a special token is there already, and is not special", .found = spelling});
    }
    OrderedJson token = special_token_json(next_, spelling);
    token["lstrip"] = mask;
    if (auto decoder = config_.find("added_tokens_decoder"); decoder != config_.end()) {
      OrderedJson flags = token;
      flags.erase("id");
      (*decoder)[std::to_string(next_)] = std::move(flags);
    }
    root_["added_tokens"].push_back(std::move(token));
    return next_++;
  }

  void name_role(const char* key, const std::string& spelling) {
    if (key) config_[key] = spelling;
  }

  void name_other(const char* spelling) {
    constexpr const char* kOthers = "additional_special_tokens";
    if (!config_.contains(kOthers) || !config_[kOthers].is_array()) config_[kOthers] = OrderedJson::array();
    config_[kOthers].push_back(spelling);
  }

  OrderedJson template_of(const std::pair<std::string, std::int32_t>& end) const {
    auto special = [](const std::string& token) {
      return OrderedJson{{"SpecialToken", {{"id", token}, {"type_id", 0}}}};
    };
    auto sequence = [](const char* name) {
      return OrderedJson{{"Sequence", {{"id", name}, {"type_id", 0}}}};
    };
    auto ids = [](const std::pair<std::string, std::int32_t>& token) {
      return OrderedJson{{"id", token.first},
                         {"ids", OrderedJson::array({token.second})},
                         {"tokens", OrderedJson::array({token.first})}};
    };
    OrderedJson result = {{"type", "TemplateProcessing"}};
    result["single"] = OrderedJson::array({special(cls_.first), sequence("A"), special(end.first)});
    result["pair"] =
        OrderedJson::array({special(cls_.first), sequence("A"), sequence("B"), special(end.first)});
    result["special_tokens"] = {{cls_.first, ids(cls_)}, {end.first, ids(end)}};
    return result;
  }

  const Tokenizer& tokenizer_;
  OrderedJson root_, config_;
  std::int32_t next_;
  std::pair<std::string, std::int32_t> cls_;
};

}  // namespace

Tokenizer add_glm_specials(const Tokenizer& tokenizer) {
  return Adder(tokenizer).add();
}

std::string glm_specials_command() {
  return "surprisal tokenizer add-specials --specials glm --tokenizer DIR --out DIR";
}

}  // namespace surprisal
