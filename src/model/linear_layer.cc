#include "model/linear_layer.h"

#include "core/parallel.h"
#include "ops/decomposed.h"
#include "ops/linear.h"
#include "ops/low_rank.h"

namespace surprisal {
namespace {

// What both directions of a branch need, cut to the rows at hand.
struct Branch {
  Branch(Pass& pass, const Linear& layer, const BranchTensors& tensors, const Tensor& x, StreamRows rows)
      : weight(layer.weight.rows(tensors.row_begin, tensors.row_end)),
        low_rank{tensors.a, tensors.b, tensors.scale},
        activations(pass.layout.branches[tensors.index]),
        inner(first_rows(activations.inner, x.shape[0])),
        directed(first_rows(activations.directed, x.shape[0])),
        p(pass.probability(tensors.dropout)) {
    if (p > 0) dropped = pass.rows_at(branch_place(pass.config, tensors.index), p, rows);
  }

  // What A reads: x, or what dropout leaves of it, in scratch.
  Tensor input(const Pass& pass, const Tensor& x) const {
    if (p == 0) return x;
    const Tensor scratch{.data = pass.layout.workspace.dropped.data, .shape = x.shape};
    dropout_forward(x, {}, dropped, p, scratch);
    return scratch;
  }

  Tensor weight;  // f32 [rows, in] of the layer
  LowRank low_rank;
  const BranchActivations& activations;
  Tensor inner, directed;
  double p;
  std::span<const DropoutRow> dropped;
};

Matrix columns_of(const Tensor& tensor, const BranchTensors& branch) {
  return matrix(tensor).column_range(branch.row_begin, branch.row_end);
}

Tensor branch_scratch(const Pass& pass, const Matrix& like) {
  return {.data = pass.layout.workspace.branch.data, .shape = {like.rows, like.columns}};
}

void forward_branch(Pass& pass, const Linear& layer, const BranchTensors& tensors, const Tensor& x,
                    const Matrix& y, StreamRows rows) {
  const Branch branch(pass, layer, tensors, x, rows);
  const Tensor input = branch.input(pass, x);
  if (!tensors.magnitude.data) return low_rank_forward(input, branch.low_rank, branch.inner, y);
  const Tensor base = branch_scratch(pass, y);
  gemm(matrix(input), matrix(branch.weight).transpose(), matrix(base));
  gemm(matrix(input), matrix(branch.weight).transpose(), matrix(branch.directed));
  low_rank_forward(input, branch.low_rank, branch.inner, matrix(branch.directed));
  decomposed_forward(base, branch.directed, tensors.magnitude, branch.activations.norm, y);
}

// dx += x, kept where the branch's dropout kept it.
void add_through_dropout(const Branch& branch, const Tensor& x, const Matrix& dx) {
  dropout_backward(x, branch.dropped, branch.p, x);
  const std::int64_t width = dx.columns;
  parallel_ranges(dx.rows, 64, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* in = x.f32() + row * width;
      float* out = dx.data + row * dx.stride;
      for (std::int64_t column = 0; column < width; ++column) out[column] += in[column];
    }
  });
}

void backward_branch(Pass& pass, const Linear& layer, const BranchTensors& tensors,
                     const BranchTensors& gradients, const Tensor& x, const Matrix& dy, const Matrix& dx,
                     StreamRows rows) {
  const Branch branch(pass, layer, tensors, x, rows);
  const Tensor input = branch.input(pass, x);
  const Tensor dinner{.data = pass.layout.workspace.branch_inner.data, .shape = branch.inner.shape};
  const bool decomposed = tensors.magnitude.data != nullptr;
  const Tensor ddirected = decomposed ? branch_scratch(pass, dy) : Tensor();
  if (decomposed) {
    decomposed_backward(branch.directed, tensors.magnitude, branch.activations.norm, dy, gradients.magnitude,
                        ddirected);
  }
  low_rank_backward(input, branch.low_rank, branch.inner, decomposed ? matrix(ddirected) : dy, dinner,
                    gradients.a, gradients.b);
  if (!dx.data) return;
  // Behind a dropout, the gradient of its output is formed where that lay.
  const Matrix dinput = branch.p > 0 ? matrix(input) : dx;
  low_rank_input_gradient(dinner, branch.low_rank, dinput, branch.p > 0 ? Write::over : Write::add);
  if (decomposed) {
    decomposed_base_gradient(ddirected, dy, ddirected);
    gemm(matrix(ddirected), matrix(branch.weight), dinput, Write::add);
  }
  if (branch.p > 0) add_through_dropout(branch, input, dx);
}

}  // namespace

void forward_linear(Pass& pass, const Linear& linear, const Tensor& x, const Tensor& y, StreamRows rows) {
  linear_forward(x, linear.weight, linear.bias, y);
  for (const BranchTensors& branch : linear.branches) {
    forward_branch(pass, linear, branch, x, columns_of(y, branch), rows);
  }
}

void backward_linear(Pass& pass, const Linear& linear, const Linear& gradients, const Tensor& x,
                     const Tensor& dy, const Matrix& dx, Write write, Write write_weight, StreamRows rows) {
  if (dx.data) gemm(matrix(dy), matrix(linear.weight), dx, write);
  linear_backward(x, linear.weight, dy, {}, Write::over, gradients.weight, gradients.bias,
                  pass.layout.workspace.sums, write_weight);
  for (std::size_t index = 0; index < linear.branches.size(); ++index) {
    const BranchTensors& branch = linear.branches[index];
    backward_branch(pass, linear, branch, gradients.branches[index], x, columns_of(dy, branch), dx, rows);
  }
}

void find_adapted_norms(const Pass& pass) {
  const auto find = [&](const Linear& linear) {
    for (const BranchTensors& branch : linear.branches) {
      if (!branch.magnitude.data) continue;
      adapted_row_norms(linear.weight.rows(branch.row_begin, branch.row_end),
                        {branch.a, branch.b, branch.scale}, pass.layout.branches[branch.index].norm);
    }
  };
  for (const LayerTensors& layer : pass.weights.layers) {
    for (const Linear* linear : {&layer.qkv, &layer.attention_output, &layer.up, &layer.down}) find(*linear);
  }
  find(pass.weights.head_transform);
  find(pass.weights.pooler);
}

}  // namespace surprisal
