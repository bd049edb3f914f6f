#include "objective/blank_infilling.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "objective/blank_layout.h"
#include "objective/blank_plan.h"
#include "objective/blank_spans.h"
#include "objective/blank_window.h"

namespace surprisal {
namespace {

struct Drawn {
  Blanks blanks{};
  const BlankLayout* layout = nullptr;
};

class BlankInfilling : public Objective {
 public:
  BlankInfilling(const ObjectiveTraits& traits, const BlankInfillingOptions& options,
                 const std::vector<LevelShare>& shares, const Tokenizer& tokenizer,
                 std::int64_t sequence_length)
      : traits_(traits), plan_(traits.name, options, shares, tokenizer, sequence_length) {}

  const ObjectiveTraits& traits() const override { return traits_; }
  SampleExtent extent(std::int64_t) const override { return plan_.extent(); }

  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                     Stream& sample) const override {
    Random random = key.random(Purpose::infilling);
    const LevelPlan& level = draw_level(random);
    const BlankWindow window = plan_.cutter.cut(corpus, key, cursor, level.length);
    const Drawn drawn = draw_blanks(random, level, window);
    const std::vector<std::size_t> order = draw_order(random, drawn.blanks.size(), plan_.options.shuffle);
    const std::vector<std::int32_t> pieces =
        lay_out_blanks(window.text, drawn.blanks, order, *drawn.layout, key, sample);
    if (plan_.noise && level.level == BlankLevel::token) add_noise(random, pieces, sample);
    if (plan_.options.compatible) cut_off(static_cast<std::int32_t>(level.rows), sample);
    return window.next;
  }

  std::int32_t group(const SampleKey& key) const override {
    if (plan_.options.level_per == "sequence") return 0;
    return 1 + static_cast<std::int32_t>(level_of(key).level);
  }

  SampleNotes notes(const SampleKey& key, const Stream& sample) const override;

 private:
  const LevelPlan& draw_level(Random& random) const {
    double left = random.uniform();
    for (const LevelPlan& level : plan_.levels) {
      if ((left -= level.probability) < 0) return level;
    }
    return plan_.levels.back();  // takes what rounding leaves
  }

  // The first that build() draws.
  const LevelPlan& level_of(const SampleKey& key) const {
    Random random = key.random(Purpose::infilling);
    return draw_level(random);
  }

  Drawn draw_blanks(Random& random, const LevelPlan& level, const BlankWindow& window) const {
    switch (level.level) {
      case BlankLevel::token:
        return {token_blanks(random, window), &level.layout};
      case BlankLevel::sentence:
        return {choose_sentences(random, window.sentences, plan_.masked_tokens(std::ssize(window.text))),
                &level.layout};
      case BlankLevel::document:
        return document_blank(random, level, window);
    }
    return {};
  }

  Blanks token_blanks(Random& random, const BlankWindow& window) const {
    if (window.region.size() < 1) return {};
    const bool single = random.uniform() < plan_.options.single_span;
    const std::int64_t masked = single ? 1 : plan_.masked_tokens(std::ssize(window.text));
    return place_spans(random,
                       draw_lengths(random, plan_.lengths, masked, window.region.size(), plan_.options.gap),
                       window.region, plan_.options.gap);
  }

