#include "infer/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "infer/decoding.h"
#include "infer/generate.h"
#include "infer/repeated_ngrams.h"
#include "infer/sampling.h"

namespace surprisal {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

struct Beam {
  std::vector<std::int32_t> ids;
  double log_probability = 0;
  std::int32_t sequence = 0;  // of the decoding
};

struct Candidate {
  double log_probability = kNever;
  std::size_t beam = 0;
  std::int32_t id = 0;
  // Of equals the earlier beam, then the smaller id.
  bool better_than(const Candidate& other) const {
    if (log_probability != other.log_probability) return log_probability > other.log_probability;
    return beam != other.beam ? beam < other.beam : id < other.id;
  }
};

struct Finished {
  double score = kNever;
  GeneratedTokens text;
};

class BeamSearch {
 public:
  BeamSearch(Transformer& model, const Tokenizer& tokenizer, std::span<const std::int32_t> context,
             const GenerateOptions& options)
      : options_(options),
        context_(context.begin(), context.end()),
        ends_(end_tokens(tokenizer, options.ends)),
        drawable_(drawable_tokens(tokenizer, model.config().vocab_size, ends_)),
        positions_(model.config().stream_positions()),
        room_(std::min(options.max_tokens, positions_ - std::ssize(context) + 1)),
        decoding_(model, options.beams, std::ssize(context) + room_) {}

  std::vector<GeneratedTokens> run() {
    begin();
    while (step()) extend();
    std::vector<GeneratedTokens> texts;
    if (finished_.empty())
      texts.push_back({.ids = beams_.front().ids, .stop = Stop::max_tokens});  // all banned
    for (Finished& finished : finished_) {
      if (std::ssize(texts) < options_.samples) texts.push_back(std::move(finished.text));
    }
    return texts;
  }

 private:
  void begin() {
    const std::vector<DecodingRow> rows = rows_of_text(context_);
    beams_.resize(1);
    if (options_.prefix_lm) return decoding_.begin_predicting(rows);
    decoding_.begin(std::span(rows).first(rows.size() - 1), ContextSight::before);
    const std::int32_t first[] = {0};
    decoding_.extend(first, std::span(rows).last(1));
  }

  std::size_t width() const { return static_cast<std::size_t>(options_.beams); }
  std::int64_t length() const { return std::ssize(beams_.front().ids); }  // the same for all
  bool is_end(std::int32_t id) const { return std::ranges::find(ends_, id) != ends_.end(); }

  // Log-probabilities of what may follow each beam, added to the beam's own.
  void add_candidates(std::size_t beam, std::vector<Candidate>& candidates) const {
    const std::span<const float> logits = decoding_.logits(beam);
    const double total = log_sum_exp(logits);
    std::vector<std::int32_t> text(context_);
    text.insert(text.end(), beams_[beam].ids.begin(), beams_[beam].ids.end());
    const std::vector<std::int32_t> banned = repeating_tokens(text, options_.no_repeat_ngram);
    for (std::int32_t id : drawable_) {
      if (std::ranges::find(banned, id) != banned.end()) continue;
      candidates.push_back(
          {beams_[beam].log_probability + logits[static_cast<std::size_t>(id)] - total, beam, id});
    }
  }

  std::vector<Candidate> best_candidates() const {
    std::vector<Candidate> candidates;
    for (std::size_t beam = 0; beam < beams_.size(); ++beam) add_candidates(beam, candidates);
    const std::size_t kept =
        std::min(candidates.size(), std::max<std::size_t>(2, 1 + ends_.size()) * width());
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                      candidates.end(),
                      [](const Candidate& a, const Candidate& b) { return a.better_than(b); });
    candidates.resize(kept);
    return candidates;
  }

  void finish(const Candidate& candidate, bool ended) {
    Finished finished{.text = {.ids = beams_[candidate.beam].ids, .nats = -candidate.log_probability}};
    if (!ended) {
      finished.text.ids.push_back(candidate.id);
      finished.text.stop = length() + 1 == options_.max_tokens ? Stop::max_tokens : Stop::positions;
    }
    finished.score =
        candidate.log_probability / std::pow(static_cast<double>(length() + 1), options_.length_penalty);
    const auto place =
        std::ranges::find_if(finished_, [&](const Finished& other) { return other.score < finished.score; });
    finished_.insert(place, std::move(finished));
    if (finished_.size() > width()) finished_.pop_back();
  }

  // Finishes texts and chooses the next beams. Whether there is something to go on with.
  bool step() {
    const bool last = length() + 1 == room_;
    const std::vector<Candidate> candidates = best_candidates();
    std::vector<Candidate> going_on;
    for (std::size_t rank = 0; rank < candidates.size(); ++rank) {
      const bool ended = is_end(candidates[rank].id);
      if (!ended && !last) {
        if (going_on.size() < width()) going_on.push_back(candidates[rank]);
      } else if (rank < width()) {
        finish(candidates[rank], ended);
      }
    }
    if (going_on.empty()) return false;
    go_on(going_on);
    const double best_possible =
        beams_.front().log_probability / std::pow(static_cast<double>(length()), options_.length_penalty);
    return finished_.size() < width() || best_possible > finished_.back().score;
  }

  // A beam that goes on more than once is copied to the place of one that does not.
  void go_on(const std::vector<Candidate>& candidates) {
    std::vector<bool> taken(width(), false);
    std::vector<Beam> next;
    for (const Candidate& candidate : candidates) {
      Beam beam = beams_[candidate.beam];
      const std::int32_t from = beam.sequence;
      if (taken[static_cast<std::size_t>(from)])
        beam.sequence = -1;
      else
        taken[static_cast<std::size_t>(from)] = true;
      beam.ids.push_back(candidate.id);
      beam.log_probability = candidate.log_probability;
      next.push_back(std::move(beam));
    }
    for (std::size_t index = 0; index < next.size(); ++index) {
      if (next[index].sequence >= 0) continue;
      const auto free = std::ranges::find(taken, false);
      *free = true;
      next[index].sequence = static_cast<std::int32_t>(free - taken.begin());
      decoding_.fork(beams_[candidates[index].beam].sequence, next[index].sequence);
    }
    beams_ = std::move(next);
  }

  void extend() {
    std::vector<std::int32_t> sequences;
    std::vector<DecodingRow> rows;
    const std::int64_t position = std::ssize(context_) + length() - 1;
    for (const Beam& beam : beams_) {
      sequences.push_back(beam.sequence);
      rows.push_back({beam.ids.back(), static_cast<std::int32_t>(position)});
    }
    decoding_.extend(sequences, rows);
  }

  const GenerateOptions& options_;
  const std::vector<std::int32_t> context_, ends_, drawable_;
  const std::int64_t positions_, room_;
  Decoding decoding_;
  std::vector<Beam> beams_;         // best first
  std::vector<Finished> finished_;  // likewise; at most as many as beams
};

}  // namespace

std::vector<GeneratedTokens> search_beams(Transformer& model, const Tokenizer& tokenizer,
                                          std::span<const std::int32_t> context,
                                          const GenerateOptions& options) {
  return BeamSearch(model, tokenizer, context, options).run();
}

}  // namespace surprisal
