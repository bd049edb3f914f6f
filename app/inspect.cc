// What a checkpoint, a file of tensors, a tokenizer, an adapter or a run directory holds, and whether it is
// whole.
#include "inspect.h"

#include <memory>

#include <fmt/format.h>

#include "core/json.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  std::string path;
  bool json = false, verify = false, no_tensors = false;
};

void inspect_verb(const Arguments& arguments) {
  const OrderedJson report = inspect_path(arguments.path, arguments.verify);
  if (arguments.json) {
    fmt::print("{}\n", to_line(report));
  } else {
    fmt::print("{}", inspection_text(report, !arguments.no_tensors));
  }
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb =
      app.add_subcommand("inspect", "What a checkpoint, tensors, tokenizer, adapter or run directory holds");
  verb->add_option(
          "PATH", arguments->path,
          "a directory, a .safetensors file, a model.safetensors.index.json or the file of a tokenizer")
      ->required();
  verb->add_flag("--verify", arguments->verify,
                 "read everything: hashes of MANIFEST.json, tensors that fit config.json, finite numbers");
  verb->add_flag("--no-tensors", arguments->no_tensors, "leave the table of tensors out");
  verb->add_flag("--json", arguments->json, "as JSON, every tensor listed");
  verb->callback([arguments] { inspect_verb(*arguments); });
  verb->footer(
      "With --verify, what is not as it should be is an error that names the file, the tensor and the "
      "element.\n"
      "Example: surprisal inspect --verify runs/gpt2/latest");
}

}  // namespace surprisal
