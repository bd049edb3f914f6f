// What surprisal/train.h promises, over the run itself.
#include <utility>

#include "surprisal/train.h"

#include "train/options.h"
#include "train/trainer.h"

namespace surprisal {

TrainConfiguration::TrainConfiguration(std::shared_ptr<const Configuration> configuration)
    : configuration_(std::move(configuration)) {}

TrainConfiguration TrainConfiguration::from_file(const std::string& file,
                                                 const std::vector<Override>& overrides) {
  return TrainConfiguration(std::make_shared<const Configuration>(Configuration::read(file, overrides)));
}

TrainConfiguration TrainConfiguration::from_toml(std::string_view toml, const std::string& where,
                                                 const std::vector<Override>& overrides) {
  return TrainConfiguration(
      std::make_shared<const Configuration>(Configuration::read_text(toml, where, overrides)));
}

const std::string& TrainConfiguration::directory() const {
  return configuration_->run.directory;
}

std::string TrainConfiguration::to_toml() const {
  return configuration_->to_toml();
}

RunSummary train(const TrainConfiguration& configuration, bool resume, TrainObserver& observer,
                 Requests* requests) {
  return train(configuration.configuration(), resume, observer, requests);
}

}  // namespace surprisal
