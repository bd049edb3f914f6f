// From a corpus of one kind of documents and a mixture to packs: samples planned over fixed windows of
// documents in a keyed permutation, and packed. Everything follows from (seed, epoch, window, pack), so a run
// resumes by replaying at most one window.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "surprisal/stream.h"

#include "objective/mixture.h"
#include "text/corpus/token_corpus.h"

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
  // Samples of the parts of the mixture that read the corpus's kind. `pack_tokens`: capacity of a stream.
  // What is named must outlive the sampler, but for the corpus, which is a handle. Throws Error (usage) where
  // a sample could be longer than a pack (mixture.extent().rows > pack_tokens), Error (data) where the corpus
  // yields no target at all.
  Sampler(const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed, std::int32_t pack_tokens,
          SampleOrder order);

  // Replaces `stream` by the next pack and moves on, into the next epoch after the last. Returns the number
  // of its samples.
  std::uint64_t next(Stream& stream);

  // How far the run is: what is built from now on is for step `step` of `steps`, counted from 1. Without it,
  // the end. Packs are planned without it, so a run that sets it before every step resumes exactly.
  void set_progress(std::int64_t step, std::int64_t steps);

  // May stand behind the last pack of a window, which is the same place as before the first of the next.
  SamplerPosition position() const { return position_; }
  void seek(SamplerPosition position);  // throws Error (data) where there is no such pack

  // Of an epoch (plans all of it).
  struct Size {
    std::uint64_t packs = 0, samples = 0;
  };
  Size size_of_epoch(std::uint32_t epoch);
  std::uint64_t packs_in_epoch(std::uint32_t epoch) { return size_of_epoch(epoch).packs; }

 private:
  struct PlannedSample {
    std::uint64_t document;
    std::uint32_t index;
    std::int64_t cursor;
  };
  struct Plan {  // of one window
    std::vector<PlannedSample> samples;
    std::vector<std::vector<std::int32_t>> packs;  // indices into samples
  };
  std::uint64_t windows() const;  // of an epoch
  Plan plan(std::uint32_t epoch, std::uint64_t window);
  void find_first_pack();

  SampleKey key(std::uint64_t document, std::uint32_t epoch) const {
    return {.seed = seed_, .epoch = epoch, .document = document, .kind = corpus_.kind()};
  }

  TokenCorpus corpus_;
  const Mixture& mixture_;
  std::uint64_t seed_;
  std::int32_t pack_tokens_;
  SampleOrder order_;
  std::uint64_t window_documents_ = 1;
  double progress_ = 1;
  SamplerPosition position_;
  std::optional<Plan> plan_;  // of the position's window
  Stream scratch_;
};

// The samples of the corpus, of all kinds that the mixture reads, in the order of its documents, epoch after
// epoch, one sequence each, until `sink` returns false or, with `one_epoch`, the epoch ends; as they are at
// `progress` of a run. For explain and loss. Throws as Sampler does.
void for_each_sample(const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed,
                     std::uint32_t epoch, bool one_epoch, const std::function<bool(const Stream&)>& sink,
                     double progress = 1);

}  // namespace surprisal
