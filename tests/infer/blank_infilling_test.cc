// Blank infilling through a model: the loss is an expectation over orders, and who sees whom.
#include <array>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "objective/blank_layout.h"
#include "tests/infer/tiny_language.h"
#include "tests/objective/blank_samples.h"

namespace surprisal {
namespace {

using namespace glm;
using Order = std::vector<std::size_t>;

constexpr std::int64_t kLength = 32, kRows = 64;

class BlankInfillingModel : public testing::Test {
 protected:
  // Three blanks in a text of nine tokens.
  Stream sample(const Order& order) {
    Stream sample;
    lay_out_blanks(text_, blanks_, order, layout_, {}, sample);
    return sample;
  }

  std::vector<float> surprisals(const Stream& sample) {
    StreamResult result;
    model_->evaluate(sample, result);
    return result.token.surprisal;
  }

  double loss(const Stream& sample) {
    double sum = 0;
    for (float surprisal : surprisals(sample)) sum += surprisal;
    return sum / static_cast<double>(sample.target.size());
  }

  std::vector<float> logits(const Stream& sample, std::int32_t row) {
    surprisals(sample);
    std::vector<float> logits(100);
    model_->logits(std::array{row}, logits);
    return logits;
  }

  const std::vector<std::int32_t> text_{kCls, 11, 12, 13, 14, 15, 16, 17, 18, kEnd};
  const Blanks blanks_{{1, 2}, {3, 5}, {6, 9}};
  const BlankLayout layout_{.mask = kMask, .start_of_piece = kStart, .end_of_piece = kEndOfPiece};
  std::unique_ptr<Transformer> model_ = tiny_model(tiny_config("glm", 100, kLength), Mode::evaluate, kRows);
};

// Factorised over orders: what is drawn is each of the six as often as another.
TEST_F(BlankInfillingModel, MeanOverSamplesIsTheMeanOverAllOrders) {
  std::map<Order, double> losses;
  Order order{0, 1, 2};
  double mean = 0, variance = 0;
  do {
    losses[order] = loss(sample(order));
    mean += losses[order] / 6;
  } while (std::next_permutation(order.begin(), order.end()));
  ASSERT_EQ(losses.size(), 6u);
  for (const auto& [one, value] : losses) variance += (value - mean) * (value - mean) / 6;
  ASSERT_GT(std::sqrt(variance), 1e-3 * mean) << "orders must differ";
  constexpr int kSamples = 6000;
  double sum = 0;
  for (std::uint64_t draw = 0; draw < kSamples; ++draw) {
    Random random({.seed = 3, .sample = draw, .epoch = 0, .purpose = Purpose::infilling});
    sum += losses.at(draw_order(random, 3, true));
  }
  EXPECT_NEAR(sum / kSamples, mean, 3 * std::sqrt(variance / kSamples));
}

// The objective's own samples: with shuffling off each has exactly the loss of the order from left to right.
TEST_F(BlankInfillingModel, WithoutShufflingTheLossIsThatOfTheLeftToRightOrder) {
  const TokenCorpus corpus = random_corpus(30, 28, 100, kFirst);
  int several = 0;
  for (const Stream& straight : samples_of(corpus, infilling({.mask_ratio = 0.3, .shuffle = false}, 32))) {
    const TakenApart apart = take_apart_blanks(straight);
    Blanks blanks;
    Order order;
    for (std::size_t i = 0; i < apart.begin.size(); ++i) {
      blanks.push_back({apart.begin[i], apart.begin[i] + apart.size[i]});
      order.push_back(i);
    }
    Stream again;
    lay_out_blanks(apart.text, blanks, order, layout_, {}, again);
    EXPECT_EQ(loss(straight), loss(again));
    if (order.size() < 2) continue;
    ++several;
    std::swap(order.front(), order.back());
    Stream other;
    lay_out_blanks(apart.text, blanks, order, layout_, {}, other);
    EXPECT_NE(loss(straight), loss(other));
  }
  EXPECT_GT(several, 10);
}

// Rows: text 0 .. 6, then pieces of 2, 3 and 4 rows.
TEST_F(BlankInfillingModel, TheTextSeesNoPieceAndAPieceSeesTheTextAndWhatIsBeforeIt) {
  const Stream whole = sample({0, 1, 2});
  ASSERT_EQ(whole.visible.front().end, 7);
  ASSERT_EQ(whole.size(), 16);
  auto moved = [&](std::int32_t changed) {
    Stream other = whole;
    other.token[changed] = 77;
    std::string rows;
    for (std::int32_t row = 0; row < whole.size(); ++row) {
      rows += logits(whole, row) == logits(other, row) ? '.' : 'x';
    }
    return rows;
  };
  EXPECT_EQ(moved(2), "xxxxxxxxxxxxxxxx");   // the text: everything
  EXPECT_EQ(moved(8), "........xxxxxxxx");   // the first piece: itself and those behind
  EXPECT_EQ(moved(10), "..........xxxxxx");  // within the second piece
  EXPECT_EQ(moved(13), ".............xxx");  // within the third
  EXPECT_EQ(moved(15), "...............x");
}

}  // namespace
}  // namespace surprisal
