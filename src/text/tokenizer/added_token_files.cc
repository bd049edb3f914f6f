#include "text/tokenizer/added_token_files.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"

namespace surprisal {
namespace {

// In the order in which transformers adds them.
constexpr const char* kRoles[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                  "pad_token", "cls_token", "mask_token"};

// A token as a file has it: transformers takes the same one in two forms for two.
struct Mention {
  AddedToken token;
  bool plain = true;  // its spelling alone
};

AddedToken plain_token(std::string content) {
  AddedToken token;
  token.content = std::move(content);
  token.special = true;
  return token;
}

// A spelling, or an object with flags. `special`: what the place says, where the object says nothing.
AddedToken read_token(const Json& json, bool special, const std::string& where) {
  if (json.is_string()) return plain_token(json.get<std::string>());
  check_keys(json, "content single_word lstrip rstrip normalized special __type id", where);
  AddedToken token;
  token.content = get_string(json, "content", where);
  token.single_word = get_bool_or(json, "single_word", where, false);
  token.lstrip = get_bool_or(json, "lstrip", where, false);
  token.rstrip = get_bool_or(json, "rstrip", where, false);
  token.special = get_bool_or(json, "special", where, special);
  token.normalized = get_bool_or(json, "normalized", where, !token.special);
  return token;
}

bool is_same(const Mention& a, const Mention& b) {
  auto flags = [](const AddedToken& token) {
    return std::array{token.single_word, token.lstrip, token.rstrip, token.normalized, token.special};
  };
  return a.plain == b.plain && a.token.content == b.token.content && flags(a.token) == flags(b.token);
}

class Reader {
 public:
  Reader(const AddedTokenFiles& files, TokenRoles defaults, const Vocabulary& vocabulary)
      : files_(files), vocabulary_(vocabulary), next_(static_cast<std::int32_t>(vocabulary.tokens())) {
    result_.roles = std::move(defaults);
  }

