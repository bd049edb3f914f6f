#include "infer/decoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "tests/infer/evaluated_logits.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

constexpr std::int64_t kPositions = 40, kVocabulary = 97;

// The rows of a text whose context all see whole, with pieces behind it: the arrays of blank infilling.
struct Rows {
  std::vector<DecodingRow> row{};
  std::int32_t context = 0;
};

Rows random_rows(const ModelConfig& config, std::int32_t context, std::int32_t pieces, std::uint64_t seed) {
  Random random({seed, 0, 0, Purpose::sampling});
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(bound)));
  };
  Rows rows{.context = context};
  for (std::int32_t row = 0; row < context + pieces; ++row) {
    const bool piece = row >= context;
    const std::int32_t block =
        piece && config.block_positions > 0 ? 1 + below(config.block_positions - 1) : 0;
    rows.row.push_back({below(kVocabulary), piece ? below(context) : row, block});
  }
  return rows;
}

Stream stream_of(const Rows& rows, ContextSight sight, std::int32_t size) {
  Stream stream;
  for (std::int32_t row = 0; row < size; ++row) {
    const auto& [token, position, block] = rows.row[static_cast<std::size_t>(row)];
    stream.token.push_back(token);
    stream.position.push_back(position);
    stream.block_position.push_back(block);
    const bool whole = row < rows.context && sight == ContextSight::whole;
    stream.visible.push_back({0, whole ? rows.context : row + 1});
  }
  stream.segment.assign(stream.token.size(), 0);
  stream.sequence = {{.begin = 0, .end = size}};
  return stream;
}

void expect_same_logits(std::span<const float> found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t id = 0; id < expected.size(); ++id) EXPECT_NEAR(found[id], expected[id], 2e-5);
}

class DecodingOf : public testing::TestWithParam<const char*> {
 protected:
  const ModelConfig config_ = tiny_config(GetParam(), kVocabulary, kPositions);
  const std::unique_ptr<Transformer> model_ = tiny_model(config_, Mode::evaluate, kPositions);
};

// Incremental decoding is the full forward pass, for both kinds of context and of positions.
TEST_P(DecodingOf, EqualsTheWholeTextAtEveryRow) {
  for (ContextSight sight : {ContextSight::before, ContextSight::whole}) {
    const Rows rows = random_rows(config_, 9, 14, 3);
    Decoding decoding(*model_, 1, std::ssize(rows.row));
    decoding.begin(std::span(rows.row).first(9), sight);
    for (std::int32_t row = 9; row < std::ssize(rows.row); ++row) {
      decoding.extend(std::array{0}, std::span(rows.row).subspan(static_cast<std::size_t>(row), 1));
      expect_same_logits(decoding.logits(0), evaluated_logits(*model_, stream_of(rows, sight, row + 1), row));
    }
  }
}

// Sequences of different lengths, of which some stop, share nothing but their beginning.
TEST_P(DecodingOf, SequencesSideBySideAreThoseAlone) {
  std::vector<Rows> texts;
  for (std::uint64_t seed : {1, 2, 3}) texts.push_back(random_rows(config_, 6, 12, seed));
  for (Rows& text : texts) std::copy_n(texts.front().row.begin(), 6, text.row.begin());
  Decoding decoding(*model_, 3, 18);
  decoding.begin(std::span(texts.front().row).first(6), ContextSight::whole);
  for (std::int32_t row = 6; row < 18; ++row) {
    std::vector<std::int32_t> growing{2, 0};  // in any order
    if (row < 10) growing.push_back(1);
    std::vector<DecodingRow> next;
    for (std::int32_t sequence : growing)
      next.push_back(texts[static_cast<std::size_t>(sequence)].row[static_cast<std::size_t>(row)]);
    decoding.extend(growing, next);
    for (std::size_t index = 0; index < growing.size(); ++index) {
      const Rows& text = texts[static_cast<std::size_t>(growing[index])];
      expect_same_logits(decoding.logits(index),
                         evaluated_logits(*model_, stream_of(text, ContextSight::whole, row + 1), row));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, DecodingOf, testing::Values("gpt2", "glm", "glm-130b", "llama", "qwen2"));

TEST(KeyValueCache, TakesWhatItSays) {
  const ModelConfig config = tiny_config("gpt2", kVocabulary, kPositions);
  EXPECT_EQ(KeyValueCache::bytes(config, 10), 2u * 2 * 10 * 12 * sizeof(float));
  EXPECT_EQ(KeyValueCache(config, 7).keys(1).rows, 7);
  const ModelConfig grouped = tiny_config("llama", kVocabulary, kPositions);
  EXPECT_EQ(KeyValueCache::bytes(grouped, 10), 2u * 2 * 10 * 4 * sizeof(float));
}

}  // namespace
}  // namespace surprisal
