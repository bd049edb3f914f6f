#include "train/checkpoint.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/json.h"
#include "store/model_directory.h"
#include "store/safetensors.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFormat = 1;
constexpr const char* kFirstMoment = "exp_avg";
constexpr const char* kSecondMoment = "exp_avg_sq";

struct Moments {
  const char* name;
  std::span<float> values;
};
std::array<Moments, 2> moments(Optimizer& optimizer) {
  return {{{kFirstMoment, optimizer.first_moment()}, {kSecondMoment, optimizer.second_moment()}}};
}

std::string tensor_name(const char* moment, const Parameter& parameter) {
  return fmt::format("{}.{}", moment, parameter.name);
}

std::vector<std::int64_t> dims(const Shape& shape) {
  std::vector<std::int64_t> dims;
  for (int axis = 0; axis < shape.rank(); ++axis) dims.push_back(shape[axis]);
  return dims;
}

void write_optimizer(const fs::path& file, const ParameterTable& table, Optimizer& optimizer) {
  std::vector<TensorToWrite> tensors;
  for (const Moments& moment : moments(optimizer)) {
    for (const Parameter& parameter : table.parameters) {
      const float* values = moment.values.data() + parameter.offset;
      tensors.push_back({tensor_name(moment.name, parameter), dims(parameter.shape),
                         [values](std::int64_t begin, std::span<float> out) {
                           std::copy_n(values + begin, out.size(), out.data());
                         }});
    }
  }
  write_safetensors(file, tensors);
}

void read_optimizer(const fs::path& file, const ParameterTable& table, Optimizer& optimizer) {
  SafetensorsFile stored(file);
  for (const Moments& moment : moments(optimizer)) {
    for (const Parameter& parameter : table.parameters) {
      std::string name = tensor_name(moment.name, parameter);
      const StoredTensor* tensor = stored.find(name);
      if (!tensor || tensor->dtype != "F32" || tensor->shape != dims(parameter.shape)) {
        throw Error(ErrorKind::data, {.what = fmt::format("optimizer state has no fitting tensor {}", name),
                                      .where = file.string(),
                                      .expected = fmt::format("F32 {}", parameter.shape.to_string())});
      }
      std::memcpy(moment.values.data() + parameter.offset, tensor->bytes.data(), tensor->bytes.size());
    }
  }
}

OrderedJson number_or_null(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

std::optional<double> optional_number(const Json& object, const char* key) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

OrderedJson state_to_json(const RunState& state) {
  OrderedJson json;
  json["format"] = kFormat;
  json["step"] = state.step;
  json["tokens"] = state.tokens;
  json["sampler"] = {
      {"epoch", state.sampler.epoch}, {"window", state.sampler.window}, {"pack", state.sampler.pack}};
  json["first_evaluation"] = number_or_null(state.first_evaluation);
  json["best_evaluation"] = number_or_null(state.best_evaluation);
  json["identity"] = state.identity;
  return json;
}

RunState state_from_json(const Json& json, const std::string& where) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  get_int(json, "format", where, kFormat, kFormat);
  RunState state;
  state.step = get_int(json, "step", where, 0, kMost);
  state.tokens = static_cast<std::uint64_t>(get_int(json, "tokens", where, 0, kMost));
  const Json& sampler = require(json, "sampler", where);
  state.sampler.epoch = static_cast<std::uint32_t>(get_int(sampler, "epoch", where, 0, (1 << 24) - 1));
  state.sampler.window = static_cast<std::uint64_t>(get_int(sampler, "window", where, 0, kMost));
  state.sampler.pack = static_cast<std::uint64_t>(get_int(sampler, "pack", where, 0, kMost));
  state.first_evaluation = optional_number(json, "first_evaluation");
  state.best_evaluation = optional_number(json, "best_evaluation");
  const Json& identity = require(json, "identity", where);
  for (const auto& [key, value] : identity.items())
    state.identity[key] = get_string(identity, key.c_str(), where);
  return state;
}

}  // namespace

void write_checkpoint(const fs::path& directory, const Transformer& model, const Tokenizer& tokenizer,
                      Optimizer& optimizer, const RunState& state) {
  save_model(directory, model, &tokenizer);
  make_directories(directory / "state");
  write_optimizer(directory / "state" / "optimizer.safetensors", model.table(), optimizer);
  FileWriter file(directory / "state" / "state.json");
  file.write(state_to_json(state).dump(2) + "\n");
  file.commit();
  sync_directory(directory / "state");
}

RunState read_run_state(const fs::path& directory) {
  fs::path file = directory / "state" / "state.json";
  return state_from_json(parse_json(read_file(file), file.string()), file.string());
}

RunState read_checkpoint(const fs::path& directory, Transformer& model, Optimizer& optimizer) {
  RunState state = read_run_state(directory);
  load_weights(directory, model);
  read_optimizer(directory / "state" / "optimizer.safetensors", model.table(), optimizer);
  return state;
}

}  // namespace surprisal
