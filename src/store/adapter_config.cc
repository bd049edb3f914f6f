#include "store/adapter_config.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "adapt/adapter.h"
#include "adapt/target_modules.h"

namespace surprisal {
namespace {

constexpr std::int64_t kMost = 1 << 16;

// The keys that say nothing about the mathematics.
bool is_remark(const std::string& key) {
  const char* const remarks[] = {"peft_type",     "base_model_name_or_path", "revision",     "task_type",
                                 "auto_mapping",  "inference_mode",          "peft_version", "runtime_config",
                                 "megatron_core", "qalora_group_size",       "loftq_config"};
  return std::ranges::find(remarks, key) != std::end(remarks);
}

class ConfigFile {
 public:
  ConfigFile(const Json& json, const std::string& where) : json_(json), where_(where) {}

  [[noreturn]] void fail(const std::string& key, const std::string& what, std::string found,
                         std::string expected, std::string fix = {}) const {
    throw Error(ErrorKind::data, {.what = fmt::format("{}: {}", key, what),
                                  .where = where_,
                                  .found = std::move(found),
                                  .expected = std::move(expected),
                                  .fix = std::move(fix)});
  }
  // The value; null where it is absent or says nothing.
  const Json* take(const char* key) {
    known_.push_back(key);
    const auto member = json_.find(key);
    return member == json_.end() || member->is_null() ? nullptr : &*member;
  }
  std::int64_t integer(const char* key, std::int64_t min, std::int64_t otherwise) {
    return take(key) ? get_int_or(json_, key, where_, min, kMost, otherwise) : otherwise;
  }
  double number(const char* key, double min, double max, double otherwise) {
    return take(key) ? get_number_or(json_, key, where_, min, max, otherwise) : otherwise;
  }
  bool flag(const char* key) { return take(key) && get_bool_or(json_, key, where_, false); }
  std::string text(const char* key, const std::string& otherwise) {
    return take(key) ? get_string(json_, key, where_) : otherwise;
  }
  std::vector<std::string> names(const char* key) {
    const Json* value = take(key);
    std::vector<std::string> names;
    if (!value) return names;
    if (value->is_string()) return {value->get<std::string>()};
    if (!value->is_array()) fail(key, "is no list of names", value->type_name(), "an array of strings");
    for (const Json& name : *value) {
      if (!name.is_string()) fail(key, "is no list of names", name.type_name(), "strings");
      names.push_back(name.get<std::string>());
    }
    return names;
  }
  // {"PATTERN": NUMBER} as "PATTERN = NUMBER".
  std::vector<std::string> patterns(const char* key) {
    const Json* value = take(key);
    std::vector<std::string> patterns;
    if (!value) return patterns;
    if (!value->is_object()) fail(key, "is no object", value->type_name(), "patterns with numbers");
    for (const auto& [pattern, number] : value->items()) {
      if (!number.is_number()) fail(key, "has a pattern without a number", number.type_name(), "a number");
      patterns.push_back(fmt::format("{} = {}", pattern, number.get<double>()));
    }
    return patterns;
  }
  std::vector<std::int64_t> integers(const char* key) {
    const Json* value = take(key);
    std::vector<std::int64_t> integers;
    if (!value) return integers;
    const Json list = value->is_array() ? *value : Json::array({*value});
    for (const Json& number : list) {
      if (!number.is_number_integer()) fail(key, "is no list of numbers", number.type_name(), "integers");
      integers.push_back(number.get<std::int64_t>());
    }
    return integers;
  }
  // Whatever was not asked for must be nothing.
  void refuse_others() const {
    for (const auto& [key, value] : json_.items()) {
      const bool known = std::ranges::find(known_, key) != known_.end() || is_remark(key);
      const bool nothing = value.is_null() || value == false || (value.is_structured() && value.empty());
      if (!known && !nothing) {
        fail(key, "is not supported", value.dump().substr(0, 80), "null or false");
      }
    }
  }

