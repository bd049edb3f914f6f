#include "infer/decoding.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "ops/few_rows.h"

namespace surprisal {

Decoding::Decoding(Transformer& model, std::int64_t sequences, std::int64_t rows)
    : model_(model),
      rows_(rows),
      cache_(model.config(), sequences * rows),
      length_(static_cast<std::size_t>(sequences), 0),
      logits_(static_cast<std::size_t>(sequences * model.config().vocab_size)) {}

std::vector<DecodingRow> rows_of_text(std::span<const std::int32_t> ids) {
  std::vector<DecodingRow> rows;
  for (std::int32_t id : ids) rows.push_back({id, static_cast<std::int32_t>(rows.size())});
  return rows;
}

void Decoding::push(const DecodingRow& row, Interval visible) {
  stream_.token.push_back(row.token);
  stream_.position.push_back(row.position);
  stream_.block_position.push_back(row.block_position);
  stream_.segment.push_back(0);
  stream_.visible.push_back(visible);
}

void Decoding::begin(std::span<const DecodingRow> context, ContextSight sight) {
  const std::int32_t size = static_cast<std::int32_t>(context.size());
  assert(size <= rows_ && length_.front() == 0);
  context_ = size;
  if (size == 0) return;
  stream_.clear();
  slot_.resize(context.size());
  std::iota(slot_.begin(), slot_.end(), 0);
  for (std::int32_t row = 0; row < size; ++row) {
    push(context[static_cast<std::size_t>(row)], {0, sight == ContextSight::whole ? size : row + 1});
  }
  stream_.sequence.push_back({.begin = 0, .end = size});
  model_.extend(stream_, {&cache_, slot_});
  for (std::size_t sequence = 0; sequence < length_.size(); ++sequence) {
    length_[sequence] = size;
    if (sequence > 0) cache_.copy(0, size, first_slot(static_cast<std::int32_t>(sequence)));
  }
}

void Decoding::begin_predicting(std::span<const DecodingRow> context) {
  begin(context, ContextSight::whole);
  last_.assign(1, static_cast<std::int32_t>(context.size()) - 1);
  model_.logits(last_, std::span(logits_).first(static_cast<std::size_t>(model_.config().vocab_size)));
  began_predicting_ = true;
}

// In groups of rows whose bits do not depend on one another.
void Decoding::extend(std::span<const std::int32_t> sequences, std::span<const DecodingRow> rows) {
  assert(sequences.size() == rows.size());
  began_predicting_ = false;
  constexpr std::size_t kGroup = static_cast<std::size_t>(kFewRows);
  for (std::size_t begin = 0; begin < rows.size(); begin += kGroup) {
    const std::size_t count = std::min(kGroup, rows.size() - begin);
    extend_group(begin, sequences.subspan(begin, count), rows.subspan(begin, count));
  }
}

void Decoding::extend_group(std::size_t first, std::span<const std::int32_t> sequences,
                            std::span<const DecodingRow> rows) {
  stream_.clear();
  slot_.clear();
  last_.resize(sequences.size());
  std::iota(last_.begin(), last_.end(), 0);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::int32_t begin = first_slot(sequences[row]);
    std::int32_t& length = length_[static_cast<std::size_t>(sequences[row])];
    assert(length < rows_);
    slot_.push_back(begin + length++);
    push(rows[row], {begin, begin + length});
    const std::int32_t at = static_cast<std::int32_t>(row);
    stream_.sequence.push_back({.begin = at, .end = at + 1});
  }
  model_.extend(stream_, {&cache_, slot_});
  const auto vocabulary = static_cast<std::size_t>(model_.config().vocab_size);
  model_.logits(last_, std::span(logits_).subspan(first * vocabulary, rows.size() * vocabulary));
}

void Decoding::fork(std::int32_t from, std::int32_t to) {
  const std::int32_t length = length_[static_cast<std::size_t>(from)], begin = first_slot(from);
  cache_.copy(begin + context_, begin + length, first_slot(to) + context_);
  length_[static_cast<std::size_t>(to)] = length;
}

std::span<const float> Decoding::logits(std::size_t index) const {
  const auto vocabulary = static_cast<std::size_t>(model_.config().vocab_size);
  return std::span(logits_).subspan(index * vocabulary, vocabulary);
}

void grow_all(Decoding& decoding, std::span<GrowingText* const> texts) {
  std::vector<std::int32_t> growing(texts.size());
  std::iota(growing.begin(), growing.end(), 0);
  std::vector<DecodingRow> rows;
  const bool predicted = decoding.began_predicting();
  for (const GrowingText* text : texts) {
    if (!predicted) rows.push_back(text->first());
  }
  for (bool first = true; !growing.empty(); first = false) {
    const bool of_context = first && predicted;
    if (!of_context) decoding.extend(growing, rows);
    std::vector<std::int32_t> still;
    rows.clear();
    for (std::size_t index = 0; index < growing.size(); ++index) {
      GrowingText& text = *texts[static_cast<std::size_t>(growing[index])];
      const std::optional<DecodingRow> next = text.grow(decoding.logits(of_context ? 0 : index));
      if (!next) continue;
      still.push_back(growing[index]);
      rows.push_back(*next);
    }
    growing = std::move(still);
  }
}

}  // namespace surprisal
