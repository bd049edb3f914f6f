#include "infer/loss_sums.h"

namespace surprisal {
namespace {

// Calls use(index, entry, part) for every entry; entries and sequences both ascend by row.
template <class Entries, class Use>
void for_each_with_part(const Stream& stream, const Entries& entries, Use&& use) {
  auto sequence = stream.sequence.begin();
  for (std::size_t index = 0; index < entries.size(); ++index) {
    while (sequence + 1 < stream.sequence.end() && entries[index].row >= sequence->end) ++sequence;
    use(index, entries[index], static_cast<std::size_t>(sequence->part));
  }
}

template <class Entries>
void add_weights_of(const Stream& stream, const Entries& entries, TermSums& sums) {
  for_each_with_part(stream, entries, [&](std::size_t, const auto& entry, std::size_t part) {
    sums.by_part[part].weight += entry.weight;
    ++sums.count;
  });
}

std::int32_t answer(const Target& target) {
  return target.id;
}
std::int32_t answer(const Label& label) {
  return label.cls;
}

template <class Entries>
void add_surprisals(const Stream& stream, const Entries& entries, const TermResult& result, TermSums& sums) {
  for_each_with_part(stream, entries, [&](std::size_t index, const auto& entry, std::size_t part) {
    sums.by_part[part].sum += static_cast<double>(entry.weight) * result.surprisal[index];
    if (!result.predicted.empty()) sums.correct += result.predicted[index] == answer(entry);
  });
}

template <class Entries>
void set_gradients(const Stream& stream, const Entries& entries, double total_weight,
                   const std::vector<double>& lambda, std::vector<float>& gradients) {
  gradients.resize(entries.size());
  for_each_with_part(stream, entries, [&](std::size_t index, const auto& entry, std::size_t part) {
    gradients[index] = static_cast<float>(lambda[part] * entry.weight / total_weight);
  });
}

double weighted(const TermSums& sums, const std::vector<double>& lambda) {
  double weight = sums.total().weight, loss = 0;
  if (weight <= 0) return 0;
  for (std::size_t part = 0; part < sums.by_part.size(); ++part)
    loss += lambda[part] * sums.by_part[part].sum / weight;
  return loss;
}

}  // namespace

LossSum TermSums::total() const {
  LossSum total;
  for (const LossSum& part : by_part) {
    total.sum += part.sum;
    total.weight += part.weight;
  }
  return total;
}

LossWeights loss_weights(const Mixture& mixture) {
  LossWeights weights{{}, {}};
  for (const Part& part : mixture.parts()) {
    weights.token.push_back(part.token_weight());
    weights.label.push_back(part.label_weight());
  }
  return weights;
}

LossSums::LossSums(std::size_t parts) {
  token_.by_part.resize(parts);
  label_.by_part.resize(parts);
}

void LossSums::add_weights(const Stream& stream) {
  add_weights_of(stream, stream.target, token_);
  add_weights_of(stream, stream.label, label_);
}

void LossSums::add_result(const Stream& stream, const StreamResult& result) {
  add_surprisals(stream, stream.target, result.token, token_);
  add_surprisals(stream, stream.label, result.label, label_);
}

double LossSums::loss(const LossWeights& weights) const {
  return weighted(token_, weights.token) + weighted(label_, weights.label);
}

void set_surprisal_gradients(const Stream& stream, const LossSums& step, const LossWeights& weights,
                             SurprisalGradients& gradients) {
  set_gradients(stream, stream.target, step.token().total().weight, weights.token, gradients.token);
  set_gradients(stream, stream.label, step.label().total().weight, weights.label, gradients.label);
}

}  // namespace surprisal
