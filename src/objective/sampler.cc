#include "objective/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "stream/packing.h"

namespace surprisal {
namespace {

// A window makes about this many packs: enough for best fit to fill them, and little to replay after a
// resume.
constexpr double kPacksOfWindow = 64;
constexpr std::uint32_t kEpochs = 1u << 24;             // as random keys have them
constexpr std::uint32_t kSamplesOfDocument = 0xFFFFFF;  // the last number is document_random's

Error no_target(const Mixture& mixture) {
  return Error(ErrorKind::data,
               {.what = fmt::format("the corpus has no target for objective \"{}\"", mixture.specification()),
                .fix = "give text with tokens that are not special"});
}

void check_pack(const Mixture& mixture, std::int32_t pack_tokens) {
  const std::int64_t rows = mixture.extent().rows, length = mixture.sequence_length();
  if (rows <= pack_tokens) return;
  std::string found = fmt::format("a sequence length of {}", length), least;
  if (rows > length) {
    found += fmt::format(", with which \"{}\" has up to {} rows", mixture.specification(), rows);
    least = fmt::format(" to {} or more", rows);
  }
  throw Error(ErrorKind::usage,
              {.what = "a sample may be longer than a micro-batch",
               .found = std::move(found),
               .expected = fmt::format("at most {} tokens", pack_tokens),
               .fix = fmt::format("raise train.micro_batch_tokens{} or lower data.sequence_length", least)});
}

// The same of samples whose size depends on what they are made of.
void check_largest(const Mixture& mixture, const TokenCorpus& corpus, std::int32_t pack_tokens) {
  const LargestSample largest = mixture.largest_sample(corpus);
  if (largest.rows <= pack_tokens) return;
  throw Error(ErrorKind::usage,
              {.what = "the sequences of a sample are longer than a micro-batch",
               .where = corpus.origin(largest.document),
               .found = fmt::format("{} rows or targets", largest.rows),
               .expected = fmt::format("at most {}", pack_tokens),
               .fix = fmt::format("raise train.micro_batch_tokens to {} or more", largest.rows)});
}

// Room that a sample takes in a pack, which holds as many targets as rows.
std::int32_t room_of(const Stream& sample) {
  return std::max(sample.size(), static_cast<std::int32_t>(sample.target.size()));
}

// Indices of samples, packed. Those of one group alone share a pack.
std::vector<std::vector<std::int32_t>> pack_groups(
    const std::vector<std::int32_t>& lengths, const std::map<std::int32_t, std::vector<std::int32_t>>& groups,
    std::int32_t capacity) {
  std::vector<std::vector<std::int32_t>> packs;
  for (const auto& [group, samples] : groups) {
    std::vector<std::int32_t> own;
    for (std::int32_t sample : samples) own.push_back(lengths[static_cast<std::size_t>(sample)]);
    for (auto& pack : pack_best_fit(own, capacity)) {
      for (std::int32_t& index : pack) index = samples[static_cast<std::size_t>(index)];
      packs.push_back(std::move(pack));
    }
  }
  return packs;
}

// Builds the samples of one document in order, leaving out those without anything to predict, until `visit`
// returns false. Returns false where it did.
template <typename Visit>
bool visit_document(const TokenCorpus& corpus, const Mixture& mixture, SampleKey key, Stream& sample,
                    Visit visit) {
  std::int64_t size = static_cast<std::int64_t>(corpus.document(key.document).tokens.size());
  for (std::int64_t cursor = 0; cursor < size; ++key.index) {
    if (key.index == kSamplesOfDocument) {
      throw Error(ErrorKind::data, {.what = "too many samples in one document",
                                    .where = corpus.origin(key.document),
                                    .expected = fmt::format("at most {}", kSamplesOfDocument),
                                    .fix = "divide the document, or raise data.sequence_length"});
    }
    sample.clear();
    std::int64_t next = mixture.build(corpus, key, cursor, sample);
    bool empty = sample.target.empty() && sample.label.empty();
    if (!empty && !visit(key, cursor, sample)) return false;
    cursor = next;
  }
  return true;
}

}  // namespace

Sampler::Sampler(const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed,
                 std::int32_t pack_tokens, SampleOrder order)
    : corpus_(corpus), mixture_(mixture), seed_(seed), pack_tokens_(pack_tokens), order_(order) {
  check_pack(mixture, pack_tokens);
  mixture.check_documents(corpus, corpus.kind());
  check_largest(mixture, corpus, pack_tokens);
  double average = static_cast<double>(corpus.tokens()) / static_cast<double>(corpus.documents());
  double documents = std::ceil(kPacksOfWindow * pack_tokens / average);
  window_documents_ = documents < static_cast<double>(corpus.documents())
                          ? std::max<std::uint64_t>(1, static_cast<std::uint64_t>(documents))
                          : corpus.documents();
  find_first_pack();
}

std::uint64_t Sampler::windows() const {
  return (corpus_.documents() + window_documents_ - 1) / window_documents_;
}

void Sampler::find_first_pack() {
  for (std::uint64_t window = 0; window < windows(); ++window) {
    Plan first = plan(0, window);
    bool found = !first.packs.empty();
    if (window == 0) plan_ = std::move(first);
    if (found) return;
  }
  throw no_target(mixture_);
}

Sampler::Plan Sampler::plan(std::uint32_t epoch, std::uint64_t window) {
  bool shuffled = order_ == SampleOrder::shuffled;
  const std::uint64_t source = key(0, epoch).source();
  Permutation documents({seed_, source, epoch, Purpose::document_order}, corpus_.documents());
  std::uint64_t begin = window * window_documents_;
  std::uint64_t end = std::min(begin + window_documents_, corpus_.documents());
  Plan plan;
  std::vector<std::int32_t> lengths;
  std::map<std::int32_t, std::vector<std::int32_t>> groups;
  for (std::uint64_t place = begin; place < end; ++place) {
    visit_document(corpus_, mixture_, key(shuffled ? documents(place) : place, epoch), scratch_,
                   [&](const SampleKey& sample, std::int64_t cursor, const Stream& stream) {
                     groups[mixture_.group(sample)].push_back(static_cast<std::int32_t>(lengths.size()));
                     plan.samples.push_back({sample.document, sample.index, cursor});
                     lengths.push_back(room_of(stream));
                     return true;
                   });
  }
  std::vector<std::vector<std::int32_t>> packs = pack_groups(lengths, groups, pack_tokens_);
  if (!shuffled) std::sort(packs.begin(), packs.end());
  Permutation places({seed_, source | window, epoch, Purpose::pack_order}, packs.size());
  for (std::uint64_t i = 0; i < packs.size(); ++i) {
    plan.packs.push_back(std::move(packs[shuffled ? places(i) : i]));
  }
  return plan;
}

std::uint64_t Sampler::next(Stream& stream) {
  if (!plan_) plan_ = plan(position_.epoch, position_.window);
  for (std::uint64_t empty = 0; position_.pack >= plan_->packs.size();) {
    if (plan_->packs.empty() && ++empty > windows()) throw no_target(mixture_);
    position_.pack = 0;
    if (++position_.window == windows()) {
      position_.window = 0;
      ++position_.epoch;
    }
    plan_ = plan(position_.epoch, position_.window);
  }
  stream.clear();
  const std::vector<std::int32_t>& pack = plan_->packs[position_.pack];
  for (std::int32_t index : pack) {
    const PlannedSample& sample = plan_->samples[static_cast<std::size_t>(index)];
    scratch_.clear();
    SampleKey key = this->key(sample.document, position_.epoch);
    key.index = sample.index;
    key.progress = progress_;
    mixture_.build(corpus_, key, sample.cursor, scratch_);
    append(stream, scratch_);
  }
  ++position_.pack;
  return pack.size();
}

void Sampler::set_progress(std::int64_t step, std::int64_t steps) {
  double last = static_cast<double>(std::max<std::int64_t>(steps, 2) - 1);
  progress_ = steps < 2 ? 1 : std::clamp(static_cast<double>(step - 1) / last, 0.0, 1.0);
}

void Sampler::seek(SamplerPosition position) {
  bool exists = position.epoch < kEpochs && position.window < windows();
  Plan there;
  if (exists) {
    there = plan(position.epoch, position.window);
    exists = position.pack <= there.packs.size();
  }
  if (!exists) {
    throw Error(
        ErrorKind::data,
        {.what = "this corpus has no such place in its packs",
         .found = fmt::format("epoch {}, window {}, pack {}", position.epoch, position.window, position.pack),
         .expected = position.window < windows()
                         ? fmt::format("at most {} packs in the window", there.packs.size())
                         : fmt::format("{} windows", windows()),
         .fix = "go on with the corpus, objective and sizes that the run had before"});
  }
  position_ = position;
  plan_ = std::move(there);
}

Sampler::Size Sampler::size_of_epoch(std::uint32_t epoch) {
  Size size;
  for (std::uint64_t window = 0; window < windows(); ++window) {
    const Plan plan = this->plan(epoch, window);
    size.packs += plan.packs.size();
    size.samples += plan.samples.size();
  }
  return size;
}

void for_each_sample(const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed,
                     std::uint32_t epoch, bool one_epoch, const std::function<bool(const Stream&)>& sink,
                     double progress) {
  mixture.check_corpus(corpus);
  std::vector<TokenCorpus> views;  // by kind
  for (DocumentKind kind : kEveryKind) views.push_back(corpus.of_kind(kind));
  Stream sample;
  bool more = true;
  while (more) {
    bool any = false;
    std::array<std::uint64_t, kDocumentKinds> next{};
    for (std::uint64_t document = 0; more && document < corpus.documents(); ++document) {
      const DocumentKind kind = corpus.document(document).kind;
      const auto source = static_cast<std::size_t>(kind);
      SampleKey key{
          .seed = seed, .epoch = epoch, .document = next[source]++, .kind = kind, .progress = progress};
      if (mixture.share(kind) == 0) continue;
      more = visit_document(views[source], mixture, key, sample,
                            [&](const SampleKey&, std::int64_t, const Stream& stream) {
                              any = true;
                              return sink(stream);
                            });
    }
    if (!any) throw no_target(mixture);
    ++epoch;
    if (one_epoch) return;
  }
}

}  // namespace surprisal
