#include "infer/loss_sums.h"

#include <type_traits>

#include "stream/chosen.h"

namespace surprisal {
namespace {

// The row that tells which sequence an entry belongs to.
std::int32_t row_of(const Stream&, const Target& target) {
  return target.row;
}
std::int32_t row_of(const Stream&, const Label& label) {
  return label.row;
}
std::int32_t row_of(const Stream& stream, const Choice& choice) {
  return stream.target[static_cast<std::size_t>(choice.option.front().begin)].row;
}

// Calls use(index, entry, part) for every entry; entries and sequences both ascend by row.
template <class Entries, class Use>
void for_every_with_part(const Stream& stream, const Entries& entries, Use&& use) {
  auto sequence = stream.sequence.begin();
  for (std::size_t index = 0; index < entries.size(); ++index) {
    const std::int32_t row = row_of(stream, entries[index]);
    while (sequence + 1 < stream.sequence.end() && row >= sequence->end) ++sequence;
    use(index, entries[index], static_cast<std::size_t>(sequence->part));
  }
}

// The same, of targets those that have a loss of their own.
template <class Entries, class Use>
void for_each_with_part(const Stream& stream, const Entries& entries, Use&& use) {
  if constexpr (std::is_same_v<Entries, std::vector<Target>>) {
    Chosen chosen(stream);
    for_every_with_part(stream, entries, [&](std::size_t index, const Target& target, std::size_t part) {
      if (!chosen(index)) use(index, target, part);
    });
  } else {
    for_every_with_part(stream, entries, use);
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
std::int32_t answer(const Choice& choice) {
  return choice.answer;
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
  gradients.assign(entries.size(), 0);
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
  LossWeights weights{{}, {}, {}};
  for (const Part& part : mixture.parts()) {
    weights.token.push_back(part.token_weight());
    weights.label.push_back(part.label_weight());
    weights.choice.push_back(part.choice_weight());
  }
  return weights;
}

LossSums::LossSums(std::size_t parts) {
  token_.by_part.resize(parts);
  label_.by_part.resize(parts);
  choice_.by_part.resize(parts);
}

void LossSums::add_weights(const Stream& stream) {
  add_weights_of(stream, stream.target, token_);
  add_weights_of(stream, stream.label, label_);
  add_weights_of(stream, stream.choice, choice_);
}

void LossSums::add_result(const Stream& stream, const StreamResult& result) {
  add_surprisals(stream, stream.target, result.token, token_);
  add_surprisals(stream, stream.label, result.label, label_);
  add_surprisals(stream, stream.choice, result.choice, choice_);
}

double LossSums::loss(const LossWeights& weights) const {
  return weighted(token_, weights.token) + weighted(label_, weights.label) +
         weighted(choice_, weights.choice);
}

void set_surprisal_gradients(const Stream& stream, const LossSums& step, const LossWeights& weights,
                             SurprisalGradients& gradients) {
  set_gradients(stream, stream.target, step.token().total().weight, weights.token, gradients.token);
  set_gradients(stream, stream.label, step.label().total().weight, weights.label, gradients.label);
  set_gradients(stream, stream.choice, step.choice().total().weight, weights.choice, gradients.choice);
}

}  // namespace surprisal