 private:
  const Json& json_;
  const std::string& where_;
  std::vector<std::string> known_;
};

std::string init_of(ConfigFile& file) {
  const Json* init = file.take("init_lora_weights");
  if (!init || init->is_boolean()) return "uniform";
  std::string name = init->is_string() ? init->get<std::string>() : "";
  if (name == "gaussian") return name;
  if (name == "orthogonal" || name == "eva" || name == "mica") return "uniform";
  file.fail("init_lora_weights", "changed the weights of the base model, which are not in the adapter",
            init->dump(), "true, false or \"gaussian\"",
            "convert it with PEFT: save_pretrained(path_initial_model_for_weight_conversion=...)");
}

void read_lora(ConfigFile& file, AdapterOptions& options) {
  options.type = "lora";
  options.r = file.integer("r", 1, 8);
  options.lora_alpha = file.number("lora_alpha", 1e-9, 1e9, 8);
  options.lora_dropout = file.number("lora_dropout", 0, 1, 0);
  options.use_rslora = file.flag("use_rslora");
  options.use_dora = file.flag("use_dora");
  const Json* targets = file.take("target_modules");
  if (targets && targets->is_string() && *targets != "all-linear") {
    options.target_pattern = targets->get<std::string>();
  } else {
    options.target_modules = file.names("target_modules");
  }
  options.exclude_modules = file.names("exclude_modules");
  options.layers = file.integers("layers_to_transform");
  options.rank_pattern = file.patterns("rank_pattern");
  options.alpha_pattern = file.patterns("alpha_pattern");
  options.bias = file.text("bias", "none");
  if (options.bias != "none" && options.bias != "all" && options.bias != "lora_only") {
    file.fail("bias", "is not known", options.bias, "none, all or lora_only");
  }
  options.init_lora_weights = init_of(file);
  file.take("fan_in_fan_out");  // how the base is stored is known from its family
}

void read_prefix(ConfigFile& file, const ModelConfig& base, AdapterOptions& options) {
  options.type = "prefix";
  if (!file.take("num_virtual_tokens")) {
    file.fail("num_virtual_tokens", "is missing", "none", "the length of the prefix");
  }
  options.num_virtual_tokens = file.integer("num_virtual_tokens", 1, 0);
  const auto expect = [&](const char* key, std::int64_t want) {
    const std::int64_t found = file.integer(key, 1, want);
    if (found != want) {
      file.fail(key, "is not that of the model", fmt::format("{}", found), fmt::format("{}", want),
                "use the model that the adapter was trained on");
    }
  };
  expect("token_dim", base.key_size());
  expect("num_attention_heads", base.key_heads());
  expect("num_layers", base.num_hidden_layers);
  expect("num_transformer_submodules", 1);
  // What comes out of the MLP is what the file holds.
  file.take("prefix_projection");
  file.take("encoder_hidden_size");
  file.take("init_weights");
}

OrderedJson names_or_null(const std::vector<std::string>& names) {
  return names.empty() ? OrderedJson(nullptr) : OrderedJson(names);
}

OrderedJson number(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  return static_cast<double>(whole) == value ? OrderedJson(whole) : OrderedJson(value);
}

OrderedJson patterns_to_json(const std::vector<std::string>& patterns) {
  OrderedJson json = OrderedJson::object();
  for (const std::string& entry : patterns) {
    if (const auto read = read_number_pattern(entry)) json[read->pattern] = number(read->value);
  }
  return json;
}

void write_lora(const AdapterOptions& options, const ModelConfig& base, OrderedJson& json) {
  json["peft_type"] = "LORA";
  json["r"] = options.r;
  json["lora_alpha"] = number(options.lora_alpha);
  json["lora_dropout"] = options.lora_dropout;
  json["use_rslora"] = options.use_rslora;
  json["use_dora"] = options.use_dora;
  json["fan_in_fan_out"] = base.family == "gpt2";
  json["bias"] = options.bias;
  json["init_lora_weights"] = true;
  json["target_modules"] = options.target_pattern.empty() ? OrderedJson(portable_names(options, base))
                                                          : OrderedJson(options.target_pattern);
  json["exclude_modules"] = names_or_null(options.exclude_modules);
  json["layers_to_transform"] = options.layers.empty() ? OrderedJson(nullptr) : OrderedJson(options.layers);
  json["rank_pattern"] = patterns_to_json(options.rank_pattern);
  json["alpha_pattern"] = patterns_to_json(options.alpha_pattern);
  ModelConfig adapted = base;
  adapted.adaptation = make_adaptation(options, base, "adapter", ErrorKind::usage);
  const std::vector<FusedBranches> fused = fused_branches(options, adapted, make_parameter_table(adapted));
  if (fused.empty()) return;
  // Modules and their ranks as PEFT counts them, each by its whole path.
  json["target_modules"] = portable_names(options, base);
  json["rank_pattern"] = OrderedJson::object();
  json["alpha_pattern"] = OrderedJson::object();
  for (const TargetModule& target : find_targets(options, base, "adapter", ErrorKind::usage)) {
    if (target.module.part) continue;
    json["rank_pattern"][target.module.path] = target.rank;
    json["alpha_pattern"][target.module.path] = number(target.alpha);
  }
  for (const FusedBranches& branch : fused) {
    const std::string path = branch.module.substr(std::string_view("base_model.model.").size());
    json["rank_pattern"][path] = branch.rank;
    json["alpha_pattern"][path] = number(branch.alpha);
  }
}

void write_prefix(const AdapterOptions& options, const ModelConfig& base, OrderedJson& json) {
  json["peft_type"] = "PREFIX_TUNING";
  json["num_virtual_tokens"] = options.num_virtual_tokens;
  json["token_dim"] = base.key_size();
  json["num_transformer_submodules"] = 1;
  json["num_attention_heads"] = base.key_heads();
  json["num_layers"] = base.num_hidden_layers;
  json["encoder_hidden_size"] =
      options.encoder_hidden_size > 0 ? options.encoder_hidden_size : base.key_size();
  // The file holds what the MLP gave; with true, PEFT would look for the MLP when it trains on.
  json["prefix_projection"] = false;
}

constexpr const char *kSequences = "SEQ_CLS", *kTokens = "TOKEN_CLS";
// What PEFT trains of every classifier, whatever of them there is.
constexpr const char* kClassifiers[] = {"classifier", "score"};

bool is_classifier_name(const std::string& name) {
  return std::ranges::find(kClassifiers, name) != std::end(kClassifiers);
}

OrderedJson modules_to_save(const AdapterOptions& options, const ModelConfig& base) {
  std::vector<std::string> names = options.modules_to_save;
  if (!base.vocabulary_head()) names.insert(names.end(), std::begin(kClassifiers), std::end(kClassifiers));
  return names_or_null(names);
}

// PEFT puts a prefix to an encoder only where it is told a task.
const char* task_of(const AdapterOptions& options, const ModelConfig& base) {
  if (base.task == Task::sequence_classification) return kSequences;
  if (base.task == Task::token_classification) return kTokens;
  const Family& family = find_family(base.family, "model");
  if (family.decoder || family.any_sight) return "CAUSAL_LM";
  return options.prefix() ? "FEATURE_EXTRACTION" : nullptr;
}

}  // namespace

Task read_adapter_task(std::string_view text, const std::string& where) {
  const std::string task = get_string_or(parse_json(text, where), "task_type", where, "");
  return task == kSequences ? Task::sequence_classification
         : task == kTokens  ? Task::token_classification
                            : Task::language_model;
}

AdapterOptions read_adapter_config(std::string_view text, const ModelConfig& base, const std::string& where) {
  const Json json = parse_json(text, where);
  ConfigFile file(json, where);
  AdapterOptions options;
  const std::string type = get_string(json, "peft_type", where);
  if (type == "LORA") {
    read_lora(file, options);
  } else if (type == "PREFIX_TUNING") {
    read_prefix(file, base, options);
  } else {
    file.fail("peft_type", "is not supported", type, "LORA or PREFIX_TUNING");
  }
  options.modules_to_save = file.names("modules_to_save");
  if (!base.vocabulary_head()) std::erase_if(options.modules_to_save, is_classifier_name);
  file.refuse_others();
  return options;
}

OrderedJson write_adapter_config(const AdapterOptions& options, const ModelConfig& base,
                                 const std::string& base_name) {
  OrderedJson json;
  if (options.lora()) write_lora(options, base, json);
  if (options.prefix()) write_prefix(options, base, json);
  json["modules_to_save"] = modules_to_save(options, base);
  json["base_model_name_or_path"] = base_name;
  json["inference_mode"] = true;
  const char* task = task_of(options, base);
  json["task_type"] = task ? OrderedJson(task) : OrderedJson(nullptr);
  // Sorted, as PEFT writes them.
  OrderedJson sorted;
  std::map<std::string, OrderedJson> keys;
  for (auto& [key, value] : json.items()) keys[key] = value;
  for (auto& [key, value] : keys) sorted[key] = std::move(value);
  return sorted;
}

}  // namespace surprisal