  // One blank of any length, all alike, within [document_min_ratio, document_max_ratio] of the sequence; two
  // of its tokens stay at least.
  Drawn document_blank(Random& random, const LevelPlan& level, const BlankWindow& window) const {
    const std::int32_t size = static_cast<std::int32_t>(window.text.size());
    const bool suffix = random.uniform() < plan_.options.suffix;
    const Blank region = suffix ? Blank{window.body.begin, size} : window.region;
    const std::int32_t longest =
        std::min({share_of(plan_.options.document_max_ratio, size), size - 2, region.size()});
    if (longest < 1) return {{}, &level.layout};
    const std::int32_t least = std::clamp(share_of(plan_.options.document_min_ratio, size), 1, longest);
    const std::int32_t length =
        least + static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(longest - least + 1)));
    if (suffix) return {{{size - length, size}}, &level.suffix};
    return {place_spans(random, std::vector<std::int32_t>{length}, region, 0), &level.layout};
  }

  static std::int32_t share_of(double ratio, std::int32_t size) {
    return static_cast<std::int32_t>(ratio * size);  // rounded down, as GLM does it
  }

  // Hides single tokens of the pieces as inputs; they are predicted all the same.
  void add_noise(Random& random, const std::vector<std::int32_t>& pieces, Stream& sample) const {
    auto next_piece = pieces.begin();
    for (std::int32_t row = pieces.empty() ? sample.size() : pieces.front(); row < sample.size(); ++row) {
      if (next_piece != pieces.end() && row == *next_piece) {
        ++next_piece;  // start-of-piece
      } else if (random.uniform() < plan_.options.noise) {
        sample.token[row] = *plan_.noise;
      }
    }
  }

  const ObjectiveTraits& traits_;
  BlankPlan plan_;
};

SampleNotes BlankInfilling::notes(const SampleKey& key, const Stream& sample) const {
  const LevelPlan& level = level_of(key);
  const std::vector<BlankRow> rows = read_blanks(sample, level.layout);
  SampleNotes notes;
  notes.rows.resize(rows.size());
  std::vector<std::string> order;
  const std::int32_t context = sample.visible.front().end;
  for (std::int32_t row = 0; row < sample.size(); ++row) {
    const auto [piece, blank] = rows[row];
    const std::string where = blank < 0 ? "" : fmt::format("blank {}", blank + 1);
    notes.rows[row] = where;
    if (row < context) continue;
    const bool begins = row == context || rows[row - 1].piece != piece;
    if (begins) order.push_back(blank < 0 ? "?" : fmt::format("{}", blank + 1));
    notes.rows[row] = fmt::format("piece {}{}{}", piece + 1, where.empty() ? "" : ": ", where);
    if (!begins && plan_.noise && sample.token[row] == *plan_.noise) notes.rows[row] += ", hidden";
  }
  const char* plural = order.size() == 1 ? "" : "s";
  notes.lines.push_back(
      fmt::format("level {}: rows [0,{}) are the text and see one another; {} piece{} follow{}",
                  level_name(level.level), context, order.size(), plural, order.size() == 1 ? "s" : ""));
  if (std::find(order.begin(), order.end(), "?") == order.end()) {
    notes.lines.back() += fmt::format(", of blank{} {}", plural, fmt::join(order, ", "));
  }
  return notes;
}

std::shared_ptr<const Objective> make(const ObjectiveTraits& traits, const ObjectiveOptions& options,
                                      const std::vector<LevelShare>& shares, const Tokenizer& tokenizer,
                                      std::int64_t sequence_length) {
  return std::make_shared<BlankInfilling>(traits, options.blank_infilling, shares, tokenizer,
                                          sequence_length);
}

}  // namespace

std::shared_ptr<const Objective> make_blank_infilling(const ObjectiveOptions& options,
                                                      const Tokenizer& tokenizer,
                                                      std::int64_t sequence_length) {
  return make(kBlankInfillingTraits, options, parse_levels(options.blank_infilling.level), tokenizer,
              sequence_length);
}

std::shared_ptr<const Objective> make_token_infilling(const ObjectiveOptions& options,
                                                      const Tokenizer& tokenizer,
                                                      std::int64_t sequence_length) {
  return make(kTokenInfillingTraits, options, {{BlankLevel::token}}, tokenizer, sequence_length);
}

std::shared_ptr<const Objective> make_sentence_infilling(const ObjectiveOptions& options,
                                                         const Tokenizer& tokenizer,
                                                         std::int64_t sequence_length) {
  return make(kSentenceInfillingTraits, options, {{BlankLevel::sentence}}, tokenizer, sequence_length);
}

std::shared_ptr<const Objective> make_document_infilling(const ObjectiveOptions& options,
                                                         const Tokenizer& tokenizer,
                                                         std::int64_t sequence_length) {
  return make(kDocumentInfillingTraits, options, {{BlankLevel::document}}, tokenizer, sequence_length);
}

}  // namespace surprisal
