// A trained model as a Hugging Face directory holds it: configuration, weights and tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "surprisal/tokenizer.h"

namespace surprisal {

// What the model is; a key as in config.json where it has one.
struct ModelDescription {
  std::string family;  // "bert", "roberta", "gpt2", "glm", "glm-130b", "llama", "qwen2"
  std::int64_t parameters = 0;
  std::int64_t vocab_size = 0, hidden_size = 0, num_hidden_layers = 0, num_attention_heads = 0;
  std::int64_t max_position_embeddings = 0;  // positions that a stream may name
  std::int64_t classes = 0;                  // of the sentence head; 0: none
  bool masked = false;                       // predicts masked tokens; else the next one
};

class LoadedModel;

// Holds the weights, and the working memory of the largest stream so far. Movable, not copyable. Evaluating
// uses that memory: one thread at a time for each model, but several models may be used at once.
class Model {
 public:
  // Throws Error: io where a file is missing; data where one cannot be used, with file, tensor or key;
  // memory.
  // `adapter`: a PEFT adapter's directory (LoRA or prefix tuning) that was trained on this model; empty:
  // none.
  static Model load(const std::filesystem::path& directory, const std::filesystem::path& adapter = {});
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  ModelDescription description() const;
  // Throws Error (io or data) where the directory has no tokenizer that can be used; the rest works without.
  const Tokenizer& tokenizer() const;

  LoadedModel& loaded() { return *loaded_; }  // for the library itself

 private:
  explicit Model(std::unique_ptr<LoadedModel> loaded);
  std::unique_ptr<LoadedModel> loaded_;
};

}  // namespace surprisal
