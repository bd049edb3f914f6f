#include "infer/evaluate.h"

#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "infer/document_names.h"
#include "infer/limits.h"
#include "infer/metrics.h"
#include "objective/sampler.h"
#include "stream/chosen.h"

namespace surprisal {
namespace {

std::optional<double> accuracy(const TermSums& sums) {
  if (sums.count == 0) return std::nullopt;
  return static_cast<double>(sums.correct) / static_cast<double>(sums.count);
}

// Of the ids that are targets, by id.
void add_counts(const Stream& stream, std::vector<std::uint64_t>& counts) {
  Chosen chosen(stream);
  for (std::size_t index = 0; index < stream.target.size(); ++index) {
    if (!chosen(index)) ++counts[static_cast<std::size_t>(stream.target[index].id)];
  }
}

double entropy(const std::vector<std::uint64_t>& counts) {
  double total = 0, sum = 0;
  for (std::uint64_t count : counts) total += static_cast<double>(count);
  for (std::uint64_t count : counts) {
    if (count > 0) sum -= static_cast<double>(count) * std::log(static_cast<double>(count) / total);
  }
  return total > 0 ? sum / total : 0;
}

void check_finite(double loss, const Transformer& model, const Stream& stream, const TokenCorpus& corpus) {
  if (std::isfinite(loss)) return;
  const std::string weight = model.find_nonfinite_weight();
  const std::string where = weight.empty() ? "" : "the weights: " + weight + "; ";
  throw Error(ErrorKind::diverged, {.what = fmt::format("held-out loss {}", std::abs(loss)),
                                    .where = where + "documents " + document_names({&stream, 1}, corpus)});
}

// Adds up what the model says of packs.
class Evaluator {
 public:
  Evaluator(Transformer& model, const TokenCorpus& corpus, const Mixture& mixture)
      : model_(model),
        corpus_(corpus),
        weights_(loss_weights(mixture)),
        sums_(mixture.parts().size()),
        limits_(limits_of(model.config())),
        counts_(static_cast<std::size_t>(model.config().vocab_size)),
        metrics_(mixture) {}

  void add(const Stream& stream) {
    check_stream(stream, limits_, "evaluation");
    model_.evaluate(stream, result_);
    sums_.add_weights(stream);
    sums_.add_result(stream, result_);
    check_finite(sums_.loss(weights_), model_, stream, corpus_);
    add_counts(stream, counts_);
    metrics_.add(stream, result_);
    tokens_ += static_cast<std::uint64_t>(stream.size());
  }

  Evaluation result(const Mixture& mixture) const {
    Evaluation evaluation;
    evaluation.tokens = tokens_;
    evaluation.loss = sums_.loss(weights_);
    evaluation.token = sums_.token().total();
    evaluation.label = sums_.label().total();
    evaluation.choice = sums_.choice().total();
    for (const Part& part : mixture.parts()) evaluation.part.push_back(part.name);
    evaluation.token_by_part = sums_.token().by_part;
    evaluation.label_by_part = sums_.label().by_part;
    evaluation.choice_by_part = sums_.choice().by_part;
    evaluation.token_accuracy = accuracy(sums_.token());
    if (mixture.classifier() != Classifier::number) evaluation.label_accuracy = accuracy(sums_.label());
    evaluation.choice_accuracy = accuracy(sums_.choice());
    evaluation.unigram_entropy = entropy(counts_);
    evaluation.metrics = metrics_.metrics();
    return evaluation;
  }

 private:
  Transformer& model_;
  const TokenCorpus& corpus_;
  LossWeights weights_;
  LossSums sums_;
  StreamLimits limits_;
  std::vector<std::uint64_t> counts_;
  MetricCounter metrics_;
  std::uint64_t tokens_ = 0;
  StreamResult result_;
};

}  // namespace

Evaluation evaluate(Transformer& model, const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed,
                    std::int32_t pack_tokens, const EvaluationProgress& progress) {
  mixture.check_corpus(corpus);
  std::vector<std::pair<Sampler, std::uint64_t>> sources;  // each with its packs
  std::uint64_t packs = 0, done = 0;
  for (DocumentKind kind : mixture.kinds()) {
    Sampler sampler(corpus.of_kind(kind), mixture, seed, pack_tokens, SampleOrder::as_written);
    const std::uint64_t own = sampler.packs_in_epoch(0);
    sources.emplace_back(std::move(sampler), own);
    packs += own;
  }
  Evaluator evaluator(model, corpus, mixture);
  Stream stream;
  for (auto& [sampler, own] : sources) {
    for (std::uint64_t pack = 0; pack < own; ++pack) {
      sampler.next(stream);
      evaluator.add(stream);
      if (progress) progress(++done, packs);
    }
  }
  Evaluation evaluation = evaluator.result(mixture);
  if (mixture.covers_text() && corpus.bytes() > 0) {
    const double bytes = static_cast<double>(corpus.of_kind(mixture.kinds().front()).bytes());
    evaluation.bits_per_byte = evaluation.token.sum / std::numbers::ln2 / bytes;
  }
  return evaluation;
}

}  // namespace surprisal
