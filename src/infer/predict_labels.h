// What a classifier says of records, one by one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/transformer.h"
#include "objective/mixture.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

struct LabelPrediction {
  std::uint64_t document = 0;  // of the corpus, all of whose documents are labelled texts
  // Of a text: the probability of every class. Of a regression and of words empty.
  std::vector<double> probability{};
  double value = 0;  // of a regression
  // Of a text one; of words one each, -1 where the sequence has no token of it.
  std::vector<std::int32_t> classes{};
};

// Every document of the corpus in order, whose labels were not read (LabelOptions::to_predict). `capacity`:
// what the model has room for, at least a label for each of its classes. `sink` is called for each document
// and may throw to stop.
void predict_labels(Transformer& model, const TokenCorpus& corpus, const Mixture& mixture,
                    const Capacity& capacity, const std::function<void(const LabelPrediction&)>& sink);

}  // namespace surprisal
