// Gathers what a path holds.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"
#include "surprisal/tokenizer.h"

#include "core/file.h"
#include "inspect.h"
#include "model/family.h"
#include "store/finite.h"
#include "store/manifest.h"
#include "store/model_directory.h"
#include "store/safetensors_header.h"
#include "store/stored_parameters.h"
#include "store/tensor_files.h"
#include "text/tokenizer/special_tokens.h"
#include "text/tokenizer/tokenizer_files.h"
#include "train/checkpoint.h"
#include "train/options.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAdapterConfig = "adapter_config.json";
constexpr const char* kAdapterWeights = "adapter_model.safetensors";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

OrderedJson tensor_entries(const TensorFiles& files) {
  OrderedJson entries = OrderedJson::array();
  for (const StoredTensor* tensor : files.tensors()) {
    entries.push_back({{"name", tensor->name},
                       {"dtype", tensor->dtype},
                       {"shape", tensor->shape},
                       {"elements", tensor->elements()}});
  }
  return entries;
}

OrderedJson describe_tensors(const TensorFiles& files) {
  OrderedJson names = OrderedJson::array(), metadata = OrderedJson::object(), dtypes = OrderedJson::object();
  std::uint64_t bytes = 0;
  for (const SafetensorsFile& file : files.files()) {
    names.push_back(file.path().filename().string());
    bytes += fs::file_size(file.path());
    for (const auto& [key, value] : file.metadata()) metadata[key] = value;
  }
  double elements = 0;  // a hostile header's sum may pass 2^63
  for (const StoredTensor* tensor : files.tensors()) {
    elements += static_cast<double>(tensor->elements());
    dtypes[tensor->dtype] = dtypes.value(tensor->dtype, 0) + 1;
  }
  return {
      {"files", names},   {"bytes", bytes},       {"count", files.tensors().size()}, {"elements", elements},
      {"dtypes", dtypes}, {"metadata", metadata}, {"tensors", tensor_entries(files)}};
}

void require_finite(const TensorFiles& files) {
  for (const SafetensorsFile& file : files.files()) {
    for (const StoredTensor& tensor : file.tensors()) {
      const std::optional<NonfiniteElement> found = first_nonfinite(tensor);
      if (!found) continue;
      throw Error(ErrorKind::data, {.what = fmt::format("tensor {} is not finite", quoted_name(tensor.name)),
                                    .where = file.path().string(),
                                    .found = fmt::format("{} at {}", found->value, shape_text(found->index)),
                                    .expected = "numbers"});
    }
  }
}

OrderedJson describe_tokenizer(const fs::path& path) {
  const Tokenizer tokenizer = Tokenizer::load(path);
  OrderedJson tokens = OrderedJson::object();
  for (const auto& [role, id] : roles_of(tokenizer.special())) {
    tokens[role] = {{"id", id}, {"token", tokenizer.token(id)}};
  }
  const Json json = parse_json(tokenizer.tokenizer_json(), path.string());
  const Json model = json.value("model", Json::object());
  return {{"type", model.value("type", "")},
          {"vocabulary", tokenizer.vocabulary_size()},
          {"special", tokens},
          {"fingerprint", tokenizer.fingerprint()}};
}

OrderedJson describe_model(const ModelConfig& config) {
  return {{"family", config.family},
          {"parameters", make_parameter_table(config).count},
          {"positions", config.max_position_embeddings},
          {"config", find_family(config.family, "model").write_config(config)}};
}

