// Corpora of ids, and what tests ask of samples.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "surprisal/stream.h"

#include "core/random.h"
#include "objective/sampler.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

// Documents of one sentence each.
inline TokenCorpus corpus_of(std::vector<std::vector<std::int32_t>> documents) {
  std::vector<TokenCorpus::Ids> ids(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) ids[i].tokens = std::move(documents[i]);
  return TokenCorpus::from_ids(ids);
}

// `documents` documents of 1 to `longest` tokens below `vocabulary`, in sentences of about 8.
inline TokenCorpus random_corpus(std::uint64_t documents, std::uint32_t longest, std::uint32_t vocabulary,
                                 std::uint32_t first = 5) {
  std::vector<TokenCorpus::Ids> ids(documents);
  for (std::uint64_t document = 0; document < documents; ++document) {
    Random random({99, document, 0, Purpose::sampling});
    ids[document].tokens.resize(1 + random.below(longest));
    for (auto& token : ids[document].tokens) {
      token = static_cast<std::int32_t>(first + random.below(vocabulary - first));
    }
    for (std::uint32_t at = 0; at < ids[document].tokens.size(); at += 1 + random.below(15)) {
      ids[document].sentences.push_back(at);
    }
  }
  return TokenCorpus::from_ids(ids);
}

// All samples of an epoch.
inline std::vector<Stream> samples_of(const TokenCorpus& corpus, const Mixture& mixture,
                                      std::uint64_t seed = 1, std::uint32_t epoch = 0) {
  std::vector<Stream> samples;
  for_each_sample(corpus, mixture, seed, epoch, true, [&](const Stream& sample) {
    samples.push_back(sample);
    return true;
  });
  return samples;
}

// Sequence `index` of `stream` as it was before it was packed.
inline Stream alone(const Stream& stream, std::size_t index) {
  Sequence sequence = stream.sequence[index];
  Stream sample;
  std::int32_t moved = sequence.begin;
  for (std::int32_t row = sequence.begin; row < sequence.end; ++row) {
    sample.token.push_back(stream.token[row]);
    sample.position.push_back(stream.position[row]);
    sample.block_position.push_back(stream.block_position[row]);
    sample.segment.push_back(stream.segment[row]);
    sample.visible.push_back({stream.visible[row].begin - moved, stream.visible[row].end - moved});
  }
  for (Target target : stream.target) {
    if (target.row < sequence.begin || target.row >= sequence.end) continue;
    target.row -= moved;
    sample.target.push_back(target);
  }
  for (Label label : stream.label) {
    if (label.row < sequence.begin || label.row >= sequence.end) continue;
    label.row -= moved;
    sample.label.push_back(label);
  }
  sequence.begin = 0;
  sequence.end -= moved;
  sample.sequence.push_back(sequence);
  return sample;
}

// Whether `hits` of `trials` lie within 3 standard deviations of `probability`.
inline bool within_three_sigma(double hits, double trials, double probability) {
  return std::abs(hits - trials * probability) <= 3 * std::sqrt(trials * probability * (1 - probability));
}

}  // namespace surprisal
