#include "train/run_log.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numbers>

#include <fmt/format.h>

#include "core/machine.h"
#include "core/parallel.h"
#include "ops/gemm.h"

namespace surprisal {
namespace {

OrderedJson number_or_null(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

// A term of a loss.
struct LossTerm {
  const char* name;
  LossSum total;
  const std::vector<LossSum>& by_part;
};

// A term is named where there are several; sums of single parts where there is more than one.
void add_terms(OrderedJson& line, const std::string& prefix, const std::vector<std::string>& names,
               const std::array<LossTerm, 3>& terms) {
  const auto present =
      std::count_if(terms.begin(), terms.end(), [](const LossTerm& term) { return term.total.weight > 0; });
  for (const LossTerm& term : terms) {
    if (present > 1 && term.total.weight > 0) line[prefix + term.name + "_loss"] = term.total.mean();
  }
  for (std::size_t part = 0; part < names.size() && names.size() > 1; ++part) {
    auto end = names.begin() + static_cast<std::ptrdiff_t>(part);
    auto earlier = std::count(names.begin(), end, names[part]);  // parts may be alike
    std::string name = earlier > 0 ? fmt::format("{} #{}", names[part], earlier + 1) : names[part];
    for (const LossTerm& term : terms) {
      const LossSum& sum = term.by_part[part];
      if (sum.weight > 0) line[fmt::format("{}{}_loss/{}", prefix, term.name, name)] = sum.mean();
    }
  }
}

void add_metrics(OrderedJson& line, const std::string& prefix, const Evaluation& evaluation) {
  line[prefix + "loss"] = evaluation.loss;
  add_terms(line, prefix, evaluation.part,
            {{{"token", evaluation.token, evaluation.token_by_part},
              {"label", evaluation.label, evaluation.label_by_part},
              {"choice", evaluation.choice, evaluation.choice_by_part}}});
  if (evaluation.token_accuracy) line[prefix + "token_accuracy"] = *evaluation.token_accuracy;
  if (evaluation.label_accuracy) line[prefix + "label_accuracy"] = *evaluation.label_accuracy;
  if (evaluation.choice_accuracy) line[prefix + "choice_accuracy"] = *evaluation.choice_accuracy;
  for (const Metric& metric : evaluation.metrics) line[prefix + metric.name] = metric.value;
  if (evaluation.bits_per_byte) line[prefix + "bits_per_byte"] = *evaluation.bits_per_byte;
}

std::vector<std::string> part_names(const Mixture& mixture) {
  std::vector<std::string> names;
  for (const Part& part : mixture.parts()) names.push_back(part.name);
  return names;
}

}  // namespace

OrderedJson step_line(const StepReport& report, const StepResult& result, const Mixture& mixture,
                      std::uint64_t tokens, double wall_seconds) {
  OrderedJson line{{"step", report.step},
                   {"epoch", report.epoch},
                   {"tokens", tokens},
                   {"loss", result.loss},
                   {"learning_rate", report.learning_rate},
                   {"grad_norm", result.gradient_norm},
                   {"tokens_per_sec", report.tokens_per_second},
                   {"mfu", report.share_of_peak},
                   {"mem_bytes", anonymous_memory()},
                   {"skipped", report.skipped},
                   {"wall_s", wall_seconds}};
  const LossSums& sums = result.sums;
  add_terms(line, "", part_names(mixture),
            {{{"token", sums.token().total(), sums.token().by_part},
              {"label", sums.label().total(), sums.label().by_part},
              {"choice", sums.choice().total(), sums.choice().by_part}}});
  return line;
}

OrderedJson evaluation_line(std::int64_t step, double epoch, const Evaluation& evaluation) {
  OrderedJson line{{"step", step}, {"epoch", epoch}};
  add_metrics(line, "eval_", evaluation);
  return line;
}

void add_evaluation(OrderedJson& line, const std::string& specification, const Evaluation& evaluation) {
  add_metrics(line, fmt::format("eval/{}/", specification), evaluation);
}

std::string summary_text(const RunSummary& summary) {
  OrderedJson json{{"objective", summary.objective},
                   {"steps", summary.steps},
                   {"tokens", summary.tokens},
                   {"loss", number_or_null(summary.train_loss)},
                   {"tokens_per_second", summary.tokens_per_second},
                   {"share_of_peak", summary.share_of_peak},
                   {"wall_s", summary.wall_seconds}};
  if (summary.evaluation) {
    const Evaluation& evaluation = *summary.evaluation;
    bool tokens = evaluation.token.weight > 0;
    json["eval_loss"] = evaluation.loss;
    json["eval_token_loss"] = tokens ? OrderedJson(evaluation.token.mean()) : OrderedJson(nullptr);
    json["eval_token_loss_first"] = number_or_null(summary.first_evaluation_loss);
    json["bits_per_token"] =
        tokens ? OrderedJson(evaluation.token.mean() / std::numbers::ln2) : OrderedJson(nullptr);
    json["bits_per_byte"] = number_or_null(evaluation.bits_per_byte);
    json["token_accuracy"] = number_or_null(evaluation.token_accuracy);
    json["label_accuracy"] = number_or_null(evaluation.label_accuracy);
    json["label_loss"] =
        evaluation.label.weight > 0 ? OrderedJson(evaluation.label.mean()) : OrderedJson(nullptr);
    for (const Metric& metric : evaluation.metrics) json[metric.name] = metric.value;
    if (evaluation.choice_accuracy) {
      json["choice_accuracy"] = *evaluation.choice_accuracy;
      json["choice_loss"] = evaluation.choice.mean();
    }
    json["unigram_entropy"] = evaluation.unigram_entropy;
  }
  return json.dump() + "\n";
}

std::string environment_text(double peak_gflops) {
  Machine machine = describe_machine();
  OrderedJson json{{"version", SURPRISAL_VERSION},  {"cpu", machine.cpu},
                   {"simd", machine.simd},          {"cores", machine.cores},
                   {"threads", threads()},          {"memory_bytes", machine.memory},
                   {"gemm", gemm_implementation()}, {"peak_gflops", peak_gflops}};
  return json.dump(2) + "\n";
}

}  // namespace surprisal
