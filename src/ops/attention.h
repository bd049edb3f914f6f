// Softmax attention in which row i sees one contiguous interval of keys (DESIGN.md section 2): per head
//   O_i = sum over j in [begin_i, end_i) of softmax_j(scale * Q_i . K_j) V_j;  an empty interval gives 0.
// A prefix, where there is one, joins the keys of every row.
// Tiles with an online softmax (Dao et al., arXiv 2205.14135): no [N, N] tensor exists, tiles that no row
// sees are skipped, and backward recomputes the probabilities from the log-sum-exp that forward kept.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "surprisal/stream.h"

#include "core/tensor.h"
#include "ops/dropout.h"

namespace surprisal {

// Rows and keys of several heads, [N, heads, head_size] with `stride` elements between rows.
struct HeadTensor {
  float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t stride = 0;
};

struct AttentionShape {
  std::int64_t heads = 1;
  std::int64_t key_heads = 1;  // divides heads: each serves heads / key_heads of them
  std::int64_t head_size = 1;
  float scale = 1;
};

// Rows whose intervals touch no key of any other group: what the tasks of a stream are cut into. Made once a
// stream.
struct AttentionGroup {
  std::int32_t row_begin, row_end, key_begin, key_end;
};
struct AttentionPlan {
  std::vector<Interval> visible;
  std::vector<AttentionGroup> groups;
  std::vector<std::int32_t> crossing;  // scratch
};
void plan_attention(std::span<const Interval> visible, std::int64_t keys, AttentionPlan& plan);

// Dropout of the probabilities; p == 0: none. The number of (row, head, key) is keyed by the row's identity,
// the head and the key's place in the row's sequence.
struct AttentionDropout {
  double p = 0;
  std::span<const DropoutRow> rows;              // [N]
  std::span<const std::int32_t> sequence_begin;  // [N] stream row where the row's sequence begins
};

// Keys and values that every row sees besides its interval (prefix tuning); rows == 0: none. A key's place in
// the row's sequence, which dropout asks for, is 2^31 and its index.
struct AttentionPrefix {
  HeadTensor key, value;
};

// out is written; log_sum_exp: f32 [heads, N] is written (-infinity where a row sees nothing).
// workspace: f32, attention_workspace(shape) elements; it depends on threads(), which must not have grown
// since.
void attention_forward(const AttentionShape& shape, const AttentionPlan& plan, const HeadTensor& query,
                       const HeadTensor& key, const HeadTensor& value, const AttentionDropout& dropout,
                       const HeadTensor& out, const Tensor& log_sum_exp, const Tensor& workspace,
                       const AttentionPrefix& prefix = {});

// dquery, dkey, dvalue are written whole; none overlaps an input. dprefix is added to.
void attention_backward(const AttentionShape& shape, const AttentionPlan& plan, const HeadTensor& query,
                        const HeadTensor& key, const HeadTensor& value, const AttentionDropout& dropout,
                        const HeadTensor& out, const Tensor& log_sum_exp, const HeadTensor& dout,
                        const HeadTensor& dquery, const HeadTensor& dkey, const HeadTensor& dvalue,
                        const Tensor& workspace, const AttentionPrefix& prefix = {},
                        const AttentionPrefix& dprefix = {});

std::int64_t attention_workspace(const AttentionShape& shape);

// Number of visible (row, key) pairs.
std::int64_t visible_pairs(std::span<const Interval> visible);

}  // namespace surprisal
