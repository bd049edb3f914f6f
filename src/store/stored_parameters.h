// Between the tensors of a checkpoint and the flat array of parameters, along a family's bindings.
#pragma once

#include <span>
#include <vector>

#include "model/family.h"
#include "model/parameter.h"
#include "store/safetensors.h"

namespace surprisal {

// What the two directions share. Everything named must outlive it.
struct ParameterStore {
  const Family& family;
  const ParameterTable& table;
  std::vector<Binding> bindings;
};
ParameterStore make_parameter_store(const ModelConfig& config, const ParameterTable& table);

// Fills `flat` (layout of the table) from F32, F16 or BF16 tensors. Everything is checked before the first
// value is written: a missing, extra or wrongly shaped tensor, or one of another dtype, is an Error (data)
// that names them all.
void read_parameters(const SafetensorsFile& file, const ParameterStore& store, std::span<float> flat);

// The checkpoint's tensors over `flat`, which must outlive the result.
std::vector<TensorToWrite> parameters_to_write(const ParameterStore& store, std::span<const float> flat);

}  // namespace surprisal
