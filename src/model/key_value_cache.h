// Keys and values of rows that went through the model before, for rows that go on from there: generation goes
// through a text once instead of once a token. Rows of several sequences lie where the caller puts them; one
// sequence's must be contiguous, since a row sees one interval of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/arena.h"
#include "model/config.h"
#include "ops/attention.h"

namespace surprisal {

class KeyValueCache {
 public:
  // Room for `rows` keys and values of every layer: bytes(config, rows). Throws Error (memory).
  KeyValueCache(const ModelConfig& config, std::int64_t rows);

  static std::size_t bytes(const ModelConfig& config, std::int64_t rows);

  std::int64_t rows() const { return rows_; }
  HeadTensor keys(std::int64_t layer) const { return {at(layer, 0, 0), rows_, width_}; }
  HeadTensor values(std::int64_t layer) const { return {at(layer, 1, 0), rows_, width_}; }

  // Keeps row i of keys and values as row slot[i]. The keys are turned by their positions already.
  void store(std::int64_t layer, std::span<const std::int32_t> slot, const HeadTensor& keys,
             const HeadTensor& values);

  // Copies rows [begin, end) of every layer to where they begin at row `to`.
  void copy(std::int32_t begin, std::int32_t end, std::int32_t to);

 private:
  float* at(std::int64_t layer, int which, std::int64_t row) const {
    return memory_.f32() + ((layer * 2 + which) * rows_ + row) * width_;
  }

  std::int64_t rows_, width_, layers_;
  Arena arena_{"key-value cache", "ask for fewer texts, tokens or blanks at once"};
  Tensor memory_;  // f32 [layers, 2, rows, K], K: the width of the keys
};

// Where the rows of a stream go in a cache, one slot each; its `visible` then counts rows of the cache.
struct CachePlaces {
  KeyValueCache* cache = nullptr;
  std::span<const std::int32_t> slot;
};

}  // namespace surprisal
