// An adapter merged into its checkpoint.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "core/json.h"
#include "infer/merge_adapter.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  AdapterMerge merge;
  std::string model, adapter, out;
  bool json = false;
};

void merge_verb(Arguments& arguments) {
  arguments.merge.model = arguments.model;
  arguments.merge.adapter = arguments.adapter;
  arguments.merge.out = arguments.out;
  const MergedAdapter merged = merge_adapter(arguments.merge);
  if (arguments.json) {
    fmt::print("{}\n", to_line({{"out", arguments.out},
                                {"modules", merged.modules},
                                {"dtype", merged.dtype},
                                {"largest_logit_change", merged.largest_change},
                                {"largest_logit", merged.largest_logit},
                                {"probe_tokens", merged.probe_tokens}}));
    return;
  }
  fmt::print("{}: branches of {} modules merged, written as {}\n", arguments.out, merged.modules,
             merged.dtype);
  fmt::print("largest change of a logit: {:.3g} (the largest is {:.3g}) over {} tokens\n",
             merged.largest_change, merged.largest_logit, merged.probe_tokens);
}

}  // namespace

void add_merge(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("merge", "Merges a LoRA adapter into its model");
  verb->add_option("--model", arguments->model, "the model that the adapter was trained on")->required();
  verb->add_option("--adapter", arguments->adapter, kAdapterHelp)->required();
  verb->add_option("--out", arguments->out, "model directory to write")->required();
  verb->add_option("--text", arguments->merge.probe, "whose logits are compared before and after")
      ->capture_default_str();
  verb->add_flag("--json", arguments->json, "print the result as JSON");
  verb->callback([arguments] { merge_verb(*arguments); });
  verb->footer(
      "The sum is formed in f32 and written in the dtype of the model's files.\n"
      "Example: surprisal merge --model models/gpt2 --adapter runs/lora/best --out models/gpt2-merged");
}

}  // namespace surprisal
