#include "infer/loaded_model.h"

#include <algorithm>

#include "surprisal/error.h"
#include "surprisal/model.h"

namespace surprisal {

LoadedModel::LoadedModel(const std::filesystem::path& directory, const std::filesystem::path& adapter)
    : source_(directory, adapter),
      transformer_(std::make_unique<Transformer>(source_.config(), mode_, capacity_)) {
  source_.load(*transformer_);
  try {
    tokenizer_ = Tokenizer::load(directory);
  } catch (const Error&) {
    no_tokenizer_ = std::current_exception();  // streams need none
  }
}

const Tokenizer& LoadedModel::tokenizer() const {
  if (!tokenizer_) std::rethrow_exception(no_tokenizer_);
  return *tokenizer_;
}

Transformer& LoadedModel::prepare(Mode mode, Capacity capacity) {
  const Mode needed = mode_ == Mode::train ? Mode::train : mode;
  const Capacity room{std::max(capacity_.tokens, capacity.tokens),
                      std::max(capacity_.targets, capacity.targets),
                      std::max(capacity_.labels, capacity.labels)};
  const bool fits = needed == mode_ && room.tokens == capacity_.tokens && room.targets == capacity_.targets &&
                    room.labels == capacity_.labels;
  if (fits) return *transformer_;
  auto larger = std::make_unique<Transformer>(config(), needed, room);
  std::ranges::copy(std::as_const(*transformer_).weights(), larger->weights().begin());
  transformer_ = std::move(larger);
  mode_ = needed;
  capacity_ = room;
  return *transformer_;
}

Model::Model(std::unique_ptr<LoadedModel> loaded) : loaded_(std::move(loaded)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Model Model::load(const std::filesystem::path& directory, const std::filesystem::path& adapter) {
  return Model(std::make_unique<LoadedModel>(directory, adapter));
}

ModelDescription Model::description() const {
  const ModelConfig& config = loaded_->config();
  return {.family = config.family,
          .parameters = loaded_->transformer().table().count,
          .vocab_size = config.vocab_size,
          .hidden_size = config.hidden_size,
          .num_hidden_layers = config.num_hidden_layers,
          .num_attention_heads = config.num_attention_heads,
          .max_position_embeddings = config.max_position_embeddings,
          .classes = config.classes,
          .masked = config.head_transform};
}

const Tokenizer& Model::tokenizer() const {
  return loaded_->tokenizer();
}

}  // namespace surprisal
