// Models that were published in no layout of Hugging Face's.
#include <memory>

#include <fmt/format.h>

#include "console.h"
#include "core/json.h"
#include "store/import_glm_130b.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  std::vector<std::string> shards;
  std::string out;
  Glm130bImport import;
  bool json = false;
};

OrderedJson json_of(const Glm130bImported& imported, const std::string& out) {
  return {{"out", out},
          {"family", imported.config.family},
          {"parallel_size", imported.parallel_size},
          {"parameters", imported.parameters},
          {"tensors", imported.tensors},
          {"bytes", imported.bytes},
          {"files", imported.files}};
}

void import_verb(Arguments& arguments) {
  arguments.import.shards.assign(arguments.shards.begin(), arguments.shards.end());
  LiveLine live;
  arguments.import.progress = [&](std::uint64_t done, std::uint64_t total) {
    live.show(fmt::format("merging: {} of {}", human_bytes(static_cast<double>(done)),
                          human_bytes(static_cast<double>(total))));
  };
  const Glm130bImported imported = import_glm_130b(arguments.import, arguments.out);
  live.clear();
  if (arguments.json) {
    fmt::print("{}\n", to_line(json_of(imported, arguments.out)));
    return;
  }
  fmt::print("{}: {} parameters in {} tensors from {} shards, {} in {} file{}\n", arguments.out,
             imported.parameters, imported.tensors, imported.parallel_size,
             human_bytes(static_cast<double>(imported.bytes)), imported.files.size(),
             imported.files.size() == 1 ? "" : "s");
}

void add_glm_130b(CLI::App& verb) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* import = verb.add_subcommand("glm-130b", "Merge the tensor-parallel shards of GLM-130B");
  import
      ->add_option("SHARD", arguments->shards,
                   "safetensors files; in order of the ranks in their names (mp_rank_00_...), else as given")
      ->required();
  import->add_option("--out", arguments->out, "model directory to write")->required();
  import
      ->add_option("--num-attention-heads", arguments->import.num_attention_heads,
                   "96 for the released model; needed where the shards have no rotary_emb.inv_freq")
      ->check(CLI::Range(std::int64_t{1}, ModelLimits::hidden_size));
  import
      ->add_option("--max-sequence-length", arguments->import.max_sequence_length,
                   "positions that the model was trained on")
      ->check(CLI::Range(std::int64_t{1}, ModelLimits::positions))
      ->capture_default_str();
  import->add_option("--shard-size", arguments->import.shard_bytes, "most bytes of a file, such as 5GB")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  import->add_flag("--json", arguments->json, "print the result as JSON");
  import->callback([arguments] { import_verb(*arguments);
});
import->footer(
    "No pickle is read. Elsewhere, in Python, a line a rank converts the release:\n"
    "  import torch, safetensors.torch as s\n"
    "  s.save_file(torch.load(\"mp_rank_00_model_states.pt\", weights_only=True)[\"module\"],\n"
    "              \"mp_rank_00_model_states.safetensors\")\n"
    "Example: surprisal import glm-130b shards/mp_rank_*.safetensors --out models/glm-130b");
}  // namespace

}  // namespace surprisal

void add_import(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("import", "Turn models of other layouts into model directories");
  verb->require_subcommand(1);
  add_glm_130b(*verb);
  verb->footer("Example: surprisal import glm-130b shards/mp_rank_*.safetensors --out models/glm-130b");
}

}  // namespace surprisal
