#include "infer/infill.h"

#include <algorithm>
#include <string>

#include "surprisal/error.h"

#include "infer/decoding.h"
#include "infer/generate.h"
#include "infer/sampling.h"

namespace surprisal {
namespace {

// What all samples of a call share.
struct Filling {
  const BlankedText& text;
  std::vector<PiecePosition> position{};  // of each blank's rows
  std::int32_t start_of_piece = 0;
  std::int64_t positions = 0, block_positions = 0;  // that the model has
  std::int64_t max_tokens = 0;
  std::vector<std::int32_t> ends{}, drawable{};
  const PieceSink& sink;

  // Rows that a blank may have: one for the start of its piece, and one for every token of it, since the
  // pieces behind see them all. Of rows that repeat a position, as many as the text with the piece in its
  // blank's place may have.
  std::int64_t room(std::size_t blank) const {
    const std::int64_t rows = std::ssize(text.ids);
    const std::int64_t held = position[blank] == PiecePosition::two_dimensional ? block_positions - 1
                              : position[blank] == PiecePosition::go_on         ? positions - rows
                                                                                : positions - rows + 1;
    return max_tokens < held ? max_tokens + 1 : std::max<std::int64_t>(held, 0);
  }
};

// The pieces of one sample, one after the other.
class FilledText : public GrowingText {
 public:
  FilledText(const Filling& filling, TokenSampler sampler)
      : filling_(filling), sampler_(std::move(sampler)), pieces_(1) {}

  DecodingRow first() const override { return row(filling_.start_of_piece); }

  std::optional<DecodingRow> grow(std::span<const float> logits) override {
    GeneratedTokens& piece = pieces_.back();
    ++rows_;
    ++rows_of_piece_;
    if (piece.stop == Stop::max_tokens) return next_piece();  // its last token is behind us
    const DrawnToken drawn = sampler_.draw(logits);
    piece.nats += drawn.nats;
    const bool ends = std::ranges::find(filling_.ends, drawn.id) != filling_.ends.end();
    if (ends) return next_piece();
    piece.ids.push_back(drawn.id);
    if (filling_.sink) filling_.sink(pieces_);
    if (std::ssize(piece.ids) == filling_.max_tokens) piece.stop = Stop::max_tokens;
    if (piece.stop == Stop::max_tokens && is_last()) return {};
    if (has_row()) return row(drawn.id);
    if (piece.stop == Stop::end) piece.stop = Stop::positions;
    return next_piece();
  }

  std::vector<GeneratedTokens> take() { return std::move(pieces_); }

 private:
  std::size_t blank() const { return pieces_.size() - 1; }

  bool is_last() const { return pieces_.size() == filling_.text.masks.size(); }

  // Whether the model has positions for one more row of the present piece.
  bool has_row() const {
    if (filling_.position[blank()] == PiecePosition::go_on)
      return std::ssize(filling_.text.ids) + rows_ < filling_.positions;
    return rows_of_piece_ < filling_.room(blank());
  }

  DecodingRow row(std::int32_t token) const {
    const std::int32_t mask = filling_.text.masks[blank()];
    switch (filling_.position[blank()]) {
      case PiecePosition::two_dimensional:
        return {token, mask, static_cast<std::int32_t>(rows_of_piece_) + 1};
      case PiecePosition::repeat:
        return {token, mask};
      case PiecePosition::go_on:
        return {token, static_cast<std::int32_t>(std::ssize(filling_.text.ids) + rows_)};
    }
    return {};
  }

  std::optional<DecodingRow> next_piece() {
    while (!is_last()) {
      pieces_.emplace_back();
      rows_of_piece_ = 0;
      if (has_row()) return row(filling_.start_of_piece);
      pieces_.back().stop = Stop::positions;
    }
    return {};
  }

  const Filling& filling_;
  TokenSampler sampler_;
  std::vector<GeneratedTokens> pieces_;
  std::int64_t rows_ = 0, rows_of_piece_ = 0;  // that went through the model
};

Filling make_filling(const ModelConfig& config, const Tokenizer& tokenizer, const BlankedText& text,
                     const InfillOptions& options, const PieceSink& sink) {
  Filling filling{.text = text, .sink = sink};
  for (std::int32_t row : text.masks) {
    const std::int32_t mask = text.ids[static_cast<std::size_t>(row)];
    filling.position.push_back(options.position.empty() ? published_position(config, tokenizer, mask)
                                                        : piece_position("position", options.position));
  }
  filling.start_of_piece = *tokenizer.special().sop;
  filling.positions = config.stream_positions();
  filling.block_positions = config.block_positions;
  filling.max_tokens = options.max_tokens;
  filling.ends = end_tokens(tokenizer);
  filling.drawable = drawable_tokens(tokenizer, config.vocab_size, filling.ends);
  return filling;
}

std::int64_t rows_of(const Filling& filling) {
  std::int64_t rows = std::ssize(filling.text.ids);
  for (std::size_t blank = 0; blank < filling.text.masks.size(); ++blank) rows += filling.room(blank);
  return rows;
}

void require_room(const Filling& filling) {
  if (filling.room(0) > 0) return;
  throw Error(ErrorKind::usage, {.what = "the model has no position for what fills the first blank",
                                 .found = filling.position.front() == PiecePosition::two_dimensional
                                              ? "no block positions"
                                              : "a text that takes all of them",
                                 .fix = "shorten the text, or choose another position"});
}

}  // namespace

void require_infilling(const Tokenizer& tokenizer) {
  const SpecialTokens& special = tokenizer.special();
  const bool masks = special.mask || special.gmask || special.smask;
  if (masks && special.sop && !end_tokens(tokenizer).empty()) return;
  throw Error(ErrorKind::usage, {.what = "the tokenizer lacks special tokens of blank infilling",
                                 .expected = "a mask, a start of piece, and an end of piece or text",
                                 .fix = "`" + glm_specials_command() + "` adds them to yours; then train"});
}

PiecePosition published_position(const ModelConfig& config, const Tokenizer& tokenizer, std::int32_t mask) {
  if (config.block_positions > 0) return PiecePosition::two_dimensional;
  return mask == tokenizer.special().gmask ? PiecePosition::go_on : PiecePosition::repeat;
}

bool has_room(const ModelConfig& config, const Tokenizer& tokenizer, const BlankedText& text,
              const InfillOptions& options) {
  const PieceSink none;
  return std::ssize(text.ids) <= config.stream_positions() &&
         make_filling(config, tokenizer, text, options, none).room(0) > 0;
}

std::vector<std::vector<GeneratedTokens>> fill_blanks(Transformer& model, const Tokenizer& tokenizer,
                                                      const BlankedText& text,
                                                      std::span<const std::uint64_t> samples,
                                                      const InfillOptions& options, const PieceSink& sink) {
  const Filling filling = make_filling(model.config(), tokenizer, text, options, sink);
  require_room(filling);
  Decoding decoding(model, std::ssize(samples), rows_of(filling));
  decoding.begin(rows_of_text(text.ids), ContextSight::whole);
  std::vector<FilledText> texts;
  for (std::uint64_t sample : samples) {
    texts.emplace_back(filling, TokenSampler(options.sampling, filling.drawable, sample));
  }
  grow_all(decoding, texts);
  std::vector<std::vector<GeneratedTokens>> results;
  for (FilledText& text_of_sample : texts) results.push_back(text_of_sample.take());
  return results;
}

}  // namespace surprisal
