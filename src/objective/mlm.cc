#include "objective/mlm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "objective/layout.h"
#include "objective/requirements.h"

namespace surprisal {
namespace {

MlmOptions checked(const MlmOptions& options) {
  require_probability("objective.mlm.probability", options.probability);
  require_probability("objective.mlm.mask", options.mask);
  require_probability("objective.mlm.random", options.random);
  constexpr double kRounding = 1e-9;  // of a sum of decimal fractions
  if (options.mask + options.random > 1 + kRounding) {
    throw Error(ErrorKind::usage, {.what = "objective.mlm.mask + objective.mlm.random is out of range",
                                   .found = fmt::format("{}", options.mask + options.random),
                                   .expected = "at most 1"});
  }
  if (options.count != "fixed" && options.count != "bernoulli") {
    throw Error(
        ErrorKind::usage,
        {.what = "objective.mlm.count is unknown", .found = options.count, .expected = "fixed or bernoulli"});
  }
  return options;
}

class Mlm : public Objective {
 public:
  Mlm(const MlmOptions& options, const Tokenizer& tokenizer, std::int64_t sequence_length)
      : options_(checked(options)),
        mask_(require_special(kMlmTraits.name, "a mask token", tokenizer.special().mask, "wordpiece",
                              tokenizer)),
        template_(tokenizer.single_template().begin(), tokenizer.single_template().end()),
        window_(sequence_length - special_rows(template_)) {
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
    std::vector<std::int32_t> rows;
    for (std::int32_t row = 0; row < sample.size(); ++row) {
      if (!is_special(sample.token[row])) rows.push_back(row);
    }
    if (rows.empty()) return;  // nothing to predict: a sample without a target
    if (options_.count == "fixed") {
      keep_fixed_count(random, sample.size(), rows);
    } else {
      keep_each_alone(random, rows);
    }
    for (std::int32_t row : rows) {
      sample.target.push_back({row, sample.token[row], 1});
      sample.token[row] = shown(random, sample.token[row]);
    }
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

  // As BERT's create_pretraining_data: the count follows from the whole length, halves to even; capped at the
  // candidates.
  void keep_fixed_count(Random& random, std::int32_t length, std::vector<std::int32_t>& rows) const {
    double wanted = std::max(1.0, std::nearbyint(options_.probability * length));
    std::size_t count = std::min(rows.size(), static_cast<std::size_t>(wanted));
    for (std::size_t i = 0; i < count; ++i) {  // the first steps of a Fisher-Yates shuffle
      std::swap(rows[i], rows[i + random.below(static_cast<std::uint32_t>(rows.size() - i))]);
    }
    rows.resize(count);
    std::sort(rows.begin(), rows.end());
  }

  void keep_each_alone(Random& random, std::vector<std::int32_t>& rows) const {
    std::int32_t fallback = rows[random.below(static_cast<std::uint32_t>(rows.size()))];
    std::erase_if(rows, [&](std::int32_t) { return random.uniform() >= options_.probability; });
    if (rows.empty()) rows.push_back(fallback);
  }

  // What stands in the place of a predicted token.
  std::int32_t shown(Random& random, std::int32_t original) const {
    double draw = random.uniform();
    if (draw < options_.mask) return mask_;
    if (draw >= options_.mask + options_.random) return original;
    return ordinary_[random.below(static_cast<std::uint32_t>(ordinary_.size()))];
  }

  MlmOptions options_;
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
