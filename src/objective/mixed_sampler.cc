#include "objective/mixed_sampler.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "surprisal/error.h"

namespace surprisal {

MixedSampler::MixedSampler(const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed,
                           std::int32_t pack_tokens, SampleOrder order) {
  mixture.check_corpus(corpus);
  for (DocumentKind kind : mixture.kinds()) {
    sources_.push_back({.sampler = Sampler(corpus.of_kind(kind), mixture, seed, pack_tokens, order),
                        .share = mixture.share(kind)});
  }
}

// Of equals the first.
MixedSampler::Source& MixedSampler::furthest_behind() {
  std::uint64_t samples = 0;
  for (const Source& source : sources_) samples += source.samples;
  auto behind = [&](const Source& source) {
    return source.share * static_cast<double>(samples) - static_cast<double>(source.samples);
  };
  return *std::max_element(sources_.begin(), sources_.end(),
                           [&](const Source& a, const Source& b) { return behind(a) < behind(b); });
}

void MixedSampler::next(Stream& stream) {
  if (sources_.size() == 1) {
    sources_.front().sampler.next(stream);
    return;
  }
  Source& source = furthest_behind();
  source.samples += source.sampler.next(stream);
}

void MixedSampler::set_progress(std::int64_t step, std::int64_t steps) {
  for (Source& source : sources_) source.sampler.set_progress(step, steps);
}

MixedPosition MixedSampler::position() const {
  MixedPosition position;
  for (const Source& source : sources_) position.push_back({source.sampler.position(), source.samples});
  return position;
}

void MixedSampler::seek(const MixedPosition& position) {
  const MixedPosition there = position.empty() ? MixedPosition(sources_.size()) : position;
  if (there.size() != sources_.size()) {
    throw Error(ErrorKind::data,
                {.what = "the place in the data is of other kinds of documents",
                 .found = fmt::format("{} kinds", there.size()),
                 .expected = fmt::format("{}", sources_.size()),
                 .fix = "go on with the corpus, objective and sizes that the run had before"});
  }
  for (std::size_t i = 0; i < there.size(); ++i) {
    sources_[i].sampler.seek(there[i].at);
    sources_[i].samples = there[i].samples;
  }
}

std::uint64_t MixedSampler::packs_in_epoch() {
  const Sampler::Size first = sources_.front().sampler.size_of_epoch(0);
  std::uint64_t packs = first.packs;
  for (std::size_t i = 1; i < sources_.size(); ++i) {
    const Sampler::Size size = sources_[i].sampler.size_of_epoch(0);
    const double samples = static_cast<double>(first.samples) * sources_[i].share / sources_.front().share;
    packs += static_cast<std::uint64_t>(
        std::llround(samples * static_cast<double>(size.packs) / static_cast<double>(size.samples)));
  }
  return packs;
}

}  // namespace surprisal
