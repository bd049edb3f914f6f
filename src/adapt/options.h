// [adapter]: what is put beside a checkpoint and trained in its place. The names are PEFT's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace surprisal {

struct AdapterOptions {
  std::string type = "none";  // none, lora, prefix
  std::string path{};         // start from this adapter; every other key is then refused

  // type = "lora"
  std::int64_t r = 8;
  double lora_alpha = 8;
  double lora_dropout = 0;
  bool use_rslora = false;                     // scaled by lora_alpha / sqrt(r), not lora_alpha / r
  bool use_dora = false;                       // a magnitude for every output
  std::vector<std::string> target_modules{};   // names, or all-linear; empty: the family's
  std::string target_pattern{};                // instead: a regular expression for the whole path
  std::vector<std::string> exclude_modules{};  // names
  std::vector<std::int64_t> layers{};          // of those of layers, these alone; empty: all. From files only
  std::vector<std::string> rank_pattern{};     // "PATTERN = r" of modules with an r of their own
  std::vector<std::string> alpha_pattern{};    // likewise lora_alpha
  std::string bias = "none";                   // none, all, lora_only: which biases are trained, too
  std::vector<std::string> modules_to_save{};  // names of modules that are trained whole, too
  std::string init_lora_weights = "uniform";   // of A: uniform, gaussian

  // type = "prefix"
  std::int64_t num_virtual_tokens = 10;
  bool prefix_projection = false;        // reparametrised by an MLP while it is trained
  std::int64_t encoder_hidden_size = 0;  // of that MLP; 0: the width of the keys
  std::string init_weights = "normal";   // of the direct form: normal, zero
  std::string init_text{};               // or the activations of this text
  double prefix_dropout = 0;             // of its keys and values
  bool position_offset = true;           // rows count their positions from num_virtual_tokens

  bool lora() const { return type == "lora"; }
  bool prefix() const { return type == "prefix"; }
  bool any() const { return lora() || prefix(); }
  void visit(OptionVisitor& visitor);
  // The keys that have a meaning for the type alone, so that what is written can be read.
  void visit_given(OptionVisitor& visitor);
  bool has_meaning(std::string_view key) const;

 private:
  void visit_lora(OptionVisitor& visitor);
  void visit_prefix(OptionVisitor& visitor);
  void visit_modules_to_save(OptionVisitor& visitor);
};

}  // namespace surprisal
