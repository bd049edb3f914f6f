#include "adapt/merge.h"

#include <cassert>
#include <cmath>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "ops/gemm.h"

namespace surprisal {
namespace {

// Rows of one norm each.
void set_norms(const Tensor& weight, const Tensor& norm) {
  const std::int64_t width = weight.shape[1];
  parallel_ranges(weight.shape[0], 16, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      float* values = weight.f32() + row * width;
      double sum = 0;
      for (std::int64_t i = 0; i < width; ++i) sum += static_cast<double>(values[i]) * values[i];
      const auto gain = static_cast<float>(norm.f32()[row] / std::sqrt(sum));
      for (std::int64_t i = 0; i < width; ++i) values[i] *= gain;
    }
  });
}

}  // namespace

void merge_branches(Transformer& model) {
  assert(model.config().adaptation.prefix.length == 0);
  const auto find = [&](const std::string& name) { return model.weight(model.table().find(name)); };
  for (const LowRankBranch& branch : model.config().adaptation.branches) {
    const std::string name = branch_name(branch);
    const Tensor weight =
        find(linear_name(branch.place, branch.layer) + ".weight").rows(branch.row_begin, branch.row_end);
    gemm(matrix(find(name + ".lora_B")), matrix(find(name + ".lora_A")), matrix(weight), Write::add, nullptr,
         static_cast<float>(branch.scale));
    if (branch.magnitude) set_norms(weight, find(name + ".lora_magnitude"));
  }
}

}  // namespace surprisal
