#include "model/key_value_cache.h"

#include <algorithm>

namespace surprisal {
namespace {

Tensor take(Arena& arena, const ModelConfig& config, std::int64_t rows) {
  return arena.take({config.num_hidden_layers, 2, rows, config.key_size()});
}

}  // namespace

KeyValueCache::KeyValueCache(const ModelConfig& config, std::int64_t rows)
    : rows_(rows), width_(config.key_size()), layers_(config.num_hidden_layers) {
  take(arena_, config, rows);
  arena_.reserve();
  memory_ = take(arena_, config, rows);
}

std::size_t KeyValueCache::bytes(const ModelConfig& config, std::int64_t rows) {
  Arena arena("key-value cache");
  take(arena, config, rows);
  return arena.peak_bytes();
}

void KeyValueCache::store(std::int64_t layer, std::span<const std::int32_t> slot, const HeadTensor& keys,
                          const HeadTensor& values) {
  for (std::size_t row = 0; row < slot.size(); ++row) {
    const std::int64_t from = static_cast<std::int64_t>(row) * keys.stride;
    std::copy_n(keys.data + from, width_, at(layer, 0, slot[row]));
    std::copy_n(values.data + from, width_, at(layer, 1, slot[row]));
  }
}

void KeyValueCache::copy(std::int32_t begin, std::int32_t end, std::int32_t to) {
  for (std::int64_t layer = 0; layer < layers_; ++layer) {
    for (int which : {0, 1}) {
      std::copy(at(layer, which, begin), at(layer, which, end), at(layer, which, to));
    }
  }
}

}  // namespace surprisal