  LegacyTokens read() {
    bool has_decoder = files_.tokenizer_config.contains("added_tokens_decoder");
    refuse_other_roles(files_.tokenizer_config, "tokenizer_config.json");
    read_roles(files_.tokenizer_config, "tokenizer_config.json");
    if (!has_decoder) {
      refuse_other_roles(files_.special_tokens_map, "special_tokens_map.json");
      read_roles(files_.special_tokens_map, "special_tokens_map.json");
    }
    read_extra(has_decoder);
    has_decoder ? read_decoder() : read_added_tokens();
    add_roles();
    for (const Mention& mention : extra_) add_once(mention);
    std::sort(result_.tokens.begin(), result_.tokens.end(),
              [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    return std::move(result_);
  }

 private:
  std::string place(const char* file) const { return files_.directory + "/" + file; }

  // Tokens of other roles, which some models have of their own.
  void refuse_other_roles(const Json& json, const char* file) const {
    for (const auto& [key, value] : json.items()) {
      bool known = std::find(std::begin(kRoles), std::end(kRoles), key) != std::end(kRoles);
      if (known || !key.ends_with("_token") || !(value.is_string() || value.is_object())) continue;
      throw Error(ErrorKind::data,
                  {.what = fmt::format("the role {} is not known", key), .where = place(file)});
    }
  }

  void read_roles(const Json& json, const char* file) {
    for (const char* role : kRoles) {
      auto entry = json.find(role);
      if (entry == json.end()) continue;
      mentions_.erase(role);
      if (entry->is_null()) {
        result_.roles[role] = std::nullopt;
        continue;
      }
      if (!entry->is_string() && !entry->is_object()) {
        throw Error(ErrorKind::data, {.what = fmt::format("key {} has a wrong value", role),
                                      .where = place(file),
                                      .found = entry->dump(),
                                      .expected = "a token, an object with its content, or null"});
      }
      bool in_map = std::string_view(file) == "special_tokens_map.json";
      AddedToken token = read_token(*entry, in_map, fmt::format("{}, {}", place(file), role));
      token.special = true;
      result_.roles[role] = token.content;
      mentions_[role] = {token, entry->is_string()};
    }
  }

  void read_decoder() {
    std::string where = place("tokenizer_config.json") + ", added_tokens_decoder";
    const Json& decoder = files_.tokenizer_config["added_tokens_decoder"];
    if (!decoder.is_object()) throw Error(ErrorKind::data, {.what = "the list is no object", .where = where});
    std::map<std::int32_t, AddedToken> by_id;
    for (const auto& [key, value] : decoder.items()) {
      bool number = !key.empty() && key.size() <= 7 && key.find_first_not_of("0123456789") == key.npos;
      if (!number) {
        throw Error(ErrorKind::data,
                    {.what = "an id is no number", .where = where, .found = Json(key).dump()});
      }
      by_id[std::stoi(key)] = read_token(value, false, fmt::format("{}[{}]", where, key));
    }
    add_listed(by_id, where);
  }

  void read_added_tokens() {
    std::string where = place("added_tokens.json");
    std::map<std::int32_t, AddedToken> by_id;
    for (const auto& [content, id] : files_.added_tokens.items()) {
      AddedToken token = plain_token(content);
      bool special = is_role(content) || extra_spellings_.contains(content);
      token.special = special;
      token.normalized = !special;
      auto number =
          static_cast<std::int32_t>(get_int({{content, id}}, content.c_str(), where, 0, kMaxVocabulary - 1));
      if (!by_id.emplace(number, token).second) {
        throw Error(ErrorKind::data,
                    {.what = fmt::format("id {} is given to two tokens", number), .where = where});
      }
    }
    add_listed(by_id, where);
  }

  bool is_role(const std::string& content) const {
    return std::any_of(result_.roles.begin(), result_.roles.end(),
                       [&](const auto& role) { return role.second == content; });
  }

  // additional_special_tokens is the older name of extra_special_tokens, and looked at only without that.
  void read_extra(bool has_decoder) {
    const Json &config = files_.tokenizer_config, &map = files_.special_tokens_map;
    constexpr const char *kExtra = "extra_special_tokens", *kOlder = "additional_special_tokens";
    auto given = [](const Json& json, const char* key) { return json.contains(key) && !json[key].is_null(); };
    bool older = given(config, kOlder) && !(given(config, kExtra) && !config[kExtra].empty());
    if (older || given(config, kExtra)) add_extra(config, older ? kOlder : kExtra, "tokenizer_config.json");
    if (has_decoder) return;
    if (given(map, kExtra)) add_extra(map, kExtra, "special_tokens_map.json");
    bool named = older || config.contains(kExtra) || map.contains(kExtra);
    if (!named && given(map, kOlder)) add_extra(map, kOlder, "special_tokens_map.json");
  }

  void add_extra(const Json& json, const char* key, const char* file) {
    std::string where = fmt::format("{}, {}", place(file), key);
    if (!json[key].is_array()) {
      throw Error(ErrorKind::data, {.what = "the list is no array", .where = where});
    }
    for (const Json& entry : json[key]) {
      extra_.push_back({read_token(entry, true, where), entry.is_string()});
      extra_spellings_.insert(extra_.back().token.content);
    }
  }

  void add_listed(const std::map<std::int32_t, AddedToken>& by_id, const std::string& where) {
    for (const auto& [id, token] : by_id) {
      listed_.insert(token.content);
      AddedToken marked = token;
      marked.special = token.special || is_role(token.content);
      std::int32_t given = add(marked);
      if (given == id) continue;
      throw Error(ErrorKind::data,
                  {.what = fmt::format("token {} has a wrong id", Json(token.content).dump()),
                   .where = where,
                   .found = fmt::format("{}", id),
                   .expected = fmt::format("{}", given)});
    }
  }

  void add_roles() {
    for (const char* role : kRoles) {
      auto entry = result_.roles.find(role);
      if (entry == result_.roles.end() || !entry->second) continue;
      auto mention = mentions_.find(role);
      add_once(mention == mentions_.end() ? Mention{plain_token(*entry->second)} : mention->second);
    }
  }

  void add_once(const Mention& mention) {
    if (listed_.contains(mention.token.content)) return;
    std::vector<Mention>& before = done_[mention.token.content];
    auto same = [&](const Mention& other) { return is_same(mention, other); };
    if (std::any_of(before.begin(), before.end(), same)) return;
    before.push_back(mention);
    add(mention.token);
  }

  // Gives the token its id; one that is there already gets the new flags.
  std::int32_t add(AddedToken token) {
    if (token.content.empty()) return -1;
    auto [index, is_new] = index_.emplace(token.content, result_.tokens.size());
    if (!is_new) {
      AddedToken& known = result_.tokens[index->second];
      token.id = known.id;
      known = token;
      return token.id;
    }
    token.id = vocabulary_.id(token.content).value_or(next_);
    next_ = std::max(next_, token.id + 1);
    result_.tokens.push_back(token);
    return token.id;
  }

  const AddedTokenFiles& files_;
  const Vocabulary& vocabulary_;
  LegacyTokens result_;
  std::map<std::string, Mention, std::less<>> mentions_;  // of roles that a file gives
  std::vector<Mention> extra_;
  std::unordered_set<std::string> extra_spellings_;
  std::unordered_set<std::string> listed_;  // of added_tokens_decoder or added_tokens.json
  std::unordered_map<std::string, std::vector<Mention>> done_;
  std::unordered_map<std::string, std::size_t> index_;  // in the tokens, by spelling
  std::int32_t next_;
};

}  // namespace

LegacyTokens read_legacy_tokens(const AddedTokenFiles& files, TokenRoles defaults,
                                const Vocabulary& vocabulary) {
  return Reader(files, std::move(defaults), vocabulary).read();
}

}  // namespace surprisal
