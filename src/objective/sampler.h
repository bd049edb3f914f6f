// From a corpus and a mixture to the streams of a run: samples planned over fixed windows of documents in a keyed
// permutation, and packed. Everything follows from (seed, epoch, window, pack), so a run resumes by replaying at most one
// window.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "objective/mixture.h"
#include "surprisal/stream.h"
#include "text/token_corpus.h"

namespace surprisal {

// Where a sampler stands: the next pack is number `pack` of window `window` of epoch `epoch`.
struct SamplerPosition {
  std::uint32_t epoch = 0;
  std::uint64_t window = 0;
  std::uint64_t pack = 0;
  friend bool operator==(const SamplerPosition&, const SamplerPosition&) = default;
};

enum class SampleOrder { shuffled, as_written };

class Sampler {
 public:
  // `pack_tokens`: capacity of a stream. The objects must outlive the sampler. Throws Error (usage) where a sample could
  // be longer than a pack (sequence_length > pack_tokens), Error (data) where the corpus yields no target at all.
  Sampler(const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed, std::int32_t pack_tokens,
          SampleOrder order);

  // Replaces `stream` by the next pack and moves on, into the next epoch after the last.
  void next(Stream& stream);

  SamplerPosition position() const { return position_; }
  void seek(SamplerPosition position);  // throws Error (data) where there is no such pack

  // Number of packs of an epoch (plans all of it).
  std::uint64_t packs_in_epoch(std::uint32_t epoch);

 private:
  struct Planned {
    std::uint64_t document;
    std::uint32_t index;
    std::int64_t cursor;
    std::int32_t length;
  };
  void plan_window();

  const TokenCorpus& corpus_;
  const Mixture& mixture_;
  std::uint64_t seed_;
  std::int32_t pack_tokens_;
  SampleOrder order_;
  std::uint64_t window_documents_ = 1;
  SamplerPosition position_;
  bool planned_ = false;
  std::vector<Planned> samples_;
  std::vector<std::vector<std::int32_t>> packs_;
  Stream scratch_;
};

// The samples of the corpus in the order of its documents, epoch after epoch, one sequence each, until `sink` returns
// false or, with `one_epoch`, the epoch ends. For explain and loss.
void for_each_sample(const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed, std::uint32_t epoch,
                     bool one_epoch, const std::function<bool(const Stream&)>& sink);

}  // namespace surprisal
