#include "infer/infill.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surprisal/error.h"

#include "core/json.h"
#include "infer/blanked_text.h"
#include "infer/sampling.h"
#include "tests/infer/evaluated_logits.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

constexpr std::int64_t kPositions = 48, kRows = 128;
const std::vector<std::uint64_t> kOne = {0};
constexpr const char* kNames[] = {"two_dimensional", "repeat", "continue"};

const Tokenizer& glm_tokenizer() {
  static const Tokenizer tokenizer = add_glm_specials(tiny_bpe());
  return tokenizer;
}

BlankedText blanked(const std::string& text, BlankFrame frame = BlankFrame::as_trained) {
  std::vector<std::int32_t> ids;
  glm_tokenizer().encode(text, ids);
  return frame_text(glm_tokenizer(), std::move(ids), frame);
}

// The stream of the filled text: the definition of what each row of a piece saw, with the ends as targets.
Stream filled_stream(const BlankedText& text, const std::vector<GeneratedTokens>& pieces,
                     PiecePosition position) {
  const SpecialTokens& special = glm_tokenizer().special();
  const BlankLayout layout{.mask = *special.mask,
                           .start_of_piece = *special.sop,
                           .end_of_piece = *special.eop,
                           .position = position};
  std::vector<std::int32_t> whole;
  Blanks blanks;
  auto piece = pieces.begin();
  for (std::int32_t row = 0; row < std::ssize(text.ids); ++row) {
    if (std::ranges::binary_search(text.masks, row)) {
      const std::int32_t begin = static_cast<std::int32_t>(whole.size());
      whole.insert(whole.end(), piece->ids.begin(), piece->ids.end());
      ++piece;
      blanks.push_back({begin, static_cast<std::int32_t>(whole.size())});
    } else {
      whole.push_back(text.ids[static_cast<std::size_t>(row)]);
    }
  }
  std::vector<std::size_t> order;
  for (std::size_t blank = 0; blank < blanks.size(); ++blank) order.push_back(blank);
  Stream stream;
  lay_out_blanks(whole, blanks, order, layout, {}, stream);
  return stream;
}

class InfillOf : public testing::TestWithParam<std::pair<const char*, PiecePosition>> {
 protected:
  std::vector<GeneratedTokens> fill(const BlankedText& text, const InfillOptions& options) {
    return fill_blanks(*model_, glm_tokenizer(), text, kOne, options).front();
  }

  const SpecialTokens& special_ = glm_tokenizer().special();
  std::unique_ptr<Transformer> model_ =
      tiny_model(tiny_config(GetParam().first, glm_tokenizer().vocabulary_size() + 5, kPositions),
                 Mode::evaluate, kRows);
};

// Surprisals of a stream's targets, in their order.
std::vector<float> surprisals(Transformer& model, const Stream& stream) {
  StreamResult result;
  model.evaluate(stream, result);
  return result.token.surprisal;
}

// Factorisation: the surprisals of the pieces in one stream are those of their tokens drawn one at a time
// through the cache, the ends too.
TEST_P(InfillOf, SurprisalOfPiecesIsThatOfTheirStream) {
  const BlankedText text = blanked("the [MASK] saw a [MASK] in the [MASK].");
  ASSERT_EQ(text.masks.size(), 3u);
  const auto [family, position] = GetParam();
  std::size_t ended = 0, cut = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<GeneratedTokens> pieces =
        fill(text, {.sampling = {.temperature = 1.5, .top_k = 0, .seed = seed},
                    .max_tokens = 8,
                    .position = kNames[static_cast<std::size_t>(position)]});
    ASSERT_EQ(pieces.size(), 3u);
    Stream stream = filled_stream(text, pieces, position);
    const std::vector<float> to_piece_end = surprisals(*model_, stream);
    for (Target& target : stream.target) {
      if (target.id == *special_.eop) target.id = *special_.eos;
    }
    const std::vector<float> to_text_end = surprisals(*model_, stream);
    std::size_t target = 0;
    for (const GeneratedTokens& piece : pieces) {
      double nats = 0;
      for (std::size_t token = 0; token < piece.ids.size(); ++token) nats += to_piece_end[target++];
      if (piece.stop == Stop::end) {
        const double by_piece = nats + to_piece_end[target], by_text = nats + to_text_end[target];
        EXPECT_LT(std::min(std::abs(piece.nats - by_piece), std::abs(piece.nats - by_text)),
                  1e-5 * (1 + nats));
        ++ended;
      } else {
        EXPECT_NEAR(piece.nats, nats, 1e-5 * (1 + nats));
        ++cut;
      }
      ++target;
    }
  }
  EXPECT_GT(std::min(ended, cut), 0u);
}

