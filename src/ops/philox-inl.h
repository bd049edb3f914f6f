// Philox4x32-10 (core/random.h) over the lanes of a register, bit for bit. Compiled once per instruction set.
#include <bit>
#include <cstdint>

#include "hwy/highway.h"

#if defined(SURPRISAL_OPS_PHILOX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SURPRISAL_OPS_PHILOX_INL_H_
#undef SURPRISAL_OPS_PHILOX_INL_H_
#else
#define SURPRISAL_OPS_PHILOX_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A word of the counter lies in the low half of a 64-bit lane; what is in the high half is never looked at.
// So a round's products need no unpacking: MulEven reads the low halves, and the product's own low half is
// the next word.
using WordTag = hn::ScalableTag<std::uint64_t>;
using Words = hn::Vec<WordTag>;

HWY_INLINE Words times(Words word, std::uint32_t factor) {
  const WordTag d;
#if HWY_TARGET == HWY_SCALAR  // has no casts between lane sizes
  return hn::Set(d, (hn::GetLane(word) & 0xFFFFFFFF) * factor);
#else
  const hn::Repartition<std::uint32_t, WordTag> d32;
  return hn::MulEven(hn::BitCast(d32, word), hn::BitCast(d32, hn::Set(d, std::uint64_t{factor})));
#endif
}

HWY_INLINE Words next_word(Words product, Words word, std::uint32_t key) {
  return hn::Xor(hn::Xor(hn::ShiftRight<32>(product), word), hn::Set(WordTag(), std::uint64_t{key}));
}

// numbers[4 b + j] = philox(key, {b, c1, c2, c3})[j] for blocks b in [first, first + Lanes(WordTag)).
HWY_INLINE void philox_blocks(std::uint64_t key, std::uint32_t first, std::uint32_t c1, std::uint32_t c2,
                              std::uint32_t c3, std::uint32_t* numbers) {
  const WordTag d;
  Words x0 = hn::Iota(d, std::uint64_t{first}), x1 = hn::Set(d, std::uint64_t{c1});
  Words x2 = hn::Set(d, std::uint64_t{c2}), x3 = hn::Set(d, std::uint64_t{c3});
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const Words p0 = times(x0, 0xD2511F53), p1 = times(x2, 0xCD9E8D57);
    x0 = next_word(p1, x1, k0);
    x2 = next_word(p0, x3, k1);
    x1 = p1;
    x3 = p0;
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  const Words low = hn::Set(d, std::uint64_t{0xFFFFFFFF});
  const Words first_pair = hn::Or(hn::And(x0, low), hn::ShiftLeft<32>(x1));
  const Words second_pair = hn::Or(hn::And(x2, low), hn::ShiftLeft<32>(x3));
  static_assert(std::endian::native == std::endian::little, "the halves of a lane are stored low first");
  hn::StoreInterleaved2(first_pair, second_pair, d, reinterpret_cast<std::uint64_t*>(numbers));
}

}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#endif
