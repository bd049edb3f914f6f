// From a corpus of several kinds of documents and a mixture to the streams of a run: a sampler for each kind
// that the mixture reads, of which the next pack comes from the one whose samples are furthest behind their
// share. A pack holds one kind. With one kind this is that kind's Sampler.
#pragma once

#include <cstdint>
#include <vector>

#include "surprisal/stream.h"

#include "objective/sampler.h"

namespace surprisal {

struct SourcePosition {
  SamplerPosition at{};
  std::uint64_t samples = 0;  // drawn so far; not counted where there is one source
  friend bool operator==(const SourcePosition&, const SourcePosition&) = default;
};

// Where a mixed sampler stands: each kind in the order of Mixture::kinds(). Empty: at the beginning.
using MixedPosition = std::vector<SourcePosition>;

class MixedSampler {
 public:
  // As Sampler. Throws Error (data) where the corpus lacks a kind that the mixture reads.
  MixedSampler(const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed,
               std::int32_t pack_tokens, SampleOrder order);

  // Replaces `stream` by the next pack and moves on.
  void next(Stream& stream);
  void set_progress(std::int64_t step, std::int64_t steps);  // as Sampler

  MixedPosition position() const;
  void seek(const MixedPosition& position);  // throws Error (data) where there is no such place

  // Number of packs until the first kind has been read once, to rounding: how many of the others' lie between
  // depends on how many samples each of theirs has (plans an epoch of each).
  std::uint64_t packs_in_epoch();

 private:
  struct Source {
    Sampler sampler;
    double share = 1;
    std::uint64_t samples = 0;
  };
  Source& furthest_behind();

  std::vector<Source> sources_;
};

}  // namespace surprisal
