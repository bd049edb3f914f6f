#include "model/families/classifier.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "surprisal/error.h"

namespace surprisal {
namespace {

constexpr const char *kRegression = "regression", *kSingleLabel = "single_label_classification";
constexpr std::int64_t kMostClasses = 1 << 16;

std::optional<Task> task_of(ConfigReader& reader, const Family& family) {
  for (Task task : {Task::sequence_classification, Task::token_classification}) {
    const ClassifierHead* head = classifier_of(family, task);
    if (head && reader.has_architecture(head->architecture.c_str())) return task;
  }
  return std::nullopt;
}

// {"0": "negative", "1": "positive"}; without it, as many names as num_labels says, or `transformers`' two.
std::vector<std::string> read_names(ConfigReader& reader) {
  const Json* names = reader.object("id2label");
  std::vector<std::string> result;
  if (!names) {
    const std::int64_t count = reader.size_or("num_labels", kMostClasses, 2);
    for (std::int64_t index = 0; index < count; ++index) result.push_back("LABEL_" + std::to_string(index));
    return result;
  }
  const auto fail = [&](const std::string& found) {
    throw Error(ErrorKind::data, {.what = "id2label names no classes",
                                  .where = reader.where(),
                                  .found = found,
                                  .expected = "a name for every number from 0"});
  };
  for (std::size_t index = 0; index < names->size(); ++index) {
    const auto name = names->find(std::to_string(index));
    if (name == names->end()) fail("no name for " + std::to_string(index));
    if (!name->is_string()) fail(name->type_name());
    result.push_back(name->get<std::string>());
  }
  return result;
}

bool is_regression(ConfigReader& reader, Task task, std::size_t classes) {
  const std::string problem = reader.text_or("problem_type", "");
  const bool one = classes == 1 && task == Task::sequence_classification;
  const bool known = problem.empty() || (problem == kRegression ? one : problem == kSingleLabel);
  if (!known) {
    throw Error(ErrorKind::data, {.what = "problem_type is not supported with " + std::to_string(classes) +
                                          (classes == 1 ? " label" : " labels"),
                                  .where = reader.where(),
                                  .found = problem,
                                  .expected = std::string(kSingleLabel) + (one ? " or regression" : "")});
  }
  return one && problem != kSingleLabel;
}

}  // namespace

void read_classifier(ConfigReader& reader, const Family& family, ModelConfig& config) {
  if (reader.has("classifier_dropout")) {
    config.classifier_dropout = reader.number_or("classifier_dropout", 0, 1, 0);
  }
  reader.pass_over({"classifier_dropout"});
  const std::optional<Task> task = task_of(reader, family);
  if (!task) return;
  std::vector<std::string> names = read_names(reader);
  const bool regression = is_regression(reader, *task, names.size());
  set_classifier(*task, std::move(names), regression, config);
}

void write_classifier(const Family& family, const ModelConfig& config, OrderedJson& json) {
  if (config.classifier_dropout) json["classifier_dropout"] = *config.classifier_dropout;
  const ClassifierHead* head = classifier_of(family, config.task);
  if (!head) return;
  json["architectures"] = OrderedJson::array({head->architecture});
  OrderedJson names = OrderedJson::object(), numbers = OrderedJson::object();
  for (std::size_t index = 0; index < config.class_names.size(); ++index) {
    names[std::to_string(index)] = config.class_names[index];
    numbers[config.class_names[index]] = index;
  }
  json["id2label"] = std::move(names);
  json["label2id"] = std::move(numbers);
  if (config.task == Task::sequence_classification) {
    json["problem_type"] = config.regression ? kRegression : kSingleLabel;
  }
}

void bind_classifier(BindingList& list, const Family& family, const ModelConfig& config) {
  const ClassifierHead* head = classifier_of(family, config.task);
  if (!head) return;
  if (!head->pooler.empty()) list.add_pair(head->pooler, "pooler");
  list.add(head->projection + ".weight", "sentence_head.weight");
  if (head->bias) list.add(head->projection + ".bias", "sentence_head.bias");
}

}  // namespace surprisal
