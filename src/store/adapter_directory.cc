#include "store/adapter_directory.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "surprisal/error.h"

#include "adapt/adapter.h"
#include "core/content_hash.h"
#include "core/file.h"
#include "core/json.h"
#include "store/adapter_config.h"
#include "store/stored_parameters.h"
#include "store/tensor_files.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "adapter_config.json";
constexpr const char* kTensors = "adapter_model.safetensors";
constexpr const char* kOurs = "surprisal_adapter.json";
// Before the names of a model's tensors: with branches, and with a prefix.
constexpr std::string_view kBases[] = {"base_model.model.", "base_model."};
constexpr const char* kLabels = "labels";

// PEFT wraps a bare body as well, whose names then lack the prefix.
std::string current_adapter_name(const Family& family, std::string_view stored) {
  for (std::string_view base : kBases) {
    if (stored.starts_with(base)) return std::string(base) + current_name(family, stored.substr(base.size()));
  }
  return std::string(stored);
}

ParameterStore adapter_store(const AdapterOptions& options, const ModelConfig& config,
                             const ParameterTable& table) {
  return {.family = find_family(config.family, "model"),
          .config = config,
          .table = table,
          .bindings = adapter_bindings(options, config, table),
          .current = current_adapter_name,
          .has_heads = false};
}

void require_directory(const fs::path& directory) {
  std::error_code ignored;
  if (fs::is_regular_file(directory / kConfig, ignored)) return;
  const bool exists = fs::exists(directory, ignored);
  ErrorParts parts{.what = exists ? "not an adapter directory" : "no such directory",
                   .where = directory.string(),
                   .expected = std::string("a directory with ") + kConfig + " and " + kTensors};
  if (exists && fs::exists(directory / "config.json", ignored)) {
    parts.fix = "it holds a model; give it as the model, without an adapter";
  }
  throw Error(ErrorKind::io, std::move(parts));
}

fs::path require_tensors(const fs::path& directory) {
  std::error_code ignored;
  if (fs::exists(directory / kTensors, ignored)) return directory / kTensors;
  ErrorParts parts{.what = std::string(kTensors) + " is missing", .where = directory.string()};
  if (fs::exists(directory / "adapter_model.bin", ignored)) {
    parts.what += "; adapter_model.bin is a pickle, which can run code and is not read";
    parts.fix = "load it with PEFT and save it again: save_pretrained(\"" + directory.string() + "\")";
  }
  throw Error(ErrorKind::io, std::move(parts));
}

// Of the classifier's rows: by the file of ours beside the adapter, where there is one.
std::vector<std::string> class_names_of(const fs::path& ours, std::int64_t rows) {
  std::vector<std::string> names;
  std::error_code ignored;
  if (fs::exists(ours, ignored)) {
    const Json json = parse_json(read_file(ours), ours.string());
    for (const Json& name : json.value(kLabels, Json::array())) {
      if (name.is_string()) names.push_back(name.get<std::string>());
    }
  }
  if (std::ssize(names) == rows) return names;
  names.clear();
  for (std::int64_t row = 0; row < rows; ++row) names.push_back("LABEL_" + std::to_string(row));
  return names;
}

bool is_trained_beside(const ModelConfig& config, const std::string& parameter) {
  return std::ranges::any_of(config.adaptation.trained,
                             [&](const TrainedRows& rows) { return rows.parameter == parameter; });
}

void check_base(const fs::path& directory, const Transformer& model) {
  const fs::path file = directory / kOurs;
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return;
  const std::string found = base_fingerprint(model);
  const std::string expected =
      get_string_or(parse_json(read_file(file), file.string()), "base", file.string(), "");
  if (expected.empty() || expected == found) return;
  throw Error(ErrorKind::data, {.what = "the adapter was trained on a model with other weights",
                                .where = file.string(),
                                .found = found,
                                .expected = expected,
                                .fix = "use the model that it was trained on; to put it to this one anyway, "
                                       "take \"base\" out of this file"});
}

// Element [row, column] of B of all branches together, for a run of elements.
void fill_b(const FusedBranches& fused, const ParameterTable& table, std::span<const float> values,
            std::int64_t begin, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t element = begin + static_cast<std::int64_t>(i);
    const std::int64_t row = element / fused.rank, column = element % fused.rank;
    std::int64_t first = 0;
    out[i] = 0;
    for (const FusedBranches::Part& part : fused.parts) {
      const std::int64_t own_row = row - part.row_begin, own_column = column - first;
      if (own_row >= 0 && own_row < part.rows && own_column >= 0 && own_column < part.rank) {
        const Parameter& b = table.parameters[static_cast<std::size_t>(part.b)];
        out[i] = values[static_cast<std::size_t>(b.offset + own_row * part.rank + own_column)];
      }
      first += part.rank;
    }
  }
}

void fill_a(const FusedBranches& fused, const ParameterTable& table, std::span<const float> values,
            std::int64_t begin, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::int64_t element = begin + static_cast<std::int64_t>(i);
    for (const FusedBranches::Part& part : fused.parts) {
      const std::int64_t size = part.rank * fused.in;
      if (element < size) {
        const Parameter& a = table.parameters[static_cast<std::size_t>(part.a)];
        out[i] = values[static_cast<std::size_t>(a.offset + element)];
        break;
      }
      element -= size;
    }
  }
}

