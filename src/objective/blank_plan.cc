#include "objective/blank_plan.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "objective/requirements.h"

namespace surprisal {
namespace {

std::string key_of(const char* name) {
  return fmt::format("objective.blank_infilling.{}", name);
}

[[noreturn]] void fail_range(const char* name, std::string found, const char* expected) {
  throw Error(ErrorKind::usage,
              {.what = key_of(name) + " is out of range", .found = std::move(found), .expected = expected});
}

// Options read from a file were checked before, those set by a program not.
BlankInfillingOptions checked(const BlankInfillingOptions& options) {
  for (auto [name, value] : {std::pair{"mask_ratio", options.mask_ratio},
                             {"single_span", options.single_span},
                             {"document_min_ratio", options.document_min_ratio},
                             {"document_max_ratio", options.document_max_ratio},
                             {"suffix", options.suffix},
                             {"noise", options.noise},
                             {"short_sequence", options.short_sequence}}) {
    require_probability(key_of(name), value);
  }
  if (!(options.mask_ratio > 0)) fail_range("mask_ratio", fmt::format("{}", options.mask_ratio), "above 0");
  if (!(options.poisson_lambda > 0 && options.poisson_lambda <= 1e6)) {
    fail_range("poisson_lambda", fmt::format("{}", options.poisson_lambda), "a number in (0, 1e6]");
  }
  for (auto [name, value, least] : {std::tuple{"max_span", options.max_span, 1},
                                    {"gap", options.gap, 0},
                                    {"text_length", options.text_length, 0},
                                    {"parts", options.parts, 1}}) {
    if (value >= least && value <= std::numeric_limits<std::int32_t>::max()) continue;
    fail_range(name, fmt::format("{}", value), least == 0 ? "at least 0" : "at least 1");
  }
  if (options.document_min_ratio > options.document_max_ratio) {
    throw Error(ErrorKind::usage,
                {.what = "objective.blank_infilling has no length for a document's blank",
                 .found = fmt::format("document_min_ratio {}, document_max_ratio {}",
                                      options.document_min_ratio, options.document_max_ratio),
                 .expected = "the first no larger than the second"});
  }
  return options;
}

PiecePosition position_of(const char* name, const std::string& value) {
  return piece_position(key_of(name), value);
}

// Makes the plans of levels.
class Planner {
 public:
  Planner(std::string_view objective, const BlankInfillingOptions& options, const Tokenizer& tokenizer,
          std::int64_t sequence_length)
      : objective_(objective), options_(options), tokenizer_(tokenizer), sequence_length_(sequence_length) {}

  LevelPlan plan(const LevelShare& share) const {
    const bool document = share.level == BlankLevel::document;
    const std::int64_t parts = document ? 1 : options_.parts;
    LevelPlan plan{.level = share.level,
                   .probability = share.share * static_cast<double>(parts),
                   .length = text_length() / parts,
                   .rows = sequence_length_ / parts};
    plan.layout = {.mask = mask(share.level),
                   .start_of_piece = require_blank_token(objective_, BlankToken::start_of_piece, tokenizer_),
                   .position = position(share.level)};
    plan.suffix = plan.layout;
    // Asked for only where a piece may end with it.
    const bool inner = options_.end_of_piece && (!document || options_.suffix < 1);
    const bool last = options_.suffix_end_of_piece && document && options_.suffix > 0;
    if (inner) plan.layout.end_of_piece = end_of_piece();
    if (last) plan.suffix.end_of_piece = end_of_piece();
    return plan;
  }

 private:
  std::int64_t text_length() const {
    return options_.text_length == 0 ? sequence_length_ : std::min(options_.text_length, sequence_length_);
  }

  std::int32_t mask(BlankLevel level) const {
    const BlankToken token =
        level == BlankLevel::token      ? blank_mask(key_of("token_mask"), options_.token_mask)
        : level == BlankLevel::sentence ? blank_mask(key_of("sentence_mask"), options_.sentence_mask)
                                        : blank_mask(key_of("document_mask"), options_.document_mask);
    return require_blank_token(objective_, token, tokenizer_);
  }

  PiecePosition position(BlankLevel level) const {
    const PiecePosition everywhere = position_of("position", options_.position);
    if (level != BlankLevel::document || options_.document_position == "as_position") return everywhere;
    return position_of("document_position", options_.document_position);
  }

