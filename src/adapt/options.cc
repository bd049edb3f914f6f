#include "adapt/options.h"

#include <algorithm>

namespace surprisal {
namespace {

constexpr std::int64_t kMost = 1 << 16;

}  // namespace

void AdapterOptions::visit(OptionVisitor& visitor) {
  visitor.field("type", type, {"none", "lora", "prefix"},
                "what is trained in place of the weights of model.path");
  visitor.field("path", path, {}, "go on from this adapter, a directory; every other key is then its own",
                {.path = true});
  visit_lora(visitor);
  visit_prefix(visitor);
  visit_modules_to_save(visitor);
}

void AdapterOptions::visit_given(OptionVisitor& visitor) {
  visitor.field("type", type, {}, "");
  if (lora()) visit_lora(visitor);
  if (prefix()) visit_prefix(visitor);
  if (any()) visit_modules_to_save(visitor);
}

bool AdapterOptions::has_meaning(std::string_view key) const {
  AdapterOptions copy = *this;
  const std::vector<FieldHelp> fields =
      describe_options([&](OptionVisitor& visitor) { copy.visit_given(visitor); });
  return std::ranges::find(fields, key, &FieldHelp::key) != fields.end();
}

void AdapterOptions::visit_lora(OptionVisitor& visitor) {
  visitor.field("r", r, {1, kMost}, "lora: rank of the branches");
  visitor.field("lora_alpha", lora_alpha, {0, 1e9, true}, "lora: a branch is scaled by lora_alpha / r");
  visitor.field("lora_dropout", lora_dropout, {0, 1, false, true}, "lora: of what a branch reads");
  visitor.field("use_rslora", use_rslora, "lora: scale by lora_alpha / sqrt(r)");
  visitor.field("use_dora", use_dora, "lora: train a magnitude for every output of an adapted module (DoRA)");
  visitor.field(
      "target_modules", target_modules,
      "lora: names of modules, parts of a fused one (c_attn.query), or all-linear; none: those that "
      "PEFT takes for the family");
  visitor.field("target_pattern", target_pattern, {},
                "lora: instead, a regular expression that the whole path of a module matches");
  visitor.field("exclude_modules", exclude_modules, "lora: names of modules that are left out of these");
  visitor.field("rank_pattern", rank_pattern,
                "lora: \"PATTERN = R\", ranks of the modules whose path ends in a match");
  visitor.field("alpha_pattern", alpha_pattern, "lora: \"PATTERN = ALPHA\", likewise");
  visitor.field("bias", bias, {"none", "all", "lora_only"}, "lora: biases that are trained, too");
  visitor.field("init_lora_weights", init_lora_weights, {"uniform", "gaussian"},
                "lora: of A: uniform in +-1 / sqrt(inputs), or normal with deviation 1 / r");
}

void AdapterOptions::visit_prefix(OptionVisitor& visitor) {
  visitor.field("num_virtual_tokens", num_virtual_tokens, {1, kMost}, "prefix: its length");
  visitor.field("prefix_projection", prefix_projection,
                "prefix: reparametrised by an MLP while it is trained; the file holds what comes out");
  visitor.field("encoder_hidden_size", encoder_hidden_size, {0, std::int64_t{1} << 20},
                "prefix: hidden width of that MLP; 0: the width of the keys");
  visitor.field("init_weights", init_weights, {"normal", "zero"}, "prefix: how the direct form starts");
  visitor.field("init_text", init_text, {},
                "prefix: start the direct form from the model's keys and values of this text");
  visitor.field("prefix_dropout", prefix_dropout, {0, 1, false, true},
                "prefix: of its keys and values, one mask a micro-batch (P-tuning v2)");
  visitor.field(
      "position_offset", position_offset,
      "prefix: rows count their positions from its length, as PEFT has it; off: from 0, as ChatGLM");
}

void AdapterOptions::visit_modules_to_save(OptionVisitor& visitor) {
  visitor.field("modules_to_save", modules_to_save, "names of modules that are trained whole, too");
}

}  // namespace surprisal
