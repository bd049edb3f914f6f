#include "core/tensor.h"

#include <vector>

#include <gtest/gtest.h>

namespace surprisal {
namespace {

TEST(Shape, CountsInSixtyFourBits) {
  EXPECT_EQ((Shape{16384, 50304, 768}).elements(), std::int64_t{16384} * 50304 * 768);
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_EQ((Shape{4, 0, 3}).elements(), 0);
}

TEST(Shape, PrintsAndCompares) {
  EXPECT_EQ((Shape{211, 36}).to_string(), "[211, 36]");
  EXPECT_EQ(Shape{}.to_string(), "[]");
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{2}), (Shape{2, 0}));
}

TEST(Tensor, KnowsItsBytes) {
  Shape shape{3, 5};
  EXPECT_EQ((Tensor{.shape = shape, .dtype = Dtype::f32}).bytes(), 60u);
  EXPECT_EQ((Tensor{.shape = shape, .dtype = Dtype::f64}).bytes(), 120u);
  EXPECT_EQ((Tensor{.shape = shape, .dtype = Dtype::bf16}).bytes(), 30u);
  EXPECT_EQ((Tensor{.shape = shape, .dtype = Dtype::i32}).bytes(), 60u);
}

TEST(Tensor, RowsAreAViewOfTheFirstAxis) {
  std::vector<float> data(4 * 3 * 2);
  Tensor tensor{.data = data.data(), .shape = {4, 3, 2}};
  Tensor middle = tensor.rows(1, 3);
  EXPECT_EQ(middle.f32(), data.data() + 6);
  EXPECT_EQ(middle.shape, (Shape{2, 3, 2}));
  EXPECT_EQ(tensor.rows(4, 4).elements(), 0);

  Tensor vector{.data = data.data(), .shape = {24}};
  EXPECT_EQ(vector.rows(5, 7).f32(), data.data() + 5);
  EXPECT_EQ(vector.rows(5, 7).shape, (Shape{2}));

  Tensor four{.data = data.data(), .shape = {2, 2, 3, 2}};
  EXPECT_EQ(four.rows(1, 2).f32(), data.data() + 12);
  EXPECT_EQ(four.rows(1, 2).shape, (Shape{1, 2, 3, 2}));
}

TEST(Tensor, RowsOfAMeasuredTensorHaveNoMemoryEither) {
  EXPECT_EQ((Tensor{.shape = {4, 3}}).rows(1, 2).data, nullptr);
}

}  // namespace
}  // namespace surprisal
