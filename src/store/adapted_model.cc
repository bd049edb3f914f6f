#include "store/adapted_model.h"

#include <utility>

#include "adapt/adapter.h"
#include "store/model_directory.h"

namespace surprisal {

AdaptedModel::AdaptedModel(std::filesystem::path model, std::filesystem::path adapter)
    : model_(std::move(model)), adapter_(std::move(adapter)), config_(read_model_config(model_)) {
  if (adapter_.empty()) return;
  const Task task = config_.task;
  fit_classifier(adapter_, config_);
  new_heads_ = config_.task != task;
  options_ = read_adapter_options(adapter_, config_);
  config_.adaptation = make_adaptation(options_, config_, adapter_.string(), ErrorKind::data);
}

AdapterLoad AdaptedModel::load(Transformer& model) const {
  load_weights(model_, model, {.new_heads = new_heads_});
  return adapter_.empty() ? AdapterLoad() : load_adapter(adapter_, options_, model);
}

std::vector<TensorToWrite> AdaptedModel::gradients(Transformer& model) const {
  if (adapter_.empty()) {
    return parameters_to_write(make_parameter_store(model.config(), model.table()), model.gradients());
  }
  return adapter_tensors({.options = options_,
                          .config = model.config(),
                          .table = model.trained().table,
                          .values = model.gradients()});
}

}  // namespace surprisal