// Greedy filling takes what the whole sequence, laid out anew at every token, says is most probable.
TEST_P(InfillOf, GreedyIsTheMostProbableAtEveryRow) {
  const BlankedText text = blanked("a [MASK] ran");
  const auto [family, position] = GetParam();
  std::vector<GeneratedTokens> expected(1);
  const std::vector<std::int32_t> ends = {*special_.eos, *special_.eop};
  const std::vector<std::int32_t> drawable =
      drawable_tokens(glm_tokenizer(), model_->config().vocab_size, ends);
  while (expected.front().ids.size() < 6) {
    const Stream stream = filled_stream(text, expected, position);
    const std::vector<float> logits = evaluated_logits(*model_, stream, stream.size() - 1);
    const std::int32_t best = *std::ranges::max_element(
        drawable, {}, [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; });
    if (std::ranges::find(ends, best) != ends.end()) break;
    expected.front().ids.push_back(best);
  }
  EXPECT_EQ(fill(text, {.sampling = {.temperature = 0},
                        .max_tokens = 6,
                        .position = kNames[static_cast<std::size_t>(position)]})
                .front()
                .ids,
            expected.front().ids);
}

INSTANTIATE_TEST_SUITE_P(Positions, InfillOf,
                         testing::Values(std::pair{"glm", PiecePosition::two_dimensional},
                                         std::pair{"glm-130b", PiecePosition::repeat},
                                         std::pair{"glm-130b", PiecePosition::go_on}));

class Infill : public testing::Test {
 protected:
  std::vector<GeneratedTokens> fill(const std::string& text, const InfillOptions& options) {
    return fill_blanks(*model_, glm_tokenizer(), blanked(text), kOne, options).front();
  }
  // That ends early is unlikely at this temperature, with two ends among some 280 tokens.
  const InfillOptions long_pieces_{.sampling = {.temperature = 50, .top_k = 0}, .max_tokens = 1000};
  ModelConfig config_ = tiny_config("glm", glm_tokenizer().vocabulary_size(), kPositions);
  std::unique_ptr<Transformer> model_ = tiny_model(config_, Mode::evaluate, kRows);
};

TEST_F(Infill, APieceEndsWhereTheTableOfBlockPositionsDoes) {
  std::size_t full = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    InfillOptions options = long_pieces_;
    options.sampling.seed = seed;
    for (const GeneratedTokens& piece : fill("a [MASK] and a [MASK]", options)) {
      EXPECT_EQ(piece.stop == Stop::positions, std::ssize(piece.ids) == config_.block_positions - 1);
      full += piece.stop == Stop::positions;
    }
  }
  EXPECT_GT(full, 0u);
}

TEST_F(Infill, RowsThatGoOnEndWithThePositions) {
  InfillOptions options = long_pieces_;
  options.position = "continue";
  const std::int64_t left = kPositions - std::ssize(blanked("[MASK] a [MASK]").ids);
  std::size_t full = 0;
  for (options.sampling.seed = 0; options.sampling.seed < 10; ++options.sampling.seed) {
    const std::vector<GeneratedTokens> pieces = fill("[MASK] a [MASK]", options);
    if (pieces[0].stop != Stop::positions) continue;
    EXPECT_EQ(std::ssize(pieces[0].ids), left);
    EXPECT_EQ(pieces[1].stop, Stop::positions) << "nothing is left for the second";
    EXPECT_TRUE(pieces[1].ids.empty());
    ++full;
  }
  EXPECT_GT(full, 0u);
}

