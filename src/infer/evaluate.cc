#include "infer/evaluate.h"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "infer/document_names.h"
#include "infer/limits.h"
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

void check_finite(double loss, const Stream& stream, const TokenCorpus& corpus) {
  if (std::isfinite(loss)) return;
  throw Error(ErrorKind::diverged, {.what = fmt::format("held-out loss {}", loss),
                                    .where = "documents " + document_names({&stream, 1}, corpus)});
}

}  // namespace

Evaluation evaluate(Transformer& model, const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed,
                    std::int32_t pack_tokens, const EvaluationProgress& progress) {
  Sampler sampler(corpus, mixture, seed, pack_tokens, SampleOrder::as_written);
  LossSums sums(mixture.parts().size());
  const LossWeights weights = loss_weights(mixture);
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(model.config().vocab_size));
  Evaluation evaluation;
  Stream stream;
  StreamResult result;
  const StreamLimits limits = limits_of(model.config());
  const std::uint64_t packs = sampler.packs_in_epoch(0);
  for (std::uint64_t pack = 0; pack < packs; ++pack) {
    sampler.next(stream);
    check_stream(stream, limits, "evaluation");
    model.evaluate(stream, result);
    sums.add_weights(stream);
    sums.add_result(stream, result);
    check_finite(sums.loss(weights), stream, corpus);
    add_counts(stream, counts);
    evaluation.tokens += static_cast<std::uint64_t>(stream.size());
    if (progress) progress(pack + 1, packs);
  }
  evaluation.loss = sums.loss(weights);
  evaluation.token = sums.token().total();
  evaluation.label = sums.label().total();
  evaluation.choice = sums.choice().total();
  for (const Part& part : mixture.parts()) evaluation.part.push_back(part.name);
  evaluation.token_by_part = sums.token().by_part;
  evaluation.label_by_part = sums.label().by_part;
  evaluation.choice_by_part = sums.choice().by_part;
  evaluation.token_accuracy = accuracy(sums.token());
  evaluation.label_accuracy = accuracy(sums.label());
  evaluation.choice_accuracy = accuracy(sums.choice());
  evaluation.unigram_entropy = entropy(counts);
  if (mixture.covers_text() && corpus.bytes() > 0) {
    evaluation.bits_per_byte = evaluation.token.sum / std::numbers::ln2 / static_cast<double>(corpus.bytes());
  }
  return evaluation;
}

}  // namespace surprisal