  std::int32_t end_of_piece() const {
    return require_blank_token(objective_, BlankToken::end_of_piece, tokenizer_);
  }

  std::string_view objective_;
  const BlankInfillingOptions& options_;
  const Tokenizer& tokenizer_;
  std::int64_t sequence_length_;
};

std::optional<std::int32_t> noise_of(const BlankInfillingOptions& options, const Tokenizer& tokenizer) {
  if (options.noise == 0) return std::nullopt;
  if (std::optional<std::int32_t> id = tokenizer.id(options.noise_token)) return id;
  throw Error(ErrorKind::usage, {.what = "the tokenizer has no token " + options.noise_token,
                                 .where = key_of("noise_token"),
                                 .fix = "name one that it has, or set objective.blank_infilling.noise = 0"});
}

// What is drawn is 1 .. max_span tokens, about poisson_lambda.
void check_spans(std::string_view objective, const BlankPlan& plan, const LevelPlan& level) {
  require_length(objective, level.length, plan.cutter.special_rows() + 2);
  if (level.level != BlankLevel::token) return;
  const std::int64_t room = level.length - plan.cutter.special_rows();
  const double typical = std::min(plan.options.poisson_lambda, static_cast<double>(plan.options.max_span));
  if (typical <= static_cast<double>(room)) return;
  throw Error(ErrorKind::usage,
              {.what = fmt::format("spans of objective {} would be longer than a sequence", objective),
               .found = fmt::format("objective.blank_infilling.poisson_lambda {}, max_span {}",
                                    plan.options.poisson_lambda, plan.options.max_span),
               .expected = fmt::format("one of them at most {}, the tokens of a sequence", room),
               .fix = "lower one of them, or raise data.sequence_length"});
}

}  // namespace

BlankPlan::BlankPlan(std::string_view objective, const BlankInfillingOptions& given,
                     const std::vector<LevelShare>& shares, const Tokenizer& tokenizer,
                     std::int64_t sequence_length)
    : options(checked(given)),
      cutter(objective, options, tokenizer),
      lengths(SpanLengths::poisson(options.poisson_lambda, options.max_span)) {
  require_length(objective, sequence_length, options.parts * (cutter.special_rows() + 2));
  require_choice(key_of("level_per"), options.level_per, {"sequence", "micro_batch"});
  const Planner planner(objective, options, tokenizer, sequence_length);
  double sum = 0;
  for (const LevelShare& share : shares) {
    levels.push_back(planner.plan(share));
    check_spans(objective, *this, levels.back());
    sum += levels.back().probability;
  }
  for (LevelPlan& level : levels) level.probability /= sum;
  if (shares.front().level == BlankLevel::token) noise = noise_of(options, tokenizer);
}

SampleExtent BlankPlan::extent() const {
  SampleExtent largest;
  for (const LevelPlan& level : levels) {
    const SampleExtent one = extent(level);
    largest.rows = std::max(largest.rows, one.rows);
    largest.positions = std::max(largest.positions, one.positions);
    largest.block_positions = std::max(largest.block_positions, one.block_positions);
  }
  return largest;
}

std::int64_t BlankPlan::masked_tokens(std::int64_t rows) const {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(options.mask_ratio * static_cast<double>(rows)));
}

// n rows of text of which M are blank, in m pieces, make n - M + m rows of Part A and M of Part B, and m more
// with ends of pieces. Every span has a token at least, and none is added once enough are blank.
SampleExtent BlankPlan::extent(const LevelPlan& plan) const {
  const std::int64_t length = plan.length, tokens = length - cutter.rows_before();
  std::int64_t spans = 1, longest = tokens;
  if (plan.level != BlankLevel::document) spans = masked_tokens(length);
  if (plan.level == BlankLevel::token) {
    spans = std::min(spans, (tokens + options.gap) / (1 + options.gap));
    longest = std::min(longest, options.max_span);
  }
  const std::int64_t ends = plan.layout.end_of_piece || plan.suffix.end_of_piece ? 1 : 0;
  SampleExtent extent{.rows = length + spans * (1 + ends), .positions = length};
  if (options.compatible) extent.rows = std::min(extent.rows, plan.rows);
  if (plan.layout.position == PiecePosition::go_on) extent.positions = extent.rows;
  if (plan.layout.position == PiecePosition::two_dimensional) extent.block_positions = longest + ends + 1;
  return extent;
}

}  // namespace surprisal
