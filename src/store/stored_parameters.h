// Between the tensors of a checkpoint and the flat array of parameters, along a family's bindings.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/family.h"
#include "model/parameter.h"
#include "store/safetensors.h"
#include "store/tensor_files.h"

namespace surprisal {

// What the two directions share. Everything named must outlive it.
struct ParameterStore {
  const Family& family;
  const ModelConfig& config;
  const ParameterTable& table;
  std::vector<Binding> bindings;
  // Of a stored name, that of the binding: current_name() for a checkpoint.
  std::string (*current)(const Family& family, std::string_view stored) = current_name;
  bool has_heads = true;  // some of the tensors are heads, which new_heads lets be drawn anew
};
ParameterStore make_parameter_store(const ModelConfig& config, const ParameterTable& table);

// What a file and a configuration did not have in common, under current names; empty unless new heads are
// allowed.
struct HeadsOfOthers {
  std::vector<std::string> missing;   // heads of the configuration that the file lacks
  std::vector<std::string> left_out;  // heads of the file for other tasks
};

// Fills `flat` (layout of the table) from F32, F16 or BF16 tensors, under any name that files have for them.
// Everything is checked before the first value is written: a missing, extra or wrongly shaped tensor, or one
// of another dtype, is an Error (data) that names them all; so is a second copy that differs. With
// `new_heads`, missing heads are returned and their place in `flat` is left as it is, and heads of other
// tasks are passed over and returned.
HeadsOfOthers read_parameters(const TensorFiles& files, const ParameterStore& store, bool new_heads,
                              std::span<float> flat);

// The same checks alone, heads aside. Throws Error (data).
HeadsOfOthers check_parameters(const TensorFiles& files, const ParameterStore& store);

// The current names of the tensors, sorted, buffers left out.
std::vector<std::string> current_names(const Family& family, const TensorFiles& files);

// The checkpoint's tensors over `flat`, which must outlive the result; in f32, or rounded to bf16.
std::vector<TensorToWrite> parameters_to_write(const ParameterStore& store, std::span<const float> flat,
                                               Dtype dtype = Dtype::f32);

}  // namespace surprisal