// What fills a blank never makes a text that would not fit: the next blank is filled in the text with it.
TEST_F(Infill, RowsThatRepeatAreNoMoreThanTheTextMayHave) {
  InfillOptions options = long_pieces_;
  options.position = "repeat";
  std::size_t full = 0;
  for (options.sampling.seed = 0; options.sampling.seed < 10; ++options.sampling.seed) {
    const GeneratedTokens piece = fill("a [MASK] b", options).front();
    const std::int64_t whole = std::ssize(blanked("a [MASK] b").ids) - 1 + std::ssize(piece.ids);
    EXPECT_LE(whole, kPositions);
    EXPECT_EQ(piece.stop == Stop::positions, whole == kPositions);
    full += piece.stop == Stop::positions;
  }
  EXPECT_GT(full, 0u);
}

TEST_F(Infill, RefusesAPositionThatTheModelHasNot) {
  const std::unique_ptr<Transformer> rotary = tiny_model(
      tiny_config("glm-130b", glm_tokenizer().vocabulary_size(), kPositions), Mode::evaluate, kRows);
  EXPECT_THROW(
      fill_blanks(*rotary, glm_tokenizer(), blanked("[MASK]"), kOne, {.position = "two_dimensional"}), Error);
  EXPECT_THROW(fill("[MASK]", {.position = "3d"}), Error);
}

TEST(BlankedText, IsFramedAsThePostProcessorDoes) {
  const SpecialTokens& special = glm_tokenizer().special();
  BlankedText text = blanked("a [MASK] b");
  EXPECT_EQ(text.ids.front(), *special.cls);
  EXPECT_EQ(text.ids.back(), *special.eos);
  EXPECT_EQ(text.begin, 1);
  EXPECT_EQ(text.end, std::ssize(text.ids) - 1);
  // The blank of a [gMASK] at the end is the rest of the document: its end is behind it.
  text = blanked("a b[gMASK]");
  EXPECT_EQ(text.ids.back(), *special.gmask);
  EXPECT_EQ(text.masks, std::vector<std::int32_t>{text.end - 1});
}

// A post-processor that adds nothing: the objective frames with [CLS] and the end of text all the same.
TEST(BlankedText, IsFramedAsInTrainingWithoutAPostProcessor) {
  Json json = parse_json(glm_tokenizer().tokenizer_json(), "test");
  json["post_processor"] = nullptr;
  const Tokenizer bare = Tokenizer::from_json(json.dump(), glm_tokenizer().tokenizer_config_json(), "test");
  std::vector<std::int32_t> ids;
  bare.encode("a [MASK] b", ids);
  EXPECT_EQ(frame_text(bare, ids, BlankFrame::as_trained).ids, blanked("a [MASK] b").ids);
}

TEST(BlankedText, IsFramedAsGlm130bDoes) {
  const SpecialTokens& special = glm_tokenizer().special();
  const BlankedText inner = blanked("a [MASK] b", BlankFrame::end_of_text);
  EXPECT_EQ(inner.begin, 0);
  EXPECT_EQ(inner.ids.back(), *special.eos);
  for (const char* text : {"a [MASK]", "a [gMASK]"})
    EXPECT_NE(blanked(text, BlankFrame::end_of_text).ids.back(), *special.eos) << text;
}

TEST(BlankedText, TakesPiecesIn) {
  const BlankedText text = blanked("a[MASK]b[sMASK]c");
  ASSERT_EQ(text.masks.size(), 2u);
  std::vector<GeneratedTokens> pieces(2);
  glm_tokenizer().encode(" x", pieces[0].ids);
  const auto filled = [&](std::size_t count, bool whole) {
    return glm_tokenizer().decode(fill_in(text, std::span(pieces).first(count), whole));
  };
  EXPECT_EQ(filled(1, false), "a x");
  EXPECT_EQ(filled(2, false), "a xb");
  EXPECT_EQ(filled(2, true), "a xbc");
}

TEST(BlankedText, WithoutAMaskIsRefused) {
  try {
    blanked("nothing is missing");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), testing::HasSubstr("[MASK] or [sMASK] or [gMASK]"));
  }
}

TEST(RequireInfilling, NamesTheCommandThatAddsTheTokens) {
  EXPECT_NO_THROW(require_infilling(glm_tokenizer()));
  try {
    require_infilling(tiny_bpe());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("add-specials"));
  }
}

}  // namespace
}  // namespace surprisal
