#include "model/family.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/options.h"
#include "model/families/families.h"

namespace surprisal {
namespace {

constexpr std::array kFamilies = {&bert_family,     &roberta_family, &gpt2_family, &glm_family,
                                  &glm_130b_family, &llama_family,   &qwen2_family};

constexpr const char* kPooler = "pooler";
constexpr const char* kSentenceHead = "sentence_head";

class Checker {
 public:
  Checker(ErrorKind kind, const std::string& where) : kind_(kind), where_(where) {}

  void size(const char* key, std::int64_t value, std::int64_t max) const {
    if (value >= 1 && value <= max) return;
    fail({.what = std::string(key) + " is out of range",
          .found = std::to_string(value),
          .expected = "1 to " + std::to_string(max)});
  }
  void number(const char* key, double value, bool good, const char* expected) const {
    if (good && std::isfinite(value)) return;
    fail({.what = std::string(key) + " is out of range",
          .found = OrderedJson(value).dump(),
          .expected = expected});
  }
  void dropout(const char* key, double value) const {
    number(key, value, value >= 0 && value < 1, "at least 0 and below 1");
  }
  [[noreturn]] void fail(ErrorParts parts) const {
    parts.where = where_;
    throw Error(kind_, std::move(parts));
  }

 private:
  ErrorKind kind_;
  const std::string& where_;
};

void check_sizes(const ModelConfig& config, const Checker& check) {
  check.size("vocab_size", config.vocab_size, ModelLimits::vocabulary);
  check.size("hidden_size", config.hidden_size, ModelLimits::hidden_size);
  check.size("num_hidden_layers", config.num_hidden_layers, ModelLimits::layers);
  check.size("num_attention_heads", config.num_attention_heads, ModelLimits::hidden_size);
  if (config.num_key_value_heads != 0) {
    check.size("num_key_value_heads", config.num_key_value_heads, config.num_attention_heads);
  }
  if (config.head_dim != 0) check.size("head_dim", config.head_dim, ModelLimits::head_size);
  check.size("intermediate_size", config.intermediate_size, ModelLimits::intermediate_size);
  check.size("max_position_embeddings", config.max_position_embeddings, ModelLimits::positions);
  if (config.type_vocab_size != 0) check.size("type_vocab_size", config.type_vocab_size, ModelLimits::types);
  if (config.block_positions != 0) {
    check.size("block positions", config.block_positions, ModelLimits::positions + 1);
  }
}

}  // namespace

std::vector<std::int64_t> Binding::stored_shape(const ParameterTable& table) const {
  const Shape& shape = table.parameters[static_cast<std::size_t>(parameter)].shape;
  const std::int64_t rows = row_end - row_begin;
  if (shape.rank() == 1) return {rows};
  if (transposed) return {shape[1], rows};
  return {rows, shape[1]};
}

const Family& find_family(const std::string& model_type, const std::string& where, ErrorKind kind) {
  std::string names;
  for (auto family : kFamilies) {
    if (family().name == model_type) return family();
    names += (names.empty() ? "" : ", ") + family().name;
  }
  const std::string nearest = nearest_name(model_type, family_names());
  throw Error(kind, {.what = "unknown model family",
                     .where = where,
                     .found = Json(model_type).dump(-1, ' ', true, Json::error_handler_t::replace),
                     .expected = "one of " + names,
                     .fix = nearest.empty() ? "" : "did you mean " + nearest + "?"});
}

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (auto family : kFamilies) names.push_back(family().name);
  return names;
}

std::string current_name(const Family& family, std::string_view stored) {
  if (!family.outer_prefix.empty() && stored.starts_with(family.outer_prefix)) {
    stored.remove_prefix(family.outer_prefix.size());
  }
  std::string name(stored);
  for (const std::string& part : family.body) {
    if (!stored.starts_with(part)) continue;
    name.insert(0, family.prefix);
    break;
  }
  auto rename = [&name](std::string_view from, const char* to) {
    if (name.ends_with(from)) name.replace(name.size() - from.size(), from.size(), to);
  };
  rename(".gamma", ".weight");
  rename(".beta", ".bias");
  return name;
}

bool is_of_head(const Family& family, std::string_view name) {
  if (name.starts_with(family.prefix + kPooler + '.')) return true;
  if (!family.prefix.empty()) return !name.starts_with(family.prefix);
  return std::ranges::none_of(family.body, [&](const std::string& part) { return name.starts_with(part); });
}

// Which of them a file has is asked of the bindings of a model with all of them.
void fit_heads(const Family& family, const std::vector<std::string>& stored, ModelConfig& config) {
  ModelConfig whole = config;
  whole.num_hidden_layers = 1;
  whole.pooler = true;
  whole.classes = family.sentence_head ? 2 : 0;
  const ParameterTable table = make_parameter_table(whole);
  auto any_of = [&](const std::string& part) {
    return std::ranges::any_of(family.bindings(whole, table), [&](const Binding& binding) {
      const Parameter& parameter = table.parameters[static_cast<std::size_t>(binding.parameter)];
      return parameter.name.starts_with(part + '.') && std::ranges::binary_search(stored, binding.stored);
    });
  };
  config.classes = any_of(kSentenceHead) ? whole.classes : 0;
  config.pooler = config.classes > 0 || any_of(kPooler);
}

