#include "store/model_directory.h"

#include <span>
#include <string>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/json.h"
#include "model/family.h"
#include "store/safetensors.h"
#include "store/stored_parameters.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";
constexpr const char* kWeights = "model.safetensors";

void require_directory(const fs::path& directory) {
  std::error_code ignored;
  if (fs::is_directory(directory, ignored)) return;
  const bool exists = fs::exists(directory, ignored);
  throw Error(ErrorKind::io,
              {.what = exists ? "not a directory" : "no such directory",
               .where = directory.string(),
               .expected = std::string("a model directory with ") + kConfig + " and " + kWeights});
}

// Says what to do about the other ways in which weights lie around.
void require_weights(const fs::path& directory, const Family& family) {
  std::error_code ignored;
  if (fs::exists(directory / kWeights, ignored)) return;
  const std::string call = "in Python: transformers." + family.architecture + ".from_pretrained(\"" +
                           directory.string() + "\").save_pretrained(\"" + directory.string() + "\"";
  ErrorParts parts{.what = std::string(kWeights) + " is missing", .where = directory.string()};
  if (fs::exists(directory / "model.safetensors.index.json", ignored)) {
    parts.what += "; a checkpoint in several files is not read";
    parts.fix = "join it, " + call + ", max_shard_size=\"1TB\")";
  } else if (fs::exists(directory / "pytorch_model.bin", ignored)) {
    parts.what += "; pytorch_model.bin is a pickle, which can run code and is not read";
    parts.fix = "convert it, " + call + ")";
  }
  throw Error(ErrorKind::io, std::move(parts));
}

void write_file(const fs::path& path, std::string_view content) {
  FileWriter file(path);
  file.write(content);
  file.commit();
}

// Gradients of one model lie end to end, as its weights do.
std::span<const float> flat_gradients(const Transformer& model) {
  const Tensor first = model.gradient(0);
  return {first.f32(), static_cast<std::size_t>(model.table().size)};
}

}  // namespace

ModelConfig read_model_config(const fs::path& directory) {
  require_directory(directory);
  const MappedFile file(directory / kConfig);
  const std::string where = file.path().string();
  const Json config = parse_json(file.text(), where);
  return find_family(get_string(config, "model_type", where), where).read_config(config, where);
}

void load_weights(const fs::path& directory, Transformer& model) {
  require_directory(directory);
  const ParameterStore store = make_parameter_store(model.config(), model.table());
  require_weights(directory, store.family);
  read_parameters(SafetensorsFile(directory / kWeights), store, model.weights());
}

void save_model(const fs::path& directory, const ModelConfig& config, const ParameterTable& table,
                std::span<const float> weights, const Tokenizer* tokenizer) {
  require_directory(directory);
  const ParameterStore store = make_parameter_store(config, table);
  write_file(directory / kConfig, store.family.write_config(config).dump(2) + '\n');
  write_safetensors(directory / kWeights, parameters_to_write(store, weights));
  if (tokenizer != nullptr) tokenizer->save(directory);
}

void save_model(const fs::path& directory, const Transformer& model, const Tokenizer* tokenizer) {
  save_model(directory, model.config(), model.table(), model.weights(), tokenizer);
}

void save_gradients(const fs::path& file, const Transformer& model) {
  const ParameterStore store = make_parameter_store(model.config(), model.table());
  write_safetensors(file, parameters_to_write(store, flat_gradients(model)));
}

}  // namespace surprisal
