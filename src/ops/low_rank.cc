#include "ops/low_rank.h"

#include <cassert>

namespace surprisal {

void low_rank_forward(const Tensor& x, const LowRank& branch, const Tensor& inner, const Matrix& y) {
  assert(x.shape[1] == branch.a.shape[1] && y.columns == branch.b.shape[0] && x.shape[0] == y.rows);
  gemm(matrix(x), matrix(branch.a).transpose(), matrix(inner));
  gemm(matrix(inner), matrix(branch.b).transpose(), y, Write::add, nullptr, branch.scale);
}

void low_rank_backward(const Tensor& x, const LowRank& branch, const Tensor& inner, const Matrix& dy,
                       const Tensor& dinner, const Tensor& da, const Tensor& db) {
  gemm(dy.transpose(), matrix(inner), matrix(db), Write::add, nullptr, branch.scale);
  gemm(dy, matrix(branch.b), matrix(dinner), Write::over, nullptr, branch.scale);
  gemm(matrix(dinner).transpose(), matrix(x), matrix(da), Write::add);
}

void low_rank_input_gradient(const Tensor& dinner, const LowRank& branch, const Matrix& dx, Write write) {
  gemm(matrix(dinner), matrix(branch.a), dx, write);
}

}  // namespace surprisal
