#include "train/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "adapt/adapter.h"
#include "core/file.h"
#include "store/adapter_directory.h"
#include "store/model_directory.h"
#include "store/safetensors.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

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

// place(i): where parameter i of the table goes.
template <class Place>
void read_flat(const SafetensorsFile& stored, const char* name, const ParameterTable& table, Place&& place) {
  for (std::size_t index = 0; index < table.parameters.size(); ++index) {
    const Parameter& parameter = table.parameters[index];
    const std::string tensor_in_file = tensor_name(name, parameter);
    const StoredTensor* tensor = stored.find(tensor_in_file);
    if (!tensor || tensor->dtype != "F32" || tensor->shape != dims(parameter.shape)) {
      throw Error(ErrorKind::data,
                  {.what = fmt::format("optimizer state has no fitting tensor {}", tensor_in_file),
                   .where = stored.path().string(),
                   .expected = fmt::format("F32 {}", parameter.shape.to_string())});
    }
    std::memcpy(place(index), tensor->bytes.data(), tensor->bytes.size());
  }
}

// Whether the file that others read does not hold what is trained as it is trained.
bool needs_master(const ModelConfig& config, const ParameterTable& table, Dtype dtype,
                  const CheckpointAdapter& adapter) {
  return dtype != Dtype::f32 || config.adaptation.prefix.inner > 0 ||
         !fused_branches(adapter.options, config, table).empty();
}

}  // namespace

Dtype save_dtype(const TrainOptions& options) {
  return options.save_dtype == "bfloat16" ? Dtype::bf16 : Dtype::f32;
}

void write_checkpoint(const fs::path& directory, const ModelConfig& config, const ParameterTable& table,
                      const CheckpointTensors& tensors, const Tokenizer& tokenizer, Dtype dtype,
                      const CheckpointAdapter& adapter, const RunState& state) {
  if (adapter.options.any()) {
    save_adapter(directory,
                 {.options = adapter.options,
                  .config = config,
                  .table = table,
                  .values = tensors.weights,
                  .prefix = tensors.prefix,
                  .base_name = adapter.base_name,
                  .base_fingerprint = adapter.base_fingerprint},
                 &tokenizer);
  } else {
    save_model(directory, config, table, tensors.weights, &tokenizer, dtype);
  }
  make_directories(directory / "state");
  std::vector<TensorToWrite> state_tensors;
  add_flat(kFirstMoment, tensors.first_moment, table, state_tensors);
  add_flat(kSecondMoment, tensors.second_moment, table, state_tensors);
  if (needs_master(config, table, dtype, adapter)) add_flat(kMaster, tensors.weights, table, state_tensors);
  write_safetensors(directory / "state" / "optimizer.safetensors", state_tensors);
  write_file(directory / "state" / "state.json", run_state_to_json(state));
}

RunState read_run_state(const fs::path& directory) {
  fs::path file = directory / "state" / "state.json";
  return run_state_from_json(read_file(file), file.string());
}

RunState read_checkpoint(const fs::path& directory, const CheckpointAdapter& adapter, Transformer& model,
                         Optimizer& optimizer) {
  RunState state = read_run_state(directory);
  const SafetensorsFile stored(directory / "state" / "optimizer.safetensors");
  const TrainedParameters& trained = model.trained();
  const ParameterTable& table = trained.table;
  const auto in = [&](std::span<float> flat) {
    return [&table, flat](std::size_t index) { return flat.data() + table.parameters[index].offset; };
  };
  if (stored.find(tensor_name(kMaster, table.parameters.front()))) {
    read_flat(stored, kMaster, table,
              [&](std::size_t index) { return model.weight(trained.index[index]).f32(); });
  } else if (adapter.options.any()) {
    load_adapter(directory, adapter.options, model);
  } else {
    load_weights(directory, model);
  }
  read_flat(stored, kFirstMoment, table, in(optimizer.first_moment()));
  read_flat(stored, kSecondMoment, table, in(optimizer.second_moment()));
  return state;
}

}  // namespace surprisal
