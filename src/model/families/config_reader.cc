#include "model/families/config_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "surprisal/error.h"

#include "ops/activation.h"

namespace surprisal {
namespace {

// What `transformers` (2.x to 5.x) writes into any config.json that says nothing about logits or loss:
// provenance, labels of other heads, output and generation settings.
constexpr std::array kHarmless = {"_attn_implementation",
                                  "_attn_implementation_autoset",
                                  "_commit_hash",
                                  "_name_or_path",
                                  "_num_labels",
                                  "architectures",
                                  "bad_words_ids",
                                  "begin_suppress_tokens",
                                  "chunk_size_feed_forward",
                                  "cls_token_id",
                                  "decoder_start_token_id",
                                  "diversity_penalty",
                                  "do_sample",
                                  "dtype",
                                  "early_stopping",
                                  "encoder_no_repeat_ngram_size",
                                  "eos_token_ids",
                                  "exponential_decay_length_penalty",
                                  "finetuning_task",
                                  "forced_bos_token_id",
                                  "forced_eos_token_id",
                                  "gradient_checkpointing",
                                  "id2label",
                                  "label2id",
                                  "length_penalty",
                                  "mask_token_id",
                                  "max_length",
                                  "min_length",
                                  "model_type",
                                  "no_repeat_ngram_size",
                                  "num_beam_groups",
                                  "num_beams",
                                  "num_labels",
                                  "num_return_sequences",
                                  "output_attentions",
                                  "output_hidden_states",
                                  "output_past",
                                  "output_scores",
                                  "prefix",
                                  "problem_type",
                                  "remove_invalid_values",
                                  "repetition_penalty",
                                  "return_dict",
                                  "return_dict_in_generate",
                                  "sep_token_id",
                                  "suppress_tokens",
                                  "task_specific_params",
                                  "temperature",
                                  "tf_legacy_loss",
                                  "tokenizer_class",
                                  "top_k",
                                  "top_p",
                                  "torch_dtype",
                                  "torchscript",
                                  "training_objective",
                                  "transformers_version",
                                  "typical_p",
                                  "use_bfloat16",
                                  "use_cache",
                                  "use_return_dict",
                                  "xla_device"};

bool says_nothing(const Json& value) {
  return value.is_null() || value == false || value == "" || (value.is_structured() && value.empty());
}

// Text from a file as it may stand on a terminal.
std::string escaped(const std::string& text) {
  return Json(text).dump(-1, ' ', true);
}

}  // namespace

ConfigReader::ConfigReader(const Json& config, std::string where)
    : config_(config), where_(std::move(where)) {
  if (config_.is_object()) return;
  throw Error(ErrorKind::data, {.what = "not a model configuration",
                                .where = where_,
                                .found = config_.type_name(),
                                .expected = "a JSON object"});
}

const Json* ConfigReader::lookup(const char* key) {
  seen_.insert(key);
  auto entry = config_.find(key);
  return entry == config_.end() || entry->is_null() ? nullptr : &*entry;
}

std::int64_t ConfigReader::size(const char* key, std::int64_t max) {
  seen_.insert(key);
  return get_int(config_, key, where_, 1, max);
}

std::int64_t ConfigReader::size_or(const char* key, std::int64_t max, std::int64_t fallback) {
  seen_.insert(key);
  return get_int_or(config_, key, where_, 1, max, fallback);
}

std::int64_t ConfigReader::size_above(const char* key, std::int64_t offset, std::int64_t max) {
  seen_.insert(key);
  return get_int(config_, key, where_, offset + 1, max) - offset;
}

double ConfigReader::number(const char* key, double min, double max) {
  require(config_, key, where_);
  return number_or(key, min, max, std::nan(""));
}

double ConfigReader::number_or(const char* key, double min, double max, double fallback) {
  seen_.insert(key);
  return get_number_or(config_, key, where_, min, max, fallback);
}

bool ConfigReader::flag_or(const char* key, bool fallback) {
  seen_.insert(key);
  return get_bool_or(config_, key, where_, fallback);
}

std::string ConfigReader::text_or(const char* key, std::string fallback) {
  seen_.insert(key);
  return get_string_or(config_, key, where_, std::move(fallback));
}

const Json* ConfigReader::object(const char* key) {
  const Json* value = lookup(key);
  if (value == nullptr || (value->is_object() && value->empty())) return nullptr;
  if (value->is_object()) return value;
  throw Error(ErrorKind::data, {.what = std::string(key) + " is not an object",
                                .where = where_,
                                .found = value->dump(-1, ' ', true),
                                .expected = "a JSON object"});
}

void ConfigReader::activation(const char* key, const char* fallback, ModelConfig& config) {
  seen_.insert(key);
  config.activation_name = get_string_or(config_, key, where_, fallback);
  auto kind = find_activation(config.activation_name);
  if (!kind) {
    throw Error(ErrorKind::data, {.what = std::string(key) + " is not supported",
                                  .where = where_,
                                  .found = escaped(config.activation_name),
                                  .expected = "one of " + activation_names()});
  }
  config.activation = *kind;
}

std::int64_t ConfigReader::token_id(const char* key, std::int64_t fallback, std::int64_t vocab_size) {
  const bool absent = !config_.contains(key);
  const Json* value = lookup(key);
  if (absent) return fallback < vocab_size ? fallback : -1;
  if (value == nullptr) return -1;
  // Several ends of text are a matter of generation; the first is the one that training writes.
  if (value->is_array()) {
    if (value->empty()) return -1;
    return get_int(Json::object({{key, value->front()}}), key, where_, -1,
                   std::numeric_limits<std::int32_t>::max());
  }
  return get_int(config_, key, where_, -1, std::numeric_limits<std::int32_t>::max());
}

bool ConfigReader::has_architecture(const char* name) {
  const Json* list = lookup("architectures");
  return list != nullptr && list->is_array() && std::find(list->begin(), list->end(), name) != list->end();
}

void ConfigReader::only(const char* key, const Json& value) {
  const Json* entry = lookup(key);
  if (entry == nullptr || *entry == value) return;
  throw Error(ErrorKind::data, {.what = std::string(key) + " changes the mathematics and is not supported",
                                .where = where_,
                                .found = entry->dump(),
                                .expected = value.dump()});
}

void ConfigReader::pass_over(std::initializer_list<const char*> keys) {
  seen_.insert(keys.begin(), keys.end());
}

void ConfigReader::finish() const {
  std::string unknown;
  for (const auto& [key, value] : config_.items()) {
    if (seen_.contains(key) || says_nothing(value)) continue;
    if (std::find(kHarmless.begin(), kHarmless.end(), std::string_view(key)) != kHarmless.end()) continue;
    unknown += (unknown.empty() ? "" : ", ") + escaped(key);
  }
  if (unknown.empty()) return;
  throw Error(ErrorKind::data, {.what = "keys not known to surprisal, which may change the mathematics",
                                .where = where_,
                                .found = unknown,
                                .fix = "remove them if the model computes the same without them"});
}

}  // namespace surprisal