void add_fused(const AdapterToWrite& adapter, std::vector<TensorToWrite>& tensors) {
  const ParameterTable& table = adapter.table;
  const std::span<const float> values = adapter.values;
  for (const FusedBranches& fused : fused_branches(adapter.options, adapter.config, table)) {
    tensors.push_back({fused.module + ".lora_A.weight",
                       {fused.rank, fused.in},
                       [fused, &table, values](std::int64_t begin, std::span<float> out) {
                         fill_a(fused, table, values, begin, out);
                       }});
    tensors.push_back({fused.module + ".lora_B.weight",
                       {fused.out, fused.rank},
                       [fused, &table, values](std::int64_t begin, std::span<float> out) {
                         fill_b(fused, table, values, begin, out);
                       }});
  }
}

}  // namespace

void fit_classifier(const fs::path& directory, ModelConfig& base) {
  require_directory(directory);
  const fs::path file = directory / kConfig, ours = directory / kOurs;
  const Task task = read_adapter_task(read_file(file), file.string());
  const Family& family = find_family(base.family, "model");
  const ClassifierHead* head = classifier_of(family, task);
  if (!head || base.task == task) return;
  const TensorFiles tensors(require_tensors(directory));
  for (const StoredTensor* tensor : tensors.tensors()) {
    if (!tensor->name.ends_with('.' + head->projection + ".weight") || tensor->shape.size() != 2) continue;
    std::vector<std::string> names = class_names_of(ours, tensor->shape[0]);
    const bool regression = task == Task::sequence_classification && names.size() == 1;
    remove_classifier(base);
    set_classifier(task, std::move(names), regression, base);
    return;
  }
  throw Error(ErrorKind::data, {.what = "the adapter of a classifier has no classifier",
                                .where = directory.string(),
                                .expected = head->projection + ".weight"});
}

std::string base_fingerprint(const Transformer& model) {
  ContentHasher hash;
  const ParameterTable& table = model.table();
  for (std::size_t index = 0; index < table.parameters.size(); ++index) {
    const Parameter& parameter = table.parameters[index];
    const bool base = !parameter.of_adaptation && parameter.gradient_from != GradientFrom::labels &&
                      !is_trained_beside(model.config(), parameter.name);
    if (!base) continue;
    hash.add(parameter.name);
    const Tensor weight = model.weight(static_cast<int>(index));
    hash.add({static_cast<const char*>(weight.data), weight.bytes()});
  }
  return hash.finish().hex();
}

AdapterOptions read_adapter_options(const fs::path& directory, const ModelConfig& base) {
  require_directory(directory);
  const fs::path file = directory / kConfig, ours = directory / kOurs;
  AdapterOptions options = read_adapter_config(read_file(file), base, file.string());
  std::error_code ignored;
  if (fs::exists(ours, ignored)) {
    const Json json = parse_json(read_file(ours), ours.string());
    options.position_offset = get_bool_or(json, "position_offset", ours.string(), true);
  }
  return options;
}

AdapterLoad load_adapter(const fs::path& directory, const AdapterOptions& options, Transformer& model) {
  check_base(directory, model);
  const ParameterStore store = adapter_store(options, model.config(), model.table());
  const TensorFiles files(require_tensors(directory));
  read_parameters(files, store, false, model.weights());
  return {.modules = std::ssize(model.config().adaptation.branches), .tensors = std::ssize(store.bindings)};
}

std::vector<TensorToWrite> adapter_tensors(const AdapterToWrite& adapter) {
  const ParameterStore store = adapter_store(adapter.options, adapter.config, adapter.table);
  std::vector<TensorToWrite> tensors = parameters_to_write(store, adapter.values);
  add_fused(adapter, tensors);
  if (!adapter.prefix.empty()) {
    const std::span<const float> prefix = adapter.prefix;
    tensors.push_back({"prompt_embeddings",
                       {adapter.config.adaptation.prefix.length, adapter.config.prefix_width()},
                       [prefix](std::int64_t begin, std::span<float> out) {
                         std::copy_n(prefix.begin() + begin, out.size(), out.begin());
                       }});
  }
  return tensors;
}

void save_adapter(const fs::path& directory, const AdapterToWrite& adapter, const Tokenizer* tokenizer) {
  ModelConfig base = adapter.config;
  base.adaptation = {};
  write_file(directory / kConfig,
             write_adapter_config(adapter.options, base, adapter.base_name).dump(2) + '\n');
  OrderedJson ours{{"format", 1}};
  if (adapter.options.prefix()) ours["position_offset"] = adapter.options.position_offset;
  if (!adapter.base_fingerprint.empty()) ours["base"] = adapter.base_fingerprint;
  if (!base.class_names.empty()) ours[kLabels] = base.class_names;
  write_file(directory / kOurs, ours.dump(2) + '\n');
  write_safetensors(directory / kTensors, adapter_tensors(adapter));
  if (tokenizer != nullptr) tokenizer->save(directory);
}

}  // namespace surprisal
