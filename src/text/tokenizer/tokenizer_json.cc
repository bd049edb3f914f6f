#include "text/tokenizer/tokenizer_json.h"

#include <utility>

namespace surprisal {
namespace {

constexpr int kIndent = 2;

std::string text_of(const OrderedJson& json) {
  return json.dump(kIndent);
}

OrderedJson added_token_flags(std::string_view content) {
  return {{"content", content}, {"single_word", false}, {"lstrip", false},
          {"rstrip", false},    {"normalized", false},  {"special", true}};
}

}  // namespace

OrderedJson special_token_json(std::int64_t id, std::string_view content) {
  OrderedJson token = {{"id", id}};
  token.update(added_token_flags(content));
  return token;
}

OrderedJson vocabulary_json(const std::vector<std::string>& tokens) {
  // Setting a key of an ordered object looks through all that it has; appending does not.
  OrderedJson::object_t vocabulary;
  vocabulary.reserve(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) vocabulary.emplace_back(tokens[id], id);
  return vocabulary;
}

std::string tokenizer_json_text(TokenizerComponents components) {
  OrderedJson added = OrderedJson::array();
  for (std::size_t id = 0; id < components.special_tokens.size(); ++id) {
    added.push_back(special_token_json(static_cast<std::int64_t>(id), components.special_tokens[id]));
  }
  OrderedJson file;
  file["version"] = "1.0";
  file["truncation"] = nullptr;
  file["padding"] = nullptr;
  file["added_tokens"] = std::move(added);
  file["normalizer"] = std::move(components.normalizer);
  file["pre_tokenizer"] = std::move(components.pre_tokenizer);
  file["post_processor"] = std::move(components.post_processor);
  file["decoder"] = std::move(components.decoder);
  file["model"] = std::move(components.model);
  return text_of(file);
}

std::string tokenizer_config_text(const std::vector<std::string>& special_tokens, const OrderedJson& roles) {
  OrderedJson added = OrderedJson::object();
  for (std::size_t id = 0; id < special_tokens.size(); ++id) {
    added[std::to_string(id)] = added_token_flags(special_tokens[id]);
  }
  OrderedJson config;
  config["added_tokens_decoder"] = std::move(added);
  config["clean_up_tokenization_spaces"] = false;
  // Length is the model's matter.
  config["model_max_length"] = std::int64_t{1} << 30;
  config.update(roles);
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  return text_of(config);
}

}  // namespace surprisal
