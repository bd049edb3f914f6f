#include "train/checkpoint.h"

#include <algorithm>
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

constexpr std::int64_t kFormat = 2;
constexpr const char* kFirstMoment = "exp_avg";
constexpr const char* kSecondMoment = "exp_avg_sq";
constexpr const char* kMaster = "master";  // weights that model.safetensors rounds

std::string tensor_name(const char* moment, const Parameter& parameter) {
  return fmt::format("{}.{}", moment, parameter.name);
}

std::vector<std::int64_t> dims(const Shape& shape) {
  std::vector<std::int64_t> dims;
  for (int axis = 0; axis < shape.rank(); ++axis) dims.push_back(shape[axis]);
  return dims;
}

void add_flat(const char* name, std::span<const float> flat, const ParameterTable& table,
              std::vector<TensorToWrite>& tensors) {
  for (const Parameter& parameter : table.parameters) {
    const float* values = flat.data() + parameter.offset;
    tensors.push_back({tensor_name(name, parameter), dims(parameter.shape),
                       [values](std::int64_t begin, std::span<float> out) {
                         std::copy_n(values + begin, out.size(), out.data());
                       }});
  }
}

void read_flat(const SafetensorsFile& stored, const char* name, const ParameterTable& table,
               std::span<float> flat) {
  for (const Parameter& parameter : table.parameters) {
    const std::string tensor_in_file = tensor_name(name, parameter);
    const StoredTensor* tensor = stored.find(tensor_in_file);
    if (!tensor || tensor->dtype != "F32" || tensor->shape != dims(parameter.shape)) {
      throw Error(ErrorKind::data,
                  {.what = fmt::format("optimizer state has no fitting tensor {}", tensor_in_file),
                   .where = stored.path().string(),
                   .expected = fmt::format("F32 {}", parameter.shape.to_string())});
    }
    std::memcpy(flat.data() + parameter.offset, tensor->bytes.data(), tensor->bytes.size());
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
  state.skipped = get_int(json, "skipped", where, 0, kMost);
  state.skipped_in_a_row = get_int(json, "skipped_in_a_row", where, 0, kMost);
  state.evaluated_step = get_int(json, "evaluated_step", where, -1, kMost);
  state.evaluations_without_improvement = get_int(json, "evaluations_without_improvement", where, 0, kMost);
  state.first_evaluation = optional_number(json, "first_evaluation");
  constexpr double kLargest = std::numeric_limits<double>::max();
  for (const Json& best : require(json, "best", where)) {
    require(best, "value", where);
    state.best.push_back({get_int(best, "step", where, 0, kMost),
                          get_number_or(best, "value", where, -kLargest, kLargest, 0)});
  }
  const Json& identity = require(json, "identity", where);
  for (const auto& [key, value] : identity.items())
    state.identity[key] = get_string(identity, key.c_str(), where);
  return state;
}

}  // namespace

Dtype save_dtype(const TrainOptions& options) {
  return options.save_dtype == "bfloat16" ? Dtype::bf16 : Dtype::f32;
}

void write_checkpoint(const fs::path& directory, const ModelConfig& config, const ParameterTable& table,
                      const CheckpointTensors& tensors, const Tokenizer& tokenizer, Dtype dtype,
                      const RunState& state) {
  save_model(directory, config, table, tensors.weights, &tokenizer, dtype);
  make_directories(directory / "state");
  std::vector<TensorToWrite> state_tensors;
  add_flat(kFirstMoment, tensors.first_moment, table, state_tensors);
  add_flat(kSecondMoment, tensors.second_moment, table, state_tensors);
  if (dtype != Dtype::f32) add_flat(kMaster, tensors.weights, table, state_tensors);
  write_safetensors(directory / "state" / "optimizer.safetensors", state_tensors);
  FileWriter file(directory / "state" / "state.json");
  file.write(state_to_json(state).dump(2) + "\n");
  file.commit();
}

RunState read_run_state(const fs::path& directory) {
  fs::path file = directory / "state" / "state.json";
  return state_from_json(parse_json(read_file(file), file.string()), file.string());
}

RunState read_checkpoint(const fs::path& directory, Transformer& model, Optimizer& optimizer) {
  RunState state = read_run_state(directory);
  const SafetensorsFile stored(directory / "state" / "optimizer.safetensors");
  const ParameterTable& table = model.table();
  if (stored.find(tensor_name(kMaster, table.parameters.front()))) {
    read_flat(stored, kMaster, table, model.weights());
  } else {
    load_weights(directory, model);
  }
  read_flat(stored, kFirstMoment, table, optimizer.first_moment());
  read_flat(stored, kSecondMoment, table, optimizer.second_moment());
  return state;
}

}  // namespace surprisal
