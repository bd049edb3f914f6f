#include "adapt/modules.h"

#include <algorithm>
#include <map>
#include <utility>

#include "model/parameter.h"

namespace surprisal {
namespace {

using Place = std::pair<LinearPlace, std::int64_t>;

// Every linear layer that a branch can stand beside, by the name of its weight.
std::map<std::string, Place> linear_places(const ModelConfig& config) {
  std::map<std::string, Place> places;
  const auto add = [&](LinearPlace place, std::int64_t layer) {
    places[linear_name(place, layer) + ".weight"] = {place, layer};
  };
  for (std::int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    for (LinearPlace place :
         {LinearPlace::qkv, LinearPlace::attention_output, LinearPlace::up, LinearPlace::down}) {
      add(place, layer);
    }
  }
  add(LinearPlace::head_transform, 0);
  add(LinearPlace::pooler, 0);
  return places;
}

void add_parts(const ModelConfig& config, std::vector<LinearModule>& modules) {
  const LinearModule fused = modules.back();
  const std::int64_t query = config.query_size(), key = config.key_size();
  if (fused.place != LinearPlace::qkv || fused.rows() != config.qkv_size()) return;
  std::int64_t begin = 0;
  for (const auto& [name, rows] : {std::pair{".query", query}, {".key", key}, {".value", key}}) {
    LinearModule part = fused;
    part.path += name;
    part.part = true;
    part.row_begin = begin;
    part.row_end = begin += rows;
    modules.push_back(std::move(part));
  }
}

}  // namespace

std::vector<BaseTensor> base_tensors(const ModelConfig& config) {
  ModelConfig base = config;
  base.adaptation = {};
  const ParameterTable table = make_parameter_table(base);
  std::vector<BaseTensor> tensors;
  for (Binding& binding : find_family(config.family, "model").bindings(base, table)) {
    const std::string& parameter = table.parameters[static_cast<std::size_t>(binding.parameter)].name;
    tensors.push_back({std::move(binding), parameter});
  }
  return tensors;
}

std::vector<LinearModule> linear_modules(const ModelConfig& config) {
  const std::map<std::string, Place> places = linear_places(config);
  std::vector<LinearModule> modules;
  for (const auto& [binding, parameter] : base_tensors(config)) {
    const auto place = places.find(parameter);
    if (place == places.end()) continue;
    modules.push_back({.path = module_of(binding.stored),
                       .place = place->second.first,
                       .layer = place->second.second,
                       .row_begin = binding.row_begin,
                       .row_end = binding.row_end,
                       .transposed = binding.transposed});
    if (binding.heads == 0) add_parts(config, modules);  // else no part lies in one piece
  }
  return modules;
}

std::string module_of(const std::string& stored) {
  return stored.substr(0, stored.rfind('.'));
}

bool names_module(const std::vector<std::string>& names, const std::string& path) {
  return std::ranges::any_of(
      names, [&](const std::string& name) { return path == name || path.ends_with('.' + name); });
}

bool names_module_or_holder(const std::vector<std::string>& names, const std::string& path) {
  for (std::size_t end = path.size(); end != std::string::npos && end > 0; end = path.rfind('.', end - 1)) {
    if (names_module(names, path.substr(0, end))) return true;
  }
  return false;
}

}  // namespace surprisal
