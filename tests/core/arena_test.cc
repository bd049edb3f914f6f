#include "core/arena.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/core/error_matchers.h"

namespace surprisal {
namespace {

struct Layout {
  Tensor weights, ids, scratch, more_scratch, logits;
};

Layout lay_out(Arena& arena) {
  Layout layout;
  layout.weights = arena.take({211, 36});
  layout.ids = arena.take({17}, Dtype::i32);
  std::size_t mark = arena.mark();
  layout.scratch = arena.take({1000}, Dtype::f64);
  arena.rewind(mark);
  layout.more_scratch = arena.take({10});
  arena.rewind(mark);
  layout.logits = arena.take({3}, Dtype::bf16);
  return layout;
}

TEST(Arena, MeasuringGivesNoMemory) {
  Arena arena("weights");
  Layout layout = lay_out(arena);
  EXPECT_FALSE(arena.reserved());
  EXPECT_EQ(layout.weights.data, nullptr);
  EXPECT_EQ(layout.weights.shape, (Shape{211, 36}));
  EXPECT_EQ(layout.ids.dtype, Dtype::i32);
}

TEST(Arena, ThePeakCountsWhatWasRewound) {
  Arena arena("activations");
  lay_out(arena);
  // 211*36*4 and 17*4 and 1000*8 bytes, each up to the next multiple of 64.
  EXPECT_EQ(arena.peak_bytes(), 30400u + 128u + 8000u);
}

TEST(Arena, LaysOutWhatItMeasured) {
  Arena arena("activations");
  lay_out(arena);
  std::size_t measured = arena.peak_bytes();
  arena.reserve();
  ASSERT_TRUE(arena.reserved());
  Layout layout = lay_out(arena);
  EXPECT_EQ(arena.peak_bytes(), measured);
  char* base = static_cast<char*>(layout.weights.data);
  EXPECT_EQ(static_cast<char*>(layout.ids.data), base + 30400);
  EXPECT_EQ(static_cast<char*>(layout.scratch.data), base + 30400 + 128);
  EXPECT_EQ(layout.more_scratch.data, layout.scratch.data);
  EXPECT_EQ(layout.logits.data, layout.scratch.data);
}

TEST(Arena, MemoryIsAlignedZeroAndWritable) {
  Arena arena("gradients");
  lay_out(arena);
  arena.reserve();
  Layout layout = lay_out(arena);
  for (const Tensor* tensor : {&layout.weights, &layout.ids, &layout.scratch}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor->data) % Arena::kAlignment, 0u);
    std::vector<char> zeros(tensor->bytes());
    EXPECT_EQ(std::memcmp(tensor->data, zeros.data(), tensor->bytes()), 0);
  }
  std::memset(layout.scratch.data, 0x5A, layout.scratch.bytes());
  EXPECT_EQ(layout.ids.i32()[16], 0);
}

TEST(Arena, OfNothingCanBeReserved) {
  Arena arena("adapters");
  arena.take({0, 36});
  arena.reserve();
  EXPECT_NE(arena.take({0, 36}).data, nullptr);
  EXPECT_EQ(arena.peak_bytes(), 0u);
}

TEST(Arena, TooMuchIsAnErrorThatNamesKindAndBytes) {
  Arena arena("optimizer state");
  arena.take({std::int64_t{1} << 60});
  EXPECT_ERROR(arena.reserve(), memory,
               "cannot reserve 4611686018427387904 bytes for optimizer state; lower train.micro_batch_tokens "
               "or the size of "
               "the model");
  EXPECT_FALSE(arena.reserved());
}

}  // namespace
}  // namespace surprisal
