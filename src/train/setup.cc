#include "train/setup.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "surprisal/error.h"

#include "adapt/adapter.h"
#include "model/family.h"
#include "objective/records.h"
#include "store/adapter_directory.h"
#include "store/model_directory.h"

namespace surprisal {
namespace {

// `positions`: that the objective's samples need.
ModelConfig model_config(const Configuration& configuration, const Tokenizer& tokenizer,
                         std::int64_t positions) {
  const ModelOptions& options = configuration.model;
  ModelConfig config;
  if (options.path.empty()) {
    const Family& family = find_family(options.family, "model.family", ErrorKind::usage);
    const SpecialTokens& special = tokenizer.special();
    config = family.from_options(options,
                                 {tokenizer.vocabulary_size(), special.bos.value_or(-1),
                                  special.eos.value_or(-1), special.pad.value_or(-1)},
                                 std::max(positions, configuration.data.sequence_length));
    check_config(config, ErrorKind::usage, "[model]");
  } else {
    config = read_model_config(options.path);
  }
  return config;
}

// The positions that an objective's samples may have, and the model's tables.
void check_positions(const ModelConfig& config, const Mixture& mixture) {
  const SampleExtent extent = mixture.extent();
  if (extent.positions > config.stream_positions()) {
    throw Error(
        ErrorKind::usage,
        {.what = fmt::format("objective \"{}\" counts positions beyond the model's", mixture.specification()),
         .found =
             fmt::format("{}, with data.sequence_length = {}", extent.positions, mixture.sequence_length()),
         .expected = fmt::format("at most {}", config.stream_positions()),
         .fix = "lower data.sequence_length"});
  }
  if (extent.block_positions > std::max<std::int64_t>(config.block_positions, 1)) {
    throw Error(ErrorKind::usage,
                {.what = fmt::format("objective \"{}\" counts block positions beyond the model's",
                                     mixture.specification()),
                 .where = fmt::format("family {}", config.family),
                 .found = fmt::format("{}", extent.block_positions),
                 .expected = config.block_positions == 0 ? std::string("none")
                                                         : fmt::format("at most {}", config.block_positions),
                 .fix = config.block_positions == 0
                            ? "set objective.blank_infilling.preset = \"glm-130b\", or its position = "
                              "\"repeat\"; or use a model of family glm"
                            : "lower data.sequence_length or objective.blank_infilling.max_span"});
  }
}

Task task_of(const Mixture& mixture) {
  switch (mixture.classifier()) {
    case Classifier::text:
    case Classifier::number:
      return Task::sequence_classification;
    case Classifier::word:
      return Task::token_classification;
    case Classifier::none:
      break;
  }
  return Task::language_model;
}

const char* name_of(Task task) {
  return task == Task::language_model            ? "a language model"
         : task == Task::sequence_classification ? "a classifier of sequences"
                                                 : "a classifier of tokens";
}

// What model, tokenizer and objective must agree on, before anything is allocated.
void check_fit(const Configuration& configuration, const ModelConfig& config, const Tokenizer& tokenizer,
               const Mixture& mixture) {
  if (config.vocab_size < tokenizer.vocabulary_size()) {
    throw Error(ErrorKind::usage, {.what = "the tokenizer has more tokens than the model has embeddings",
                                   .where = configuration.tokenizer.path,
                                   .found = fmt::format("{} tokens", tokenizer.vocabulary_size()),
                                   .expected = fmt::format("at most {}", config.vocab_size),
                                   .fix = "use the tokenizer that the model was trained with"});
  }
  if (configuration.data.sequence_length > config.stream_positions()) {
    throw Error(ErrorKind::usage, {.what = "data.sequence_length is beyond the model's positions",
                                   .found = fmt::format("{}", configuration.data.sequence_length),
                                   .expected = fmt::format("at most {}", config.stream_positions())});
  }
  const bool regression = mixture.classifier() == Classifier::number;
  if (task_of(mixture) != config.task || regression != config.regression) {
    throw Error(ErrorKind::usage,
                {.what = fmt::format("objective \"{}\" needs {}", mixture.specification(),
                                     regression ? "a regression" : name_of(task_of(mixture))),
                 .found = config.regression ? "a regression" : name_of(config.task)});
  }
  check_positions(config, mixture);
  if (mixture.has_labels() && config.classes < mixture.classes()) {
    throw Error(
        ErrorKind::usage,
        {.what = fmt::format("objective \"{}\" needs a sentence head with {} classes",
                             mixture.specification(), mixture.classes()),
         .where = fmt::format("family {}", config.family),
         .found = config.classes == 0 ? "none" : fmt::format("{}", config.classes),
         .fix = configuration.model.path.empty()
                    ? "leave the objective over labels out, or use a model of family bert"
                    : "leave the objective over labels out, or draw a head with model.new_heads = true"});
  }
  if (mixture.segments() > std::max<std::int64_t>(config.type_vocab_size, 1)) {
    throw Error(ErrorKind::usage,
                {.what = fmt::format("objective \"{}\" needs two segments", mixture.specification()),
                 .where = "model.type_vocab_size",
                 .found = fmt::format("{}", config.type_vocab_size),
                 .expected = "at least 2"});
  }
}

// Options are told apart by the surprisals of their own tokens, numbers by none.
void check_smoothing(const Configuration& configuration, const Mixture& mixture) {
  const bool choices = std::ranges::find(mixture.kinds(), DocumentKind::choice) != mixture.kinds().end();
  const bool fits = !choices && mixture.classifier() != Classifier::number;
  if (fits || configuration.train.label_smoothing_factor == 0) return;
  throw Error(ErrorKind::usage,
              {.what = fmt::format("objective \"{}\" has no labels to smooth", mixture.specification()),
               .where = "train.label_smoothing_factor",
               .found = fmt::format("{}", configuration.train.label_smoothing_factor),
               .expected = "0"});
}

std::string sight_warning(const ModelConfig& config, const Mixture& mixture) {
  const Family& family = find_family(config.family, "model.family");
  if (family.any_sight) return {};
  const bool decoder = family.decoder;
  for (const Part& part : mixture.parts()) {
    const ObjectiveTraits& traits = part.terms.front().objective->traits();
    if (traits.decoder == decoder && !traits.own_sight) continue;
    return fmt::format(
        "warning: other programs let the rows of a {} see {}; what \"{}\" trains is right in this one alone",
        config.family, decoder ? "only what stands before them" : "the whole sequence", part.name);
  }
  return {};
}

// The heads that the objective trains, in place of those that the configuration has. A checkpoint's are
// changed only where that is asked for.
void fit_task(const Configuration& configuration, const Mixture& mixture, ModelConfig& config) {
  const Task task = task_of(mixture);
  const bool regression = mixture.classifier() == Classifier::number;
  std::vector<std::string> names = mixture.class_names();
  const bool same = config.task == task && config.regression == regression &&
                    (task == Task::language_model || regression || config.class_names == names);
  if (same) return;
  const bool changes = configuration.model.path.empty() || configuration.model.new_heads;
  if (!changes) {
    const bool other_classes = config.task == task && config.regression == regression;
    throw Error(
        ErrorKind::usage,
        {.what = fmt::format("objective \"{}\" trains {}", mixture.specification(),
                             regression ? "a regression" : name_of(task)),
         .where = configuration.model.path,
         .found = other_classes ? fmt::format("one of the classes {}", fmt::join(config.class_names, ", "))
                                : name_of(config.task),
         .expected = other_classes ? fmt::format("{}", fmt::join(names, ", ")) : "",
         .fix = "model.new_heads = true draws what it lacks anew and leaves out the other heads"});
  }
  remove_classifier(config);
  if (task == Task::language_model) return;
  if (regression) names = {"LABEL_0"};
  set_classifier(task, std::move(names), regression, config);
}

// A pooler of the body that the checkpoint lacks is drawn for this run alone: the adapter must hold it, or
// what is trained upon it would mean nothing elsewhere.
void save_new_pooler(const ModelConfig& config, AdapterOptions& adapter) {
  const Family& family = find_family(config.family, "model");
  const ClassifierHead* head = classifier_of(family, config.task);
  if (!head || is_of_classifier(family, config.task, head->pooler + ".weight")) return;
  adapter.modules_to_save.push_back("pooler");
}

// The configuration's own folder, or .surprisal-cache beside the run directory.
std::string cache_directory(const Configuration& configuration) {
  if (!configuration.data.cache_directory.empty()) return configuration.data.cache_directory;
  return std::filesystem::path(configuration.run.directory).parent_path() / ".surprisal-cache";
}

}  // namespace

RunSetup::RunSetup(const Configuration& configuration)
    : tokenizer(Tokenizer::load(configuration.tokenizer.path)),
      mixture(configuration.objective.train, configuration.objective, tokenizer,
              configuration.data.sequence_length),
      config(model_config(configuration, tokenizer, mixture.extent().positions)) {
  const bool pooled = config.pooler;
  fit_task(configuration, mixture, config);
  if (config.vocabulary_head() && configuration.model.new_heads && mixture.classes() > config.classes) {
    add_sentence_head(mixture.classes(), config);
  }
  config.training_objective = mixture.specification();
  adapter = configuration.adapter.path.empty() ? configuration.adapter
                                               : read_adapter_options(configuration.adapter.path, config);
  if (adapter.any() && configuration.adapter.path.empty() && config.pooler && !pooled) {
    save_new_pooler(config, adapter);
  }
  config.adaptation = make_adaptation(adapter, config, "[adapter]", ErrorKind::usage);
  check_fit(configuration, config, tokenizer, mixture);
  check_smoothing(configuration, mixture);
  for (const std::string& specification : configuration.objective.evaluate) {
    evaluate.emplace_back(specification, configuration.objective, tokenizer,
                          configuration.data.sequence_length);
    check_fit(configuration, config, tokenizer, evaluate.back());
  }
  warning = sight_warning(config, mixture);
}

Configuration with_class_names(Configuration configuration) {
  std::vector<std::string> specifications = configuration.objective.evaluate;
  specifications.push_back(configuration.objective.train);
  std::vector<std::string> known;
  const std::string& adapter = configuration.adapter.path;
  if (!configuration.model.path.empty()) {
    ModelConfig config = read_model_config(configuration.model.path);
    const Task task = config.task;
    if (!adapter.empty()) fit_classifier(adapter, config);
    if (config.task != task) configuration.model.new_heads = true;  // the adapter brings them
    if (!configuration.model.new_heads || !adapter.empty()) known = config.class_names;
  }
  name_classes(specifications, known, configuration.data.train, configuration.data.corpus,
               configuration.objective);
  return configuration;
}

bool writes_text(const ObjectiveTraits& traits) {
  return traits.decoder && traits.reads == DocumentKind::text;
}

bool writes_text(const Mixture& mixture) {
  return std::any_of(mixture.parts().begin(), mixture.parts().end(),
                     [](const Part& part) { return writes_text(part.terms.front().objective->traits()); });
}

TokenCorpus open_run_text(const Configuration& configuration, const RunSetup& setup,
                          const std::vector<std::string>& files, const TokenCorpus::Progress& progress) {
  std::vector<const Mixture*> mixtures{&setup.mixture};
  for (const Mixture& mixture : setup.evaluate) mixtures.push_back(&mixture);
  CorpusOptions options = configuration.data.corpus;
  options.records = records_of(mixtures, configuration.objective);
  TokenCorpus corpus =
      TokenCorpus::open(files, options, setup.tokenizer, cache_directory(configuration), progress);
  const std::int64_t limit = configuration.train.limit;
  if (limit > 0) corpus = corpus.first(static_cast<std::uint64_t>(limit));
  setup.mixture.check_corpus(corpus);
  return corpus;
}

}  // namespace surprisal
