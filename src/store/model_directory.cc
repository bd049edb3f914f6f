#include "store/model_directory.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/json.h"
#include "model/family.h"
#include "store/safetensors.h"
#include "store/stored_parameters.h"
#include "store/tensor_files.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";
constexpr const char* kObjective =
    "training_objective";  // ours: `transformers` keeps it and makes nothing of it

void require_directory(const fs::path& directory) {
  std::error_code ignored;
  if (fs::is_directory(directory, ignored)) return;
  const bool exists = fs::exists(directory, ignored);
  throw Error(ErrorKind::io,
              {.what = exists ? "not a directory" : "no such directory",
               .where = directory.string(),
               .expected = std::string("a model directory with ") + kConfig + " and " + kWeightsFile});
}

// A line of Python that writes safetensors. Where `transformers` has no class, a file of tensors alone.
std::string conversion(const Family& family, const std::string& directory) {
  if (family.in_transformers) {
    return "transformers." + family.architecture + ".from_pretrained(\"" + directory +
           "\").save_pretrained(\"" + directory + "\")";
  }
  return "import torch, safetensors.torch as s; s.save_file(torch.load(\"" + directory +
         "/pytorch_model.bin\", weights_only=True), \"" + directory + "/" + kWeightsFile + "\")";
}

// Says what to do about the other way in which weights lie around.
fs::path require_weights(const fs::path& directory, const Family& family) {
  if (std::optional<fs::path> weights = find_weights(directory)) return *weights;
  ErrorParts parts{.what = std::string(kWeightsFile) + " is missing", .where = directory.string()};
  std::error_code ignored;
  if (fs::exists(directory / "pytorch_model.bin", ignored)) {
    parts.what += "; pytorch_model.bin is a pickle, which can run code and is not read";
    parts.fix = "convert it, in Python: " + conversion(family, directory.string());
  }
  throw Error(ErrorKind::io, std::move(parts));
}

// Configurations older than the key (BERT's first) say it by their class, or not at all: then the tensors do,
// by what their names begin with.
std::string model_type(const Json& json, const fs::path& directory, const std::string& where) {
  constexpr const char* kKey = "model_type";
  if (!json.is_object() || json.contains(kKey)) return get_string(json, kKey, where);
  const Json classes = json.value("architectures", Json());
  const bool named = classes.is_array() && !classes.empty() && classes.front().is_string();
  const std::string name = named ? classes.front().get<std::string>() : "";
  for (const auto& [begin, family] : {std::pair{"Bert", "bert"}, {"Roberta", "roberta"}, {"GPT2", "gpt2"}}) {
    if (name.starts_with(begin)) return family;
  }
  const std::optional<fs::path> weights = find_weights(directory);
  if (!weights || named) return get_string(json, kKey, where);
  const TensorFiles files(*weights);
  for (const StoredTensor* tensor : files.tensors()) {
    for (const char* family : {"bert", "roberta"}) {
      if (tensor->name.starts_with(std::string(family) + '.')) return family;
    }
  }
  return get_string(json, kKey, where);
}

// Tensors that `transformers` has in the model though nothing reads them: it warns where they are missing.
void add_unread_copies(const ParameterStore& store, std::vector<TensorToWrite>& tensors) {
  for (const SharedTensor& shared : store.family.shared(store.config)) {
    if (shared.equal) continue;
    TensorToWrite copy = *std::ranges::find(tensors, shared.of, &TensorToWrite::name);
    copy.name = shared.copy;
    tensors.push_back(std::move(copy));
  }
}

}  // namespace

ModelConfig read_model_config(const fs::path& directory) {
  require_directory(directory);
  const MappedFile file(directory / kConfig);
  const std::string where = file.path().string();
  const Json json = parse_json(file.text(), where);
  const Family& family = find_family(model_type(json, directory, where), where);
  ModelConfig config = family.read_config(json, where);
  config.training_objective = get_string_or(json, kObjective, where, "");
  if (const std::optional<fs::path> weights = find_weights(directory); weights && config.vocabulary_head()) {
    fit_heads(family, current_names(family, TensorFiles(*weights)), config);
  }
  return config;
}

HeadsOfOthers load_weights(const fs::path& directory, Transformer& model, const LoadOptions& options) {
  require_directory(directory);
  const ParameterStore store = make_parameter_store(model.config(), model.table());
  const TensorFiles files(require_weights(directory, store.family));
  HeadsOfOthers heads = read_parameters(files, store, options.new_heads, model.weights());
  for (const Binding& binding : store.bindings) {
    if (std::ranges::find(heads.missing, binding.stored) != heads.missing.end()) {
      model.initialise(options.seed, binding.parameter);
    }
  }
  return heads;
}

void save_model(const fs::path& directory, const ModelConfig& config, const ParameterTable& table,
                std::span<const float> weights, const Tokenizer* tokenizer, Dtype dtype) {
  require_directory(directory);
  const ParameterStore store = make_parameter_store(config, table);
  OrderedJson json = store.family.write_config(config);
  if (!config.training_objective.empty()) json[kObjective] = config.training_objective;
  json["dtype"] = dtype == Dtype::bf16 ? "bfloat16" : dtype == Dtype::f16 ? "float16" : "float32";
  write_file(directory / kConfig, json.dump(2) + '\n');
  std::vector<TensorToWrite> tensors = parameters_to_write(store, weights, dtype);
  add_unread_copies(store, tensors);
  write_safetensors(directory / kWeightsFile, tensors);
  if (tokenizer != nullptr) tokenizer->save(directory);
}

void save_model(const fs::path& directory, const Transformer& model, const Tokenizer* tokenizer,
                Dtype dtype) {
  save_model(directory, model.config(), model.table(), model.weights(), tokenizer, dtype);
}

}  // namespace surprisal
