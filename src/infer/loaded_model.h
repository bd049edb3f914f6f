// A model directory in memory, with working memory that grows with what is asked of it.
#pragma once

#include <exception>
#include <filesystem>
#include <memory>
#include <optional>

#include "surprisal/tokenizer.h"

#include "model/transformer.h"
#include "store/adapted_model.h"

namespace surprisal {

class LoadedModel {
 public:
  // `adapter`: empty for none.
  explicit LoadedModel(const std::filesystem::path& directory, const std::filesystem::path& adapter = {});

  const std::filesystem::path& directory() const { return source_.directory(); }
  const AdaptedModel& source() const { return source_; }
  const ModelConfig& config() const { return source_.config(); }
  const Tokenizer& tokenizer() const;
  const Transformer& transformer() const { return *transformer_; }

  // The model with room for `capacity` at least. Where it has to be laid out anew, the weights are copied.
  Transformer& prepare(Mode mode, Capacity capacity);

 private:
  AdaptedModel source_;
  std::optional<Tokenizer> tokenizer_;
  std::exception_ptr no_tokenizer_;
  Mode mode_ = Mode::evaluate;
  Capacity capacity_{1, 1, 1};
  std::unique_ptr<Transformer> transformer_;
};

}  // namespace surprisal
