#include "objective/objective.h"

#include <cassert>

namespace surprisal {

std::vector<std::string> Objective::class_names() const {
  return {};
}

SampleExtent Objective::extent(std::int64_t sequence_length) const {
  return {.rows = sequence_length, .positions = sequence_length};
}

LargestSample Objective::largest_sample(const TokenCorpus&) const {
  return {};
}

std::int32_t Objective::group(const SampleKey&) const {
  return 0;
}

SampleNotes Objective::notes(const SampleKey&, const Stream&) const {
  return {};
}

void Objective::join(const SampleKey&, Stream&) const {
  assert(!"only an objective whose traits say joins_labels is asked to join");
}

std::vector<std::string> Objective::remarks(const TokenCorpus&) const {
  return {};
}

TargetCount Objective::count_targets(const TokenCorpus&) const {
  return {};
}

void Objective::check_corpus(const TokenCorpus&) const {}

}  // namespace surprisal