// The whole of a checkpoint: its files, its tensors under its configuration, and their numbers.
OrderedJson verify_checkpoint(const fs::path& directory) {
  OrderedJson verified = OrderedJson::object();
  const bool checkpoint = is_there(directory / "state" / "state.json");
  if (checkpoint || is_there(directory / kManifestFile)) {
    verify_manifest(directory);
    verified["manifest"] = read_manifest(directory).size();
  }
  const fs::path adapter = directory / kAdapterWeights;
  if (is_there(directory / kAdapterConfig)) {
    const TensorFiles files(adapter);  // an adapter without tensors is none
    require_finite(files);
    verified["tensors"] = files.tensors().size();
  }
  const std::optional<fs::path> weights = find_weights(directory);
  if (weights) {
    const TensorFiles files(*weights);
    const ModelConfig config = read_model_config(directory);
    const ParameterTable table = make_parameter_table(config);
    const HeadsOfOthers heads = check_parameters(files, make_parameter_store(config, table));
    require_finite(files);
    verified["tensors"] = files.tensors().size();
    if (!heads.missing.empty()) verified["missing_heads"] = heads.missing;
    if (!heads.left_out.empty()) verified["heads_of_other_tasks"] = heads.left_out;
  }
  const fs::path optimizer = directory / "state" / "optimizer.safetensors";
  if (is_there(optimizer)) {
    const TensorFiles files(optimizer);
    require_finite(files);
    verified["optimizer_tensors"] = files.tensors().size();
  }
  return verified;
}

// A model of a family that is not known still has tensors to show; what is wrong with it is said.
OrderedJson inspect_checkpoint(const fs::path& directory, bool verify) {
  OrderedJson report{{"kind", "checkpoint"}, {"path", directory.string()}};
  try {
    report["model"] = describe_model(read_model_config(directory));
  } catch (const Error& error) {
    if (verify) throw;
    report["problem"] = error.what();
  }
  if (const std::optional<fs::path> weights = find_weights(directory)) {
    report["tensors"] = describe_tensors(TensorFiles(*weights));
  }
  if (holds_tokenizer(directory)) report["tokenizer"] = describe_tokenizer(directory);
  if (is_there(directory / "state" / "state.json")) {
    const RunState state = read_run_state(directory);
    report["state"] = {{"step", state.step}, {"tokens", state.tokens}};
  }
  if (verify) report["verified"] = verify_checkpoint(directory);
  return report;
}

OrderedJson inspect_tensors(const fs::path& path, bool verify) {
  const TensorFiles files(path);
  OrderedJson report{{"kind", "tensors"}, {"path", path.string()}, {"tensors", describe_tensors(files)}};
  if (!verify) return report;
  require_finite(files);
  report["verified"] = {{"tensors", files.tensors().size()}};
  return report;
}

OrderedJson inspect_tokenizer(const fs::path& path) {
  return {{"kind", "tokenizer"}, {"path", path.string()}, {"tokenizer", describe_tokenizer(path)}};
}

// By what it holds, whatever its name is: tokenizers keep their model there.
bool is_tokenizer_json(const fs::path& file) {
  const Json json = parse_json(read_file(file), file.string());
  const auto model = json.is_object() ? json.find("model") : json.end();
  return json.is_object() && model != json.end() && model->is_object() && model->contains("type");
}

OrderedJson inspect_adapter(const fs::path& directory, bool verify) {
  const fs::path file = directory / kAdapterConfig;
  const Json config = parse_json(read_file(file), file.string());
  OrderedJson report{{"kind", "adapter"}, {"path", directory.string()}};
  for (const char* key : {"peft_type", "task_type", "base_model_name_or_path", "r", "lora_alpha",
                          "lora_dropout", "target_modules", "num_virtual_tokens"}) {
    if (config.is_object() && config.contains(key)) report["adapter"][key] = config[key];
  }
  if (is_there(directory / kAdapterWeights)) {
    report["tensors"] = describe_tensors(TensorFiles(directory / kAdapterWeights));
  }
  if (is_there(directory / "state" / "state.json")) {
    const RunState state = read_run_state(directory);
    report["state"] = {{"step", state.step}, {"tokens", state.tokens}};
  }
  if (verify) report["verified"] = verify_checkpoint(directory);
  return report;
}

