// Sequences that grow token by token through a key-value cache, side by side, so that the weights are read
// once for all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "surprisal/stream.h"

#include "model/transformer.h"

namespace surprisal {

// A row as the model reads it.
struct DecodingRow {
  std::int32_t token = 0;
  std::int32_t position = 0, block_position = 0;
};

// The rows of a text from its beginning: positions from 0.
std::vector<DecodingRow> rows_of_text(std::span<const std::int32_t> ids);

enum class ContextSight { before, whole };  // what a row of the context sees: what stands before it, or all

class Decoding {
 public:
  // `rows`: most of one sequence. REQUIRES a model with room for `sequences` tokens and targets.
  Decoding(Transformer& model, std::int64_t sequences, std::int64_t rows);

  // What all sequences begin with. REQUIRES a model with room for it, and nothing in the sequences yet.
  void begin(std::span<const DecodingRow> context, ContextSight sight);

  // The same with ContextSight::whole, and what follows its last row is there: logits(0), for all sequences.
  void begin_predicting(std::span<const DecodingRow> context);

  // One more row for each of `sequences`; it sees all rows of its own. What follows it: logits().
  void extend(std::span<const std::int32_t> sequences, std::span<const DecodingRow> rows);

  // Makes sequence `to` what sequence `from` is.
  void fork(std::int32_t from, std::int32_t to);

  // [V], behind the row that extend() gave last to the `index`-th of its sequences.
  std::span<const float> logits(std::size_t index) const;
  bool began_predicting() const { return began_predicting_; }

 private:
  std::int32_t first_slot(std::int32_t sequence) const { return sequence * static_cast<std::int32_t>(rows_); }
  void push(const DecodingRow& row, Interval visible);
  void extend_group(std::size_t first, std::span<const std::int32_t> sequences,
                    std::span<const DecodingRow> rows);

  Transformer& model_;
  std::int64_t rows_;
  KeyValueCache cache_;
  bool began_predicting_ = false;     // and no row was added since
  std::int32_t context_ = 0;          // rows that all sequences begin with
  std::vector<std::int32_t> length_;  // of each sequence
  Stream stream_;
  std::vector<std::int32_t> slot_, last_;
  std::vector<float> logits_;  // [sequences, V]
};

// A text that is made from what the model says.
class GrowingText {
 public:
  virtual ~GrowingText() = default;
  virtual DecodingRow first() const = 0;
  // The next row, given the logits behind the last one; nothing where the text is done.
  virtual std::optional<DecodingRow> grow(std::span<const float> logits) = 0;
};

// Grows text i as sequence i, all to their ends. Where the decoding began predicting, first() is not asked.
void grow_all(Decoding& decoding, std::span<GrowingText* const> texts);

template <typename Text>
void grow_all(Decoding& decoding, std::vector<Text>& texts) {
  std::vector<GrowingText*> growing;
  for (Text& text : texts) growing.push_back(&text);
  grow_all(decoding, std::span<GrowingText* const>(growing));
}

}  // namespace surprisal
