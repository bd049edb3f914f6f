// What an objective says of a text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace surprisal {

// A loss before it is divided: pairs of parts and micro-batches are added up and divided last.
struct LossSum {
  double sum = 0;     // of weight * surprisal, nats
  double weight = 0;  // of weights
  double mean() const { return weight > 0 ? sum / weight : 0; }
};

// Of what was predicted, where its objective has such a number: f1, macro_f1, matthews, pearson, spearman,
// precision, recall (of entities), exact_match.
struct Metric {
  std::string name;
  double value = 0;
};

struct Evaluation {
  double loss = 0;                // of the specification, nats
  LossSum token, label, choice;   // each term
  std::vector<std::string> part;  // names of a mixture's parts
  std::vector<LossSum> token_by_part, label_by_part, choice_by_part;
  std::optional<double> token_accuracy, label_accuracy, choice_accuracy;
  std::vector<Metric> metrics;
  std::optional<double> bits_per_byte;  // where every token of the text was a target once
  double unigram_entropy = 0;           // of the token targets' own distribution, nats
  std::uint64_t tokens = 0;             // rows that went through the model
};

}  // namespace surprisal
