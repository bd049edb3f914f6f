#include "train/evaluations.h"

#include <algorithm>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "train/run_log.h"

namespace surprisal {
namespace {

double metric_value(const OrderedJson& line, const std::string& metric) {
  auto found = line.find(metric);
  if (found != line.end() && found->is_number()) return found->get<double>();
  std::vector<std::string> names;
  for (const auto& [name, value] : line.items()) {
    if (name.starts_with("eval") && value.is_number()) names.push_back(name);
  }
  throw Error(ErrorKind::usage, {.what = "no evaluation of this run reports such a metric",
                                 .where = "train.metric_for_best_model",
                                 .found = metric,
                                 .expected = fmt::format("one of {}", fmt::join(names, ", "))});
}

}  // namespace

Evaluations::Evaluations(const Configuration& configuration, const RunSetup& setup, const TokenCorpus& text)
    : configuration_(configuration), setup_(setup), text_(text) {
  for (const Mixture& mixture : setup_.evaluate) mixture.check_corpus(text_);
}

EvaluationReport Evaluations::run(Transformer& model, std::int64_t step, double epoch,
                                  const EvaluationProgress& progress) const {
  auto evaluated = [&](const Mixture& mixture) {
    return evaluate(model, text_, mixture, static_cast<std::uint64_t>(configuration_.run.seed),
                    static_cast<std::int32_t>(configuration_.train.micro_batch_tokens), progress);
  };
  EvaluationReport report{.training = evaluated(setup_.mixture)};
  report.line = evaluation_line(step, epoch, report.training);
  for (const Mixture& mixture : setup_.evaluate) {
    report.others.emplace_back(mixture.specification(), evaluated(mixture));
    add_evaluation(report.line, mixture.specification(), report.others.back().second);
  }
  report.value = metric_value(report.line, configuration_.train.metric_for_best_model);
  return report;
}

bool more_is_better(const std::string& metric) {
  constexpr const char* kMore[] = {"accuracy", "f1",      "precision", "recall",
                                   "matthews", "pearson", "spearman",  "exact_match"};
  return std::ranges::any_of(kMore, [&](const char* name) { return metric.find(name) != metric.npos; });
}

bool forget_best(const Identity& now, RunState& state) {
  constexpr const char* kMetric = "train.metric_for_best_model";
  const auto before = state.identity.find(kMetric);
  if (before == state.identity.end() || before->second == now.at(kMetric)) return false;
  const bool had = !state.best.empty();
  state.best.clear();
  state.evaluations_without_improvement = 0;
  return had;
}

bool enter_best(const TrainOptions& options, std::int64_t step, double value, RunState& state) {
  const bool more = more_is_better(options.metric_for_best_model);
  auto gain = [&](double over) { return more ? value - over : over - value; };
  const bool improved =
      state.best.empty() || gain(state.best.front().value) > options.early_stopping_threshold;
  state.evaluations_without_improvement = improved ? 0 : state.evaluations_without_improvement + 1;
  // Of equals the earlier stays ahead.
  auto place = std::find_if(state.best.begin(), state.best.end(),
                            [&](const ScoredStep& other) { return gain(other.value) > 0; });
  const std::int64_t rank = place - state.best.begin();
  if (rank >= options.save_best_limit) return false;
  state.best.insert(place, {step, value});
  if (std::ssize(state.best) > options.save_best_limit) state.best.pop_back();
  return true;
}

}  // namespace surprisal
