#include "model/heads.h"

#include <algorithm>

#include "core/parallel.h"
#include "model/linear_layer.h"
#include "model/norm.h"
#include "ops/activation.h"
#include "ops/choice_cross_entropy.h"
#include "ops/dropout.h"
#include "ops/linear_cross_entropy.h"
#include "ops/linear_squared_error.h"

namespace surprisal {
namespace {

std::int64_t count(const HeadRows& rows) {
  return static_cast<std::int64_t>(rows.row.size());
}

void gather(const Tensor& from, const HeadRows& rows, const Tensor& to) {
  std::int64_t width = from.shape[1];
  parallel_ranges(count(rows), 64, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t index = begin; index < end; ++index) {
      const float* source = from.f32() + rows.row[static_cast<std::size_t>(index)] * width;
      std::copy_n(source, width, to.f32() + index * width);
    }
  });
}

// Cut by columns: two targets may name one row.
void scatter_add(const Tensor& from, const HeadRows& rows, const Tensor& to) {
  std::int64_t width = from.shape[1];
  parallel_ranges(width, 64, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t index = 0; index < count(rows); ++index) {
      float* target = to.f32() + rows.row[static_cast<std::size_t>(index)] * width;
      const float* source = from.f32() + index * width;
      for (std::int64_t column = begin; column < end; ++column) target[column] += source[column];
    }
  });
}

Tensor last_output(const Pass& pass) {
  return first_rows(pass.layout.layers.back().output, pass.tokens());
}

// gathered -> normed
void final_norm(const Pass& pass, const Tensor& gathered, const Tensor& normed,
                const LayerNormStatistics& statistics) {
  if (!pass.config.final_norm) return;
  norm_forward(pass.config, pass.weights.final_norm, gathered, normed, statistics);
}

void final_norm_backward(const Pass& pass, const Tensor& gathered, const LayerNormStatistics& statistics,
                         const Tensor& gradient) {
  if (!pass.config.final_norm) return;
  norm_backward(pass.config, pass.weights.final_norm, pass.gradients.final_norm, gathered, statistics,
                gradient, gradient, Write::over, pass.layout.workspace.sums);
}

HeadActivations rows_of(const HeadActivations& whole, std::int64_t rows) {
  HeadActivations head = whole;
  for (Tensor* tensor : {&head.gathered, &head.normed, &head.transformed, &head.activated, &head.hidden}) {
    *tensor = first_rows(*tensor, rows);
  }
  head.final_norm = first_rows(whole.final_norm, rows);
  head.transform_norm = first_rows(whole.transform_norm, rows);
  return head;
}

Activation head_activation(const ModelConfig& config) {
  return config.head_activation.value_or(config.activation);
}

// The last layer's rows up to what the vocabulary projection reads.
HeadActivations head_forward(Pass& pass, const HeadRows& rows) {
  const ModelTensors& weights = pass.weights;
  HeadActivations head = rows_of(pass.layout.head, count(rows));
  gather(last_output(pass), rows, head.gathered);
  final_norm(pass, head.gathered, head.normed, head.final_norm);
  if (pass.config.head_transform) {
    forward_linear(pass, weights.head_transform, head.normed, head.transformed, rows.row);
    activation_forward(head_activation(pass.config), head.transformed, head.activated);
    norm_forward(pass.config, weights.head_norm, head.activated, head.hidden, head.transform_norm);
  }
  return head;
}

// A head's gradients are added to, whatever happens to those of the layers' matrices.
void backward_head_linear(Pass& pass, const Linear& linear, const Linear& gradients, const Tensor& x,
                          const Tensor& dy, const Tensor& dx, const HeadRows& rows) {
  backward_linear(pass, linear, gradients, x, dy, matrix(dx), Write::over, Write::add, rows.row);
}

// `gradient` [T, D] of head.hidden; leaves that of the gathered rows in the tensor that it returns.
Tensor head_backward(Pass& pass, const HeadActivations& head, const HeadRows& rows, Tensor gradient) {
  const Workspace& workspace = pass.layout.workspace;
  if (pass.config.head_transform) {
    norm_backward(pass.config, pass.weights.head_norm, pass.gradients.head_norm, head.activated,
                  head.transform_norm, gradient, gradient, Write::over, workspace.sums);
    activation_backward(head_activation(pass.config), head.transformed, gradient, gradient);
    Tensor before = first_rows(workspace.head_gradient2, gradient.shape[0]);
    backward_head_linear(pass, pass.weights.head_transform, pass.gradients.head_transform, head.normed,
                         gradient, before, rows);
    gradient = before;
  }
  final_norm_backward(pass, head.gathered, head.final_norm, gradient);
  return gradient;
}

