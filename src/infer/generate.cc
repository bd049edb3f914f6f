#include "infer/generate.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "infer/decoding.h"
#include "infer/repeated_ngrams.h"
#include "infer/sampling.h"

namespace surprisal {
namespace {

// Left to right after `context`, whose last token is the first row.
class ContinuedText : public GrowingText {
 public:
  ContinuedText(std::span<const std::int32_t> context, const ModelConfig& config,
                const GenerateOptions& options, const std::vector<std::int32_t>& ends, TokenSampler sampler,
                const TokenSink& sink)
      : context_(context),
        no_repeat_ngram_(options.no_repeat_ngram),
        position_(static_cast<std::int32_t>(context.size()) - 1),
        positions_(config.stream_positions()),
        max_tokens_(options.max_tokens),
        ends_(ends),
        sampler_(std::move(sampler)),
        sink_(sink) {}

  DecodingRow first() const override { return {context_.back(), position_}; }

  std::optional<DecodingRow> grow(std::span<const float> logits) override {
    const DrawnToken drawn = sampler_.draw(logits, repeating());
    text_.nats += drawn.nats;
    if (std::find(ends_.begin(), ends_.end(), drawn.id) != ends_.end()) return {};
    text_.ids.push_back(drawn.id);
    if (sink_) sink_(text_.ids);
    if (std::ssize(text_.ids) == max_tokens_) return stop(Stop::max_tokens);
    if (++position_ == positions_) return stop(Stop::positions);
    return DecodingRow{drawn.id, position_};
  }

  GeneratedTokens take() { return std::move(text_); }

 private:
  std::optional<DecodingRow> stop(Stop why) {
    text_.stop = why;
    return {};
  }

  std::vector<std::int32_t> repeating() const {
    if (no_repeat_ngram_ == 0) return {};
    std::vector<std::int32_t> all(context_.begin(), context_.end());
    all.insert(all.end(), text_.ids.begin(), text_.ids.end());
    return repeating_tokens(all, no_repeat_ngram_);
  }

  std::span<const std::int32_t> context_;
  std::int64_t no_repeat_ngram_;
  std::int32_t position_;
  std::int64_t positions_, max_tokens_;
  const std::vector<std::int32_t>& ends_;
  TokenSampler sampler_;
  const TokenSink& sink_;
  GeneratedTokens text_;
};

}  // namespace

std::string_view name_of(Stop stop) {
  switch (stop) {
    case Stop::end:
      return "end";
    case Stop::max_tokens:
      return "max_tokens";
    case Stop::positions:
      return "positions";
  }
  return {};
}

std::vector<std::int32_t> end_tokens(const Tokenizer& tokenizer, std::span<const std::int32_t> more) {
  std::vector<std::int32_t> ends(more.begin(), more.end());
  for (const auto& end : {tokenizer.special().eos, tokenizer.special().eop}) {
    if (end && std::find(ends.begin(), ends.end(), *end) == ends.end()) ends.push_back(*end);
  }
  return ends;
}

void check_counts(std::int64_t max_tokens, std::int64_t samples) {
  constexpr std::int64_t kMostSamples = 4096;
  if (max_tokens < 1) {
    throw Error(ErrorKind::usage, {.what = "max_tokens is out of range",
                                   .found = fmt::format("{}", max_tokens),
                                   .expected = "at least 1"});
  }
  if (samples < 1 || samples > kMostSamples) {
    throw Error(ErrorKind::usage, {.what = "the number of samples is out of range",
                                   .found = fmt::format("{}", samples),
                                   .expected = fmt::format("1 to {}", kMostSamples)});
  }
}

std::vector<GeneratedTokens> continue_tokens(Transformer& model, const Tokenizer& tokenizer,
                                             std::span<const std::int32_t> context,
                                             const GenerateOptions& options, const TokenSink& sink) {
  const ModelConfig& config = model.config();
  const std::int64_t held = std::ssize(context);
  const std::int64_t rows =
      std::min(held + std::min(options.max_tokens, config.stream_positions()), config.stream_positions());
  Decoding decoding(model, options.samples, rows);
  if (options.prefix_lm) {
    decoding.begin_predicting(rows_of_text(context));
  } else {
    decoding.begin(rows_of_text(context.first(context.size() - 1)), ContextSight::before);
  }
  const std::vector<std::int32_t> ends = end_tokens(tokenizer, options.ends);
  const std::vector<std::int32_t> drawable = drawable_tokens(tokenizer, config.vocab_size, ends);
  std::vector<ContinuedText> texts;
  for (std::int64_t sample = 0; sample < options.samples; ++sample) {
    texts.emplace_back(context, config, options, ends,
                       TokenSampler(options.sampling, drawable, static_cast<std::uint64_t>(sample)), sink);
  }
  grow_all(decoding, texts);
  std::vector<GeneratedTokens> results;
  for (ContinuedText& text : texts) results.push_back(text.take());
  return results;
}

}  // namespace surprisal
