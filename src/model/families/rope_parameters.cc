#include "model/families/rope_parameters.h"

#include <array>
#include <string>
#include <utility>

#include "surprisal/error.h"

namespace surprisal {
namespace {

constexpr double kBase = 10000;
// What a number may be at most, and beyond what is published by far.
constexpr double kMaxBase = 1e15, kMaxFactor = 1e6;

constexpr std::array<std::pair<const char*, RotaryScalingKind>, 5> kKinds = {{
    {"default", RotaryScalingKind::none},
    {"linear", RotaryScalingKind::linear},
    {"dynamic", RotaryScalingKind::dynamic},
    {"yarn", RotaryScalingKind::yarn},
    {"llama3", RotaryScalingKind::llama3},
}};

RotaryScalingKind find_kind(const std::string& name, const std::string& where) {
  std::string names;
  for (const auto& [known, kind] : kKinds) {
    if (name == known) return kind;
    names += (names.empty() ? "" : ", ") + std::string(known);
  }
  throw Error(ErrorKind::data, {.what = "rope_type is not supported",
                                .where = where,
                                .found = Json(name).dump(-1, ' ', true),
                                .expected = "one of " + names});
}

// A factor that is left out is that of the lengths.
void read_yarn(ConfigReader& reader, std::int64_t positions, RotaryScaling& scaling) {
  const RotaryScaling usual;
  scaling.original_positions =
      reader.size_or("original_max_position_embeddings", ModelLimits::positions, positions);
  const double ratio = static_cast<double>(positions) / static_cast<double>(scaling.original_positions);
  scaling.factor = reader.has("original_max_position_embeddings")
                       ? reader.number_or("factor", 1, kMaxFactor, ratio)
                       : reader.number("factor", 1, kMaxFactor);
  scaling.beta_fast = reader.number_or("beta_fast", 1e-6, kMaxFactor, usual.beta_fast);
  scaling.beta_slow = reader.number_or("beta_slow", 1e-6, kMaxFactor, usual.beta_slow);
  scaling.truncate = reader.flag_or("truncate", usual.truncate);
  if (reader.has("attention_factor")) {
    scaling.attention_factor = reader.number("attention_factor", 0, kMaxFactor);
  }
  scaling.mscale = reader.number_or("mscale", 0, kMaxFactor, 0);
  scaling.mscale_all_dim = reader.number_or("mscale_all_dim", 0, kMaxFactor, 0);
}

void read_llama3(ConfigReader& reader, std::int64_t positions, RotaryScaling& scaling) {
  scaling.factor = reader.number("factor", 1, kMaxFactor);
  scaling.original_positions =
      reader.size_or("original_max_position_embeddings", ModelLimits::positions, positions);
  scaling.low_frequency_factor = reader.number("low_freq_factor", 1e-6, kMaxFactor);
  scaling.high_frequency_factor = reader.number("high_freq_factor", 1e-6, kMaxFactor);
  if (scaling.low_frequency_factor < scaling.high_frequency_factor) return;
  throw Error(ErrorKind::data, {.what = "high_freq_factor is not above low_freq_factor",
                                .where = reader.where(),
                                .found = OrderedJson(scaling.high_frequency_factor).dump(),
                                .expected = "above " + OrderedJson(scaling.low_frequency_factor).dump()});
}

void read_scaling(ConfigReader& reader, std::int64_t positions, RotaryScaling& scaling) {
  // "type" was the key's first name; files of both times hold both.
  const std::string type = reader.text_or("type", "default");
  scaling.kind = find_kind(reader.text_or("rope_type", type), reader.where());
  reader.only("partial_rotary_factor", 1);
  switch (scaling.kind) {
    case RotaryScalingKind::none:
      break;
    case RotaryScalingKind::linear:
    case RotaryScalingKind::dynamic:
      scaling.factor = reader.number("factor", 1, kMaxFactor);
      break;
    case RotaryScalingKind::yarn:
      read_yarn(reader, positions, scaling);
      break;
    case RotaryScalingKind::llama3:
      read_llama3(reader, positions, scaling);
      break;
  }
}

void write_yarn(const RotaryScaling& scaling, Json& json) {
  const RotaryScaling usual;
  if (scaling.attention_factor) json["attention_factor"] = *scaling.attention_factor;
  if (scaling.beta_fast != usual.beta_fast) json["beta_fast"] = scaling.beta_fast;
  if (scaling.beta_slow != usual.beta_slow) json["beta_slow"] = scaling.beta_slow;
  if (scaling.mscale != 0) json["mscale"] = scaling.mscale;
  if (scaling.mscale_all_dim != 0) json["mscale_all_dim"] = scaling.mscale_all_dim;
  if (!scaling.truncate) json["truncate"] = false;
}

}  // namespace

void read_rope_parameters(ConfigReader& reader, ModelConfig& config) {
  config.rotary_base = reader.number_or("rope_theta", 1, kMaxBase, kBase);
  reader.only("partial_rotary_factor", 1);
  const Json *now = reader.object("rope_parameters"), *before = reader.object("rope_scaling");
  if (now != nullptr && before != nullptr && *now != *before) {
    throw Error(ErrorKind::data, {.what = "rope_parameters and rope_scaling differ",
                                  .where = reader.where(),
                                  .fix = "remove the one that is not meant"});
  }
  if (now == nullptr && before == nullptr) return;
  ConfigReader scaling(now ? *now : *before, reader.where() + (now ? ", rope_parameters" : ", rope_scaling"));
  config.rotary_base = scaling.number_or("rope_theta", 1, kMaxBase, config.rotary_base);
  read_scaling(scaling, config.max_position_embeddings, config.rotary_scaling);
  scaling.finish();
}

Json write_rope_parameters(const ModelConfig& config) {
  const RotaryScaling& scaling = config.rotary_scaling;
  Json json = {{"rope_theta", config.rotary_base}};
  for (const auto& [name, kind] : kKinds) {
    if (kind == scaling.kind) json["rope_type"] = name;
  }
  if (scaling.kind == RotaryScalingKind::none) return json;
  json["factor"] = scaling.factor;
  if (scaling.original_positions > 0) json["original_max_position_embeddings"] = scaling.original_positions;
  if (scaling.kind == RotaryScalingKind::yarn) write_yarn(scaling, json);
  if (scaling.kind == RotaryScalingKind::llama3) {
    json["low_freq_factor"] = scaling.low_frequency_factor;
    json["high_freq_factor"] = scaling.high_frequency_factor;
  }
  return json;
}

}  // namespace surprisal