// With gradients where they are given.
void run_cross_entropy(const Pass& pass, const CrossEntropyInput& input,
                       const CrossEntropyGradients* gradients, bool predict, TermResult& result) {
  result.surprisal.resize(input.target.size());
  result.predicted.resize(predict ? input.target.size() : 0);
  if (gradients) {
    linear_cross_entropy(input, *gradients, result.surprisal, result.predicted, pass.layout.workspace.logits);
  } else {
    linear_cross_entropy_forward(input, result.surprisal, result.predicted, pass.layout.workspace.logits);
  }
}

// The choices of the stream, from the surprisals of their targets.
void choose(const Stream& stream, bool predict, StreamResult& result) {
  result.choice.surprisal.resize(stream.choice.size());
  result.choice.predicted.resize(predict ? stream.choice.size() : 0);
  choice_cross_entropy_forward(stream, result.token.surprisal, result.choice.surprisal,
                               result.choice.predicted);
}

// d(loss)/d(surprisal) of every target. What an option's targets get depends on all options of its choice, so
// that their surprisals are found first; the choices' own come out on the way.
std::span<const float> target_scales(const Pass& pass, const CrossEntropyInput& input,
                                     const SurprisalGradient& scale, bool predict,
                                     std::vector<float>& target_scale, StreamResult& result) {
  const Stream& stream = *pass.stream;
  if (stream.choice.empty()) return scale.token;
  const std::int32_t begin = stream.choice.front().option.front().begin,
                     end = stream.choice.back().option.back().end;
  const auto first = static_cast<std::size_t>(begin), size = static_cast<std::size_t>(end - begin);
  result.token.surprisal.resize(stream.target.size());
  linear_cross_entropy_forward(
      {input.hidden.rows(begin, end), input.weight, input.bias, input.target.subspan(first, size)},
      std::span(result.token.surprisal).subspan(first, size), {}, pass.layout.workspace.logits);
  choose(stream, predict, result);
  target_scale.assign(scale.token.begin(), scale.token.end());
  choice_cross_entropy_backward(stream, result.token.surprisal, scale.choice, target_scale);
  return target_scale;
}

SentenceActivations rows_of(const SentenceActivations& whole, std::int64_t rows) {
  SentenceActivations sentence = whole;
  for (Tensor* tensor : {&sentence.gathered, &sentence.normed, &sentence.pooled, &sentence.hidden}) {
    *tensor = first_rows(*tensor, rows);
  }
  sentence.final_norm = first_rows(whole.final_norm, rows);
  return sentence;
}

// A classifier's dropout of what it reads and, in some families, of what its pooler reads.
void drop_rows(Pass& pass, const HeadRows& rows, std::uint32_t place, const Tensor& x) {
  const double p = pass.probability(pass.config.head_dropout);
  if (p > 0) dropout_forward(x, {}, pass.rows_at(place, p, rows.row), p, x);
}
void drop_rows_backward(Pass& pass, const HeadRows& rows, std::uint32_t place, const Tensor& gradient) {
  const double p = pass.probability(pass.config.head_dropout);
  if (p > 0) dropout_backward(gradient, pass.rows_at(place, p, rows.row), p, gradient);
}

SentenceActivations sentence_forward(Pass& pass, const HeadRows& rows) {
  SentenceActivations sentence = rows_of(pass.layout.sentence, count(rows));
  gather(last_output(pass), rows, sentence.gathered);
  final_norm(pass, sentence.gathered, sentence.normed, sentence.final_norm);
  if (pass.config.pooler) {
    if (pass.config.pooler_dropout) drop_rows(pass, rows, pooler_place(), sentence.normed);
    forward_linear(pass, pass.weights.pooler, sentence.normed, sentence.pooled, rows.row);
    activation_forward(Activation::tanh, sentence.pooled, sentence.hidden);
  }
  drop_rows(pass, rows, classifier_place(), sentence.hidden);
  return sentence;
}

Tensor sentence_backward(Pass& pass, const SentenceActivations& sentence, const HeadRows& rows,
                         Tensor gradient) {
  const Workspace& workspace = pass.layout.workspace;
  drop_rows_backward(pass, rows, classifier_place(), gradient);
  if (pass.config.pooler) {
    activation_backward(Activation::tanh, sentence.pooled, gradient, gradient);
    Tensor before = first_rows(workspace.head_gradient2, gradient.shape[0]);
    backward_head_linear(pass, pass.weights.pooler, pass.gradients.pooler, sentence.normed, gradient, before,
                         rows);
    if (pass.config.pooler_dropout) drop_rows_backward(pass, rows, pooler_place(), before);
    gradient = before;
  }
  final_norm_backward(pass, sentence.gathered, sentence.final_norm, gradient);
  return gradient;
}

