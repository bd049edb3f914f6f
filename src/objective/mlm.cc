#include "objective/mlm.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "objective/layout.h"
#include "objective/masked_rows.h"
#include "objective/requirements.h"
#include "objective/words.h"

namespace surprisal {
namespace {

// A probability at the first step and at the last.
struct Schedule {
  double first, last;

  Schedule(const std::string& key, double first_step, double last_step)
      : first(first_step), last(last_step == kUnchanged ? first_step : last_step) {
    require_probability("objective.mlm." + key, first);
    require_probability("objective.mlm.final_" + key, last);
  }
  double at(double progress) const { return std::lerp(first, last, progress); }
};

void require_shares(const char* prefix, double mask, double random) {
  constexpr double kRounding = 1e-9;  // of a sum of decimal fractions
  if (mask + random <= 1 + kRounding) return;
  throw Error(ErrorKind::usage,
              {.what = fmt::format("objective.mlm.{0}mask + objective.mlm.{0}random is out of range", prefix),
               .found = fmt::format("{}", mask + random),
               .expected = "at most 1"});
}

void check_units(const MlmOptions& options) {
  require_choice("objective.mlm.count", options.count, {"fixed", "bernoulli"});
  require_choice("objective.mlm.unit", options.unit, {"token", "word", "span"});
  if (options.unit == "span" && options.count == "bernoulli") {
    throw Error(ErrorKind::usage,
                {.what = "objective.mlm.count = \"bernoulli\" has no meaning with spans",
                 .fix = "leave it out: spans are drawn until they hold the share of tokens"});
  }
  require_probability("objective.mlm.span_probability", options.span_probability);
  if (options.span_probability > 0 && options.span_max_words >= 1) return;
  throw Error(ErrorKind::usage, {.what = "spans would have no length",
                                 .found = fmt::format("objective.mlm.span_probability {}, span_max_words {}",
                                                      options.span_probability, options.span_max_words),
                                 .expected = "both above 0"});
}

class Mlm : public Objective {
 public:
  Mlm(const MlmOptions& options, const Tokenizer& tokenizer, std::int64_t sequence_length)
      : probability_("probability", options.probability, options.final_probability),
        mask_share_("mask", options.mask, options.final_mask),
        random_share_("random", options.random, options.final_random),
        mask_(require_special(kMlmTraits.name, "a mask token", tokenizer.special().mask, "wordpiece",
                              tokenizer)),
        template_(tokenizer.single_template().begin(), tokenizer.single_template().end()),
        window_(sequence_length - special_rows(template_)) {
    require_shares("", mask_share_.first, random_share_.first);
    require_shares("final_", mask_share_.last, random_share_.last);
    check_units(options);
    bernoulli_ = options.count == "bernoulli";
    if (options.unit != "token") words_.emplace("objective.mlm.unit = \"" + options.unit + "\"", tokenizer);
    if (options.unit == "span") {
      span_lengths_ = SpanLengths::geometric(options.span_probability, options.span_max_words);
    }
    require_length(kMlmTraits.name, sequence_length, special_rows(template_) + 1);
    list_tokens(tokenizer);
  }

  const ObjectiveTraits& traits() const override { return kMlmTraits; }

  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                     Stream& sample) const override {
    std::span<const std::int32_t> document = corpus.document(key.document).tokens;
    std::int64_t size = std::min(window_, static_cast<std::int64_t>(document.size()) - cursor);
    lay_out_template(template_, document.subspan(cursor, size), {}, key, sample);
    join(key, sample);
    return cursor + size;
  }

  void join(const SampleKey& key, Stream& sample) const override {
    Random random = key.random(Purpose::masking);
    Rows rows;
    for (std::int32_t row = 0; row < sample.size(); ++row) {
      if (!is_special(sample.token[row])) rows.push_back(row);
    }
    if (rows.empty()) return;  // nothing to predict: a sample without a target
    rows = choose(random, probability_.at(key.progress), sample, std::move(rows));
    replace(random, key.progress, rows, sample);
  }

 private:
  void list_tokens(const Tokenizer& tokenizer) {
    std::int32_t size = tokenizer.vocabulary_size();
    special_.resize(static_cast<std::size_t>(size));
    for (std::int32_t id = 0; id < size; ++id) {
      special_[id] = tokenizer.is_special(id);
      if (!special_[id] && !tokenizer.token(id).empty()) ordinary_.push_back(id);
    }
    if (ordinary_.empty()) {
      fail_tokenizer(kMlmTraits.name, "tokens that are not special", "wordpiece", tokenizer);
    }
  }

  bool is_special(std::int32_t id) const {
    return static_cast<std::size_t>(id) < special_.size() && special_[id];
  }

  // Of the candidates, which are not none.
  Rows choose(Random& random, double probability, const Stream& sample, Rows rows) const {
    if (!words_) {
      return bernoulli_ ? choose_tokens_alone(random, probability, std::move(rows))
                        : choose_tokens(random, rounded_count(probability, sample.size()), std::move(rows));
    }
    std::vector<Word> words = words_of(rows, sample);
    if (span_lengths_) {
      double count = std::ceil(probability * sample.size());  // SpanBERT's rounding
      return choose_spans(random, static_cast<std::size_t>(std::max(1.0, count)), *span_lengths_, words);
    }
    return bernoulli_ ? choose_words_alone(random, probability, words)
                      : choose_words(random, rounded_count(probability, sample.size()), std::move(words));
  }

  // Rows of a word follow one another: a special token ends it.
  std::vector<Word> words_of(const Rows& rows, const Stream& sample) const {
    std::vector<Word> words;
    for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
      while (end < rows.size() && rows[end] - rows[begin] == static_cast<std::int32_t>(end - begin)) ++end;
      std::span<const std::int32_t> tokens(sample.token.data() + rows[begin], end - begin);
      std::vector<bool> begins = words_->find(tokens);
      for (std::size_t i = 0; i < tokens.size(); ++i) {
        std::int32_t row = rows[begin + i];
        if (begins[i]) words.push_back({row, row});
        words.back().end = row + 1;
      }
    }
    return words;
  }

  // What becomes of the rows is drawn for each, of spans for each run of rows side by side.
  void replace(Random& random, double progress, const Rows& rows, Stream& sample) const {
    double mask = mask_share_.at(progress), other = mask + random_share_.at(progress), draw = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::int32_t& token = sample.token[rows[i]];
      sample.target.push_back({rows[i], token, 1});
      bool goes_on = span_lengths_ && i > 0 && rows[i] == rows[i - 1] + 1;
      if (!goes_on) draw = random.uniform();
      if (draw < mask) {
        token = mask_;
      } else if (draw < other) {
        token = ordinary_[random.below(static_cast<std::uint32_t>(ordinary_.size()))];
      }
    }
  }

  Schedule probability_, mask_share_, random_share_;
  bool bernoulli_ = false;
  std::optional<WordFinder> words_;          // unless the unit is the token
  std::optional<SpanLengths> span_lengths_;  // where it is the span
  std::int32_t mask_;
  std::vector<TemplatePiece> template_;
  std::int64_t window_;                 // tokens of text in a sequence
  std::vector<bool> special_;           // by id
  std::vector<std::int32_t> ordinary_;  // the ids that a random token is drawn from
};

}  // namespace

std::shared_ptr<const Objective> make_mlm(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                          std::int64_t sequence_length) {
  return std::make_shared<Mlm>(options.mlm, tokenizer, sequence_length);
}

}  // namespace surprisal
