#include "train/run_state.h"

#include <limits>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/json.h"

namespace surprisal {
namespace {

constexpr std::int64_t kFormat = 2;

OrderedJson number_or_null(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

std::optional<double> optional_number(const Json& object, const char* key) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

OrderedJson to_json(const SamplerPosition& position) {
  return {{"epoch", position.epoch}, {"window", position.window}, {"pack", position.pack}};
}

// One source as it is, several as a list.
OrderedJson sampler_to_json(const MixedPosition& position) {
  if (position.size() < 2) return to_json(position.empty() ? SamplerPosition() : position.front().at);
  OrderedJson sources = OrderedJson::array();
  for (const SourcePosition& source : position) {
    sources.push_back(to_json(source.at));
    sources.back()["samples"] = source.samples;
  }
  return {{"sources", sources}};
}

OrderedJson to_json(const RunState& state) {
  OrderedJson json;
  json["format"] = kFormat;
  json["step"] = state.step;
  json["tokens"] = state.tokens;
  json["sampler"] = sampler_to_json(state.sampler);
  json["skipped"] = state.skipped;
  json["skipped_in_a_row"] = state.skipped_in_a_row;
  json["evaluated_step"] = state.evaluated_step;
  json["evaluations_without_improvement"] = state.evaluations_without_improvement;
  json["first_evaluation"] = number_or_null(state.first_evaluation);
  json["best"] = OrderedJson::array();
  for (const ScoredStep& best : state.best)
    json["best"].push_back({{"step", best.step}, {"value", best.value}});
  json["identity"] = state.identity;
  return json;
}

const Json& require_type(const Json& object, const char* key, Json::value_t type, const std::string& where) {
  const Json& value = require(object, key, where);
  if (value.type() == type) return value;
  throw Error(ErrorKind::data, {.what = std::string("key ") + key + " has a wrong value",
                                .where = where,
                                .found = value.type_name(),
                                .expected = type == Json::value_t::array ? "an array" : "an object"});
}

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

SamplerPosition position_from_json(const Json& json, const std::string& where) {
  return {.epoch = static_cast<std::uint32_t>(get_int(json, "epoch", where, 0, (1 << 24) - 1)),
          .window = static_cast<std::uint64_t>(get_int(json, "window", where, 0, kMost)),
          .pack = static_cast<std::uint64_t>(get_int(json, "pack", where, 0, kMost))};
}

MixedPosition sampler_from_json(const Json& json, const std::string& where) {
  if (!json.is_object() || !json.contains("sources")) return {{.at = position_from_json(json, where)}};
  const Json& sources = require_type(json, "sources", Json::value_t::array, where);
  if (sources.size() < 2) {
    throw Error(ErrorKind::data, {.what = "key sources has a wrong value",
                                  .where = where,
                                  .found = fmt::format("{} of them", sources.size()),
                                  .expected = "two or more"});
  }
  MixedPosition position;
  for (const Json& source : sources) {
    position.push_back({.at = position_from_json(source, where),
                        .samples = static_cast<std::uint64_t>(get_int(source, "samples", where, 0, kMost))});
  }
  return position;
}

RunState from_json(const Json& json, const std::string& where) {
  get_int(json, "format", where, kFormat, kFormat);
  RunState state;
  state.step = get_int(json, "step", where, 0, kMost);
  state.tokens = static_cast<std::uint64_t>(get_int(json, "tokens", where, 0, kMost));
  state.sampler = sampler_from_json(require(json, "sampler", where), where);
  state.skipped = get_int(json, "skipped", where, 0, kMost);
  state.skipped_in_a_row = get_int(json, "skipped_in_a_row", where, 0, kMost);
  state.evaluated_step = get_int(json, "evaluated_step", where, -1, kMost);
  state.evaluations_without_improvement = get_int(json, "evaluations_without_improvement", where, 0, kMost);
  state.first_evaluation = optional_number(json, "first_evaluation");
  constexpr double kLargest = std::numeric_limits<double>::max();
  for (const Json& best : require_type(json, "best", Json::value_t::array, where)) {
    require(best, "value", where);
    state.best.push_back({get_int(best, "step", where, 0, kMost),
                          get_number_or(best, "value", where, -kLargest, kLargest, 0)});
  }
  const Json& identity = require_type(json, "identity", Json::value_t::object, where);
  for (const auto& [key, value] : identity.items())
    state.identity[key] = get_string(identity, key.c_str(), where);
  return state;
}

}  // namespace

std::string run_state_to_json(const RunState& state) {
  return to_json(state).dump(2) + "\n";
}

RunState run_state_from_json(std::string_view text, const std::string& where) {
  return from_json(parse_json(text, where), where);
}

}  // namespace surprisal