// Of the numbers that labels bring, with gradients where `scale` is given.
void run_squared_error(const Pass& pass, const Tensor& hidden, const HeadRows& rows,
                       const SurprisalGradient* scale, const Tensor& gradient, TermResult& result) {
  const Affine& head = pass.weights.sentence_head;
  const SquaredErrorInput input{hidden, head.weight, head.bias, rows.value};
  result.surprisal.resize(rows.value.size());
  result.value.resize(rows.value.size());
  linear_squared_error_forward(input, result.surprisal, result.value);
  if (!scale) return;
  linear_squared_error_backward(
      input, result.value,
      {scale->label, gradient, pass.gradients.sentence_head.weight, pass.gradients.sentence_head.bias});
}

void run_classes(const Pass& pass, const Tensor& hidden, const HeadRows& rows, const SurprisalGradient* scale,
                 const Tensor& gradient, bool predict, TermResult& result) {
  const Affine &head = pass.weights.sentence_head, &head_gradient = pass.gradients.sentence_head;
  const CrossEntropyInput input{hidden, head.weight, head.bias, rows.answer};
  if (!scale) return run_cross_entropy(pass, input, nullptr, predict, result);
  const CrossEntropyGradients gradients{.scale = scale->label,
                                        .dhidden = gradient,
                                        .dweight = head_gradient.weight,
                                        .dbias = head_gradient.bias,
                                        .smoothing = scale->label_smoothing};
  run_cross_entropy(pass, input, &gradients, predict, result);
}

}  // namespace

void vocabulary_head(Pass& pass, HeadRows& rows, const SurprisalGradient* scale, bool predict,
                     StreamResult& result) {
  rows.row.clear();
  rows.answer.clear();
  for (const Target& target : pass.stream->target) {
    rows.row.push_back(target.row);
    rows.answer.push_back(target.id);
  }
  for (TermResult* term : {&result.token, &result.choice}) {
    term->surprisal.clear();
    term->predicted.clear();
  }
  if (rows.row.empty()) return;
  HeadActivations head = head_forward(pass, rows);
  Tensor gradient = first_rows(pass.layout.workspace.head_gradient, count(rows));
  const CrossEntropyInput input{head.hidden, pass.weights.head_weight, pass.weights.head_bias, rows.answer};
  if (!scale) {
    run_cross_entropy(pass, input, nullptr, predict, result.token);
    choose(*pass.stream, predict, result);
    return;
  }
  const CrossEntropyGradients gradients{target_scales(pass, input, *scale, predict, rows.scale, result),
                                        gradient,
                                        pass.gradients.head_weight,
                                        pass.gradients.head_bias,
                                        pass.write_matrices,
                                        static_cast<float>(pass.config.embedding_gradient_shrink),
                                        scale->label_smoothing};
  run_cross_entropy(pass, input, &gradients, predict, result.token);
  scatter_add(head_backward(pass, head, rows, gradient), rows,
              first_rows(pass.layout.workspace.gradient, pass.tokens()));
}

void sentence_head(Pass& pass, HeadRows& rows, const SurprisalGradient* scale, bool predict,
                   TermResult& result) {
  rows.row.clear();
  rows.answer.clear();
  rows.value.clear();
  for (const Label& label : pass.stream->label) {
    rows.row.push_back(label.row);
    rows.answer.push_back(label.cls);
    rows.value.push_back(label.value);
  }
  result.surprisal.clear();
  result.predicted.clear();
  result.value.clear();
  if (rows.row.empty()) return;
  SentenceActivations sentence = sentence_forward(pass, rows);
  Tensor gradient = first_rows(pass.layout.workspace.head_gradient, count(rows));
  if (pass.config.regression) {
    run_squared_error(pass, sentence.hidden, rows, scale, gradient, result);
  } else {
    run_classes(pass, sentence.hidden, rows, scale, gradient, predict, result);
  }
  if (!scale) return;
  scatter_add(sentence_backward(pass, sentence, rows, gradient), rows,
              first_rows(pass.layout.workspace.gradient, pass.tokens()));
}

void row_logits(Pass& pass, std::span<const std::int32_t> rows, std::span<float> logits) {
  const HeadActivations head = head_forward(pass, {{rows.begin(), rows.end()}, {}});
  const std::int64_t vocabulary = pass.weights.head_weight.shape[0];
  gemm(matrix(head.hidden), matrix(pass.weights.head_weight).transpose(),
       {logits.data(), std::ssize(rows), vocabulary, vocabulary, false}, Write::over,
       pass.weights.head_bias.f32());
}

}  // namespace surprisal
