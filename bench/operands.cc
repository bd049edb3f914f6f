#include "operands.h"

#include "core/parallel.h"
#include "core/random.h"

namespace surprisal::bench {

Tensor Operands::take_zeros(Shape shape) {
  Arena& arena = *arenas_.emplace_back(std::make_unique<Arena>("operands"));
  arena.take(shape);
  arena.reserve();
  return arena.take(shape);
}

Tensor Operands::take(Shape shape) {
  constexpr std::int64_t kBlock = 1 << 16;
  Tensor tensor = take_zeros(shape);
  parallel_ranges(tensor.elements(), kBlock, [&](std::int64_t begin, std::int64_t end, int) {
    Random random({arenas_.size(), static_cast<std::uint64_t>(begin), 0, Purpose::sampling});
    for (std::int64_t i = begin; i < end; ++i) tensor.f32()[i] = static_cast<float>(random.uniform()) - 0.5f;
  });
  return tensor;
}

}  // namespace surprisal::bench
