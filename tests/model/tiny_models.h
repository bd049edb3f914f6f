// Configurations of odd sizes, so that no dimension can be mistaken for another.
#pragma once

#include "model/config.h"
#include "model/family.h"

namespace surprisal {

inline ModelOptions tiny_options(const char* family) {
  ModelOptions options;
  options.family = family;
  options.hidden_size = 36;
  options.num_hidden_layers = 2;
  options.num_attention_heads = 3;
  options.intermediate_size = 50;
  options.max_position_embeddings = 17;
  return options;
}
inline ModelConfig tiny_bert() {
  return find_family("bert", "").from_options(tiny_options("bert"), 211, 17);
}
inline ModelConfig tiny_roberta() {
  return find_family("roberta", "").from_options(tiny_options("roberta"), 211, 17);
}
inline ModelConfig tiny_gpt2() {
  return find_family("gpt2", "").from_options(tiny_options("gpt2"), 211, 17);
}
inline ModelConfig tiny_glm() {
  ModelOptions options = tiny_options("glm");
  options.intermediate_size = 0;  // four times the width is the only one
  return find_family("glm", "").from_options(options, 211, 17);
}
inline ModelConfig tiny_glm_130b() {
  return find_family("glm-130b", "").from_options(tiny_options("glm-130b"), 211, 17);
}

// Six heads over two of keys and values.
inline ModelConfig tiny_llama(const char* family = "llama") {
  ModelOptions options = tiny_options(family);
  options.num_attention_heads = 6;
  options.num_key_value_heads = 2;
  return find_family(family, "").from_options(options, 211, 17);
}

}  // namespace surprisal
