#include "model/pass.h"

#include <array>

#include "model/norm.h"
#include "ops/embedding.h"
#include "ops/rotary.h"

namespace surprisal {

void Pass::begin(const Stream& next, const std::uint64_t* seed, const CachePlaces& places) {
  stream = &next;
  rows = next.size();
  dropout_seed = seed;
  cached = places;
  plan_attention(next.visible, cached.cache ? cached.cache->rows() : next.size(), attention);
  if (const std::int64_t first = config.prefix_positions(); first > 0) {
    shifted.assign(next.position.begin(), next.position.end());
    for (std::int32_t& position : shifted) position += static_cast<std::int32_t>(first);
  }
  if (layout.workspace.rotation.data) {
    rotary_table(position(), rotation.frequency, rotation.magnitude,
                 first_rows(layout.workspace.rotation, rows));
  }
  sequence_begin.resize(static_cast<std::size_t>(next.size()));
  for (const Sequence& sequence : next.sequence) {
    for (std::int32_t row = sequence.begin; row < sequence.end; ++row) {
      sequence_begin[static_cast<std::size_t>(row)] = sequence.begin;
    }
  }
}

std::span<const DropoutRow> Pass::rows_at(std::uint32_t place, double p,
                                          std::span<const std::int32_t> chosen) {
  if (!dropout_seed || p == 0) return {};
  dropout_rows.resize(static_cast<std::size_t>(tokens()));
  surprisal::dropout_rows(*stream, {*dropout_seed, place}, dropout_rows);
  if (chosen.empty()) return dropout_rows;
  chosen_rows.clear();
  for (std::int32_t row : chosen) chosen_rows.push_back(dropout_rows[static_cast<std::size_t>(row)]);
  return chosen_rows;
}

namespace {

using EmbeddingTables = std::array<EmbeddingTable, 4>;

// The tables that the configuration has, with the stream's rows of each.
std::span<const EmbeddingTable> tables_of(const Pass& pass, const ModelTensors& tensors,
                                          EmbeddingTables& tables) {
  const Stream& stream = *pass.stream;
  std::size_t count = 0;
  const auto shrink = static_cast<float>(pass.config.embedding_gradient_shrink);
  for (const EmbeddingTable& table : {EmbeddingTable{tensors.token_embedding, stream.token, shrink},
                                      EmbeddingTable{tensors.position_embedding, pass.position()},
                                      EmbeddingTable{tensors.block_position_embedding, stream.block_position},
                                      EmbeddingTable{tensors.segment_embedding, stream.segment}}) {
    if (table.table.data) tables[count++] = table;
  }
  return std::span(tables).first(count);
}

void drop_embedding(Pass& pass, const Tensor& x) {
  const double p = pass.probability(pass.config.embedding_dropout);
  if (p > 0) dropout_forward(x, {}, pass.rows_at(embedding_place(), p), p, x);
}

void drop_embedding_backward(Pass& pass, const Tensor& gradient) {
  const double p = pass.probability(pass.config.embedding_dropout);
  if (p > 0) dropout_backward(gradient, pass.rows_at(embedding_place(), p), p, gradient);
}

}  // namespace

void embed(Pass& pass) {
  const std::int64_t rows = pass.tokens();
  const ModelLayout& layout = pass.layout;
  Tensor embedded = first_rows(layout.embedded, rows), input = first_rows(layout.layers.front().input, rows);
  const bool drop_first = pass.config.embedding_dropout_first;
  EmbeddingTables tables;
  embedding_forward(tables_of(pass, pass.weights, tables), embedded);
  if (drop_first) drop_embedding(pass, embedded);
  if (pass.config.embedding_norm) {
    norm_forward(pass.config, pass.weights.embedding_norm, embedded, input,
                 first_rows(layout.embedding_norm, rows));
  }
  if (!drop_first) drop_embedding(pass, input);
}

void embed_backward(Pass& pass) {
  const std::int64_t rows = pass.tokens();
  const Workspace& workspace = pass.layout.workspace;
  Tensor gradient = first_rows(workspace.gradient, rows);
  const bool dropped_first = pass.config.embedding_dropout_first;
  if (!dropped_first) drop_embedding_backward(pass, gradient);
  if (pass.config.embedding_norm) {
    norm_backward(pass.config, pass.weights.embedding_norm, pass.gradients.embedding_norm,
                  first_rows(pass.layout.embedded, rows), first_rows(pass.layout.embedding_norm, rows),
                  gradient, gradient, Write::over, workspace.sums);
  }
  if (dropped_first) drop_embedding_backward(pass, gradient);
  EmbeddingTables tables;
  embedding_backward(tables_of(pass, pass.gradients, tables), gradient, workspace.order);
}

}  // namespace surprisal
