// The vocabulary head and the sentence head: they read the rows of the last layer that targets and labels
// name, and nothing else.
#pragma once

#include <cstdint>
#include <vector>

#include "model/pass.h"
#include "model/transformer.h"

namespace surprisal {

// Rows and right answers of one head for the present stream, kept between streams so that a step allocates
// nothing.
struct HeadRows {
  std::vector<std::int32_t> row, answer;
  std::vector<float> scale{};  // d(loss)/d(surprisal) of each, where choices decide about some
  std::vector<float> value{};  // right answers of a regression
};

// Forward: fills `result`, of the vocabulary head its token and choice. Backward as well where `scale` is
// given: parameter gradients are added, and d(loss)/d(last layer's output) is added to workspace.gradient.
// Nothing is done without targets.
void vocabulary_head(Pass& pass, HeadRows& rows, const SurprisalGradient* scale, bool predict,
                     StreamResult& result);
void sentence_head(Pass& pass, HeadRows& rows, const SurprisalGradient* scale, bool predict,
                   TermResult& result);

// logits [rows, V] of rows of the last layer.
void row_logits(Pass& pass, std::span<const std::int32_t> rows, std::span<float> logits);

}  // namespace surprisal