const ClassifierHead* classifier_of(const Family& family, Task task) {
  if (task == Task::language_model) return nullptr;
  const ClassifierHead& head =
      task == Task::sequence_classification ? family.sequence_classifier : family.token_classifier;
  return head.architecture.empty() ? nullptr : &head;
}

bool is_of_classifier(const Family& family, Task task, std::string_view name) {
  const ClassifierHead* head = classifier_of(family, task);
  if (!head) return false;
  const auto within = [&](const std::string& module) { return name.starts_with(module + '.'); };
  const bool own_pooler =
      !head->pooler.empty() && (family.prefix.empty() || !head->pooler.starts_with(family.prefix));
  return within(head->projection) || (own_pooler && within(head->pooler));
}

void set_classifier(Task task, std::vector<std::string> class_names, bool regression, ModelConfig& config) {
  const ClassifierHead* head = classifier_of(find_family(config.family, "model"), task);
  if (!head) {
    const bool tokens = task == Task::token_classification;
    throw Error(ErrorKind::usage, {.what = fmt::format("a model of family {} has no classifier of {}",
                                                       config.family, tokens ? "tokens" : "sequences"),
                                   .fix = "use a model of family bert, roberta, gpt2, llama or qwen2"});
  }
  config.task = task;
  config.classes = regression ? 1 : static_cast<std::int64_t>(class_names.size());
  config.class_names = std::move(class_names);
  config.regression = regression;
  config.pooler = !head->pooler.empty();
  config.classifier_bias = head->bias;
  config.pooler_dropout = head->pooler_dropout;
  const double usual = head->usual_dropout.value_or(config.hidden_dropout);
  config.head_dropout = head->dropout ? config.classifier_dropout.value_or(usual) : 0;
}

void remove_classifier(ModelConfig& config) {
  config.task = Task::language_model;
  config.classes = 0;
  config.class_names.clear();
  config.pooler = config.pooler_dropout = config.regression = false;
  config.classifier_bias = true;
  config.head_dropout = 0;
}

void add_sentence_head(std::int64_t classes, ModelConfig& config) {
  if (!find_family(config.family, "model").sentence_head) {
    throw Error(ErrorKind::usage,
                {.what = "a model of family " + config.family + " has no sentence head",
                 .fix = "leave the objective over labels out, or use a model of family bert"});
  }
  config.pooler = true;
  config.classes = classes;
}

void check_config(const ModelConfig& config, ErrorKind kind, const std::string& where) {
  const Checker check(kind, where);
  check_sizes(config, check);
  if (config.hidden_size % config.num_attention_heads != 0) {
    check.fail({.what = "the attention heads do not divide the width",
                .found = std::to_string(config.num_attention_heads) + " heads and width " +
                         std::to_string(config.hidden_size),
                .expected = "num_attention_heads that divides hidden_size"});
  }
  if (config.num_attention_heads % config.key_heads() != 0) {
    check.fail(
        {.what = "the heads of keys and values do not divide the attention heads",
         .found = std::to_string(config.key_heads()) + " and " + std::to_string(config.num_attention_heads),
         .expected = "num_key_value_heads that divides num_attention_heads"});
  }
  if (config.positions_after_padding && config.pad_token_id < 0) {
    check.fail({.what = "there is no padding token, behind whose id the positions of the family count",
                .found = "pad_token_id null",
                .expected = "an id of the vocabulary"});
  }
  if (config.positions == PositionKind::rotary && config.head_size() % 2 != 0) {
    check.fail({.what = "rotary positions turn pairs, and the size of a head is odd",
                .found = std::to_string(config.head_size()),
                .expected = "an even hidden_size / num_attention_heads"});
  }
  check.number("rope_theta", config.rotary_base, config.rotary_base > 1, "above 1");
  check.number("embedding_gradient_shrink", config.embedding_gradient_shrink,
               config.embedding_gradient_shrink >= 0 && config.embedding_gradient_shrink <= 1, "0 to 1");
  check.number("layer_norm_eps", config.layer_norm_eps, config.layer_norm_eps > 0, "above 0");
  check.number("initializer_range", config.initializer_range, config.initializer_range >= 0, "0 or above");
  check.dropout("hidden dropout", config.hidden_dropout);
  check.dropout("embedding dropout", config.embedding_dropout);
  check.dropout("attention dropout", config.attention_dropout);
  check.dropout("classifier dropout", config.head_dropout);
}

}  // namespace surprisal