// The last line of metrics.jsonl with this key, from the end.
OrderedJson last_line_with(std::string_view text, const char* key, const std::string& where) {
  while (!text.empty()) {
    if (text.back() == '\n') text.remove_suffix(1);
    const std::size_t begin = text.rfind('\n') + 1;  // 0 where there is none
    const std::string_view line = text.substr(begin);
    if (line.find(fmt::format("\"{}\"", key)) != std::string_view::npos) {
      return OrderedJson::parse(parse_json(line, where).dump());
    }
    text = text.substr(0, begin);
  }
  return nullptr;
}

std::vector<std::string> checkpoints_of(const fs::path& run) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(run)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && entry.is_directory()) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void add_links(const fs::path& run, OrderedJson& report) {
  for (const char* name : {"latest", "best"}) {
    std::error_code missing;
    const fs::path target = fs::read_symlink(run / name, missing);
    if (!missing) report[name] = target.string();
  }
}

OrderedJson inspect_run(const fs::path& run, bool verify) {
  OrderedJson report{{"kind", "run"}, {"path", run.string()}};
  if (is_there(run / "config.toml")) {
    try {
      report["objective"] = Configuration::read((run / "config.toml").string(), {}).objective.train;
    } catch (const Error& error) {  // of another version: the rest is worth showing
      report["problem"] = error.what();
    }
  }
  const std::vector<std::string> checkpoints = checkpoints_of(run);
  report["checkpoints"] = checkpoints;
  add_links(run, report);
  const fs::path metrics = run / "metrics.jsonl";
  if (is_there(metrics)) {
    const MappedFile file(metrics);
    report["last_step"] = last_line_with(file.text(), "loss", metrics.string());
    report["last_evaluation"] = last_line_with(file.text(), "eval_loss", metrics.string());
  }
  report["finished"] = is_there(run / "summary.json");
  if (!checkpoints.empty()) {
    const std::string newest = report.value("latest", checkpoints.back());
    if (is_there(run / newest / kAdapterConfig)) {
      report["newest"] = inspect_adapter(run / newest, false);
    } else if (is_there(run / newest)) {
      report["newest"] = inspect_checkpoint(run / newest, false);
    }
  }
  if (!verify) return report;
  for (const std::string& name : checkpoints) report["verified"][name] = verify_checkpoint(run / name);
  return report;
}

OrderedJson inspect_directory(const fs::path& path, bool verify) {
  if (is_there(path / kAdapterConfig)) return inspect_adapter(path, verify);
  if (is_there(path / "config.toml") || !checkpoints_of(path).empty()) return inspect_run(path, verify);
  if (is_there(path / "config.json")) return inspect_checkpoint(path, verify);
  if (const std::optional<fs::path> weights = find_weights(path)) return inspect_tensors(*weights, verify);
  if (holds_tokenizer(path)) return inspect_tokenizer(path);
  throw Error(ErrorKind::data, {.what = "nothing here is known",
                                .where = path.string(),
                                .expected = "a model directory, an adapter, a tokenizer or a run directory"});
}

}  // namespace

OrderedJson inspect_path(const fs::path& path, bool verify) {
  std::error_code ignored;
  if (!is_there(path))
    throw Error(ErrorKind::io, {.what = "no such file or directory", .where = path.string()});
  if (fs::is_directory(path, ignored)) return inspect_directory(path, verify);
  const std::string name = path.filename().string();
  if (name.ends_with(".safetensors") || name.ends_with(".index.json")) return inspect_tensors(path, verify);
  if (holds_tokenizer(path) || (name.ends_with(".json") && is_tokenizer_json(path)))
    return inspect_tokenizer(path);
  throw Error(
      ErrorKind::data,
      {.what = "a file of no known kind",
       .where = path.string(),
       .expected = "a name ending in .safetensors or .index.json, a file of a tokenizer (a tokenizer.json "
                   "by any name, vocab.txt, vocab.json, merges.txt or .model), or a directory"});
}

}  // namespace surprisal
