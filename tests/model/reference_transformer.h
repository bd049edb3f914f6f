// The whole model, forward only and scalar, written as on paper from the ops' references: the definition of
// right for Transformer. In std::complex<double> it gives the derivative of the loss by any parameter.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "surprisal/stream.h"

#include "model/config.h"
#include "model/parameter.h"
#include "model/pass.h"
#include "ops/activation_reference.h"
#include "ops/attention_reference.h"
#include "ops/decomposed_reference.h"
#include "ops/dropout_reference.h"
#include "ops/embedding_reference.h"
#include "ops/gated_activation_reference.h"
#include "ops/layer_norm_reference.h"
#include "ops/linear_cross_entropy_reference.h"
#include "ops/linear_reference.h"
#include "ops/linear_squared_error_reference.h"
#include "ops/low_rank_reference.h"
#include "ops/rms_norm_reference.h"
#include "ops/rotary_reference.h"

namespace surprisal::reference {

// alpha x + (1 - alpha) stopgrad(x): x itself, with alpha of its derivative.
inline double shrunk(double x, double) {
  return x;
}
inline std::complex<double> shrunk(std::complex<double> x, double alpha) {
  return {x.real(), alpha * x.imag()};
}

template <class Number>
class Transformer {
 public:
  using Numbers = std::vector<Number>;

  // All are kept by reference. `weights` is laid out as the table says; no dropout where `seed` is null.
  Transformer(const ModelConfig& config, const ParameterTable& table, const Numbers& weights,
              const Stream& stream, const std::uint64_t* seed)
      : config_(config),
        table_(table),
        weights_(weights),
        stream_(stream),
        seed_(seed),
        positions_(stream.position),
        prefix_(make_prefix()) {
    for (std::int32_t& position : positions_)
      position += static_cast<std::int32_t>(config.prefix_positions());
    embed();
    for (std::int64_t layer = 0; layer < config.num_hidden_layers; ++layer) run_layer(layer);
  }

  // -log p of every target, of every label.
  Numbers token_surprisals() const {
    if (stream_.target.empty()) return {};
    std::vector<std::int32_t> rows, answers;
    for (const Target& target : stream_.target) rows.push_back(target.row), answers.push_back(target.id);
    Numbers head = gather(rows);
    if (config_.final_norm) head = norm("final_norm", head);
    if (config_.head_transform) {
      head = norm("head.norm", activate(config_.head_activation.value_or(config_.activation),
                                        linear("head.transform", head, rows)));
    }
    return linear_cross_entropy(
        width(), head, shrunk_copy(config_.tie_word_embeddings ? "embedding.token.weight" : "head.weight"),
        config_.head_bias ? copy("head.bias") : Numbers(), std::span<const std::int32_t>(answers));
  }
  Numbers label_surprisals() const {
    if (stream_.label.empty()) return {};
    std::vector<std::int32_t> rows, answers;
    for (const Label& label : stream_.label) rows.push_back(label.row), answers.push_back(label.cls);
    Numbers head = gather(rows);
    if (config_.final_norm) head = norm("final_norm", head);
    if (config_.pooler) {
      if (config_.pooler_dropout) head = drop_chosen(head, rows, pooler_place(), config_.head_dropout);
      head = activate(Activation::tanh, linear("pooler", head, rows));
    }
    head = drop_chosen(head, rows, classifier_place(), config_.head_dropout);
    const Numbers weight = copy("sentence_head.weight"),
                  bias = config_.classifier_bias ? copy("sentence_head.bias") : Numbers();
    if (!config_.regression)
      return linear_cross_entropy(width(), head, weight, bias, std::span<const std::int32_t>(answers));
    std::vector<float> values;
    for (const Label& label : stream_.label) values.push_back(label.value);
    return linear_squared_error(width(), head, weight, bias, std::span<const float>(values));
  }

 private:
  std::int64_t width() const { return config_.hidden_size; }
  std::int64_t rows_of(const Numbers& x) const { return static_cast<std::int64_t>(x.size()) / width(); }

  const Parameter& parameter(const std::string& name) const {
    return table_.parameters[static_cast<std::size_t>(table_.find(name))];
  }
  bool has(const std::string& name) const {
    return std::ranges::any_of(table_.parameters,
                               [&](const Parameter& parameter) { return parameter.name == name; });
  }
  const Number* at(const std::string& name) const { return weights_.data() + parameter(name).offset; }
  Numbers copy(const std::string& name) const {
    return {at(name), at(name) + parameter(name).shape.elements()};
  }

  Numbers shrunk_copy(const std::string& name) const {
    Numbers numbers = copy(name);
    for (Number& number : numbers) number = shrunk(number, config_.embedding_gradient_shrink);
    return numbers;
  }

  // The layer, and the branches that stand beside it; `chosen`: rows of the stream that x holds, if not all.
  Numbers linear(const std::string& name, const Numbers& x,
                 const std::vector<std::int32_t>& chosen = {}) const {
    Numbers y = plain_linear(name, x);
    const std::vector<LowRankBranch>& branches = config_.adaptation.branches;
    for (std::size_t index = 0; index < branches.size(); ++index) {
      if (linear_name(branches[index].place, branches[index].layer) == name)
        add_branch(name, index, x, chosen, y);
    }
    return y;
  }
  void add_branch(const std::string& layer, std::size_t index, const Numbers& x,
                  const std::vector<std::int32_t>& chosen, Numbers& y) const {
    const LowRankBranch& branch = config_.adaptation.branches[index];
    const std::string name = branch_name(branch);
    const Shape& shape = parameter(layer + ".weight").shape;
    const std::int64_t in = shape[1], out = branch.row_end - branch.row_begin;
    const std::int64_t rows = static_cast<std::int64_t>(x.size()) / in;
    const double scale = static_cast<float>(branch.scale);
    Numbers dropped = x, base(static_cast<std::size_t>(rows * out)), low(base.size(), Number(0));
    if (probability(branch.dropout) > 0) {
      std::vector<DropoutRow> names = identities(branch_place(config_, index));
      if (!chosen.empty()) names = chosen_of(names, chosen);
      dropout<Number>(in, x.data(), nullptr, names, branch.dropout, dropped.data());
    }
    const Number* weight = at(layer + ".weight") + branch.row_begin * in;
    const Numbers no_bias(static_cast<std::size_t>(out), Number(0));
    reference::linear(rows, in, out, dropped.data(), weight, no_bias.data(), base.data());
    low_rank(rows, in, out, branch.rank, dropped.data(), at(name + ".lora_A"), at(name + ".lora_B"), scale,
             low.data());
    const std::vector<double> norm =
        adapted_norms(in, out, branch.rank, weight, at(name + ".lora_A"), at(name + ".lora_B"), scale);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t j = 0; j < out; ++j) {
        const auto from = static_cast<std::size_t>(row * out + j);
        y[static_cast<std::size_t>(row * shape[0] + branch.row_begin + j)] +=
            branch.magnitude ? decomposed(base[from], low[from], at(name + ".lora_magnitude")[j],
                                          norm[static_cast<std::size_t>(j)])
                             : low[from];
      }
    }
  }
  Numbers plain_linear(const std::string& name, const Numbers& x) const {
    const Shape& shape = parameter(name + ".weight").shape;
    const std::int64_t rows = static_cast<std::int64_t>(x.size()) / shape[1];
    Numbers y(static_cast<std::size_t>(rows * shape[0]));
    const Numbers bias = has(name + ".bias") ? copy(name + ".bias") : Numbers(y.size(), Number(0));
    reference::linear(rows, shape[1], shape[0], x.data(), at(name + ".weight"), bias.data(), y.data());
    return y;
  }
  Numbers norm(const std::string& name, const Numbers& x) const {
    Numbers y(x.size());
    for (std::int64_t row = 0; row < rows_of(x); ++row) {
      const Number* in = x.data() + row * width();
      Number* out = y.data() + row * width();
      if (config_.norm_kind == NormKind::rms) {
        rms_norm(width(), in, at(name + ".weight"), config_.layer_norm_eps, out);
      } else {
        layer_norm(width(), in, at(name + ".weight"), at(name + ".bias"), config_.layer_norm_eps, out);
      }
    }
    return y;
  }
  static Numbers activate(Activation kind, Numbers x) {
    for (Number& value : x) value = activation(kind, value);
    return x;
  }
  Numbers activate_up(const Numbers& up) const {
    if (!config_.gated) return activate(config_.activation, up);
    const std::int64_t inner = config_.intermediate_size;
    Numbers y(up.size() / 2);
    for (std::int64_t row = 0; row < stream_.size(); ++row) {
      gated_activation(config_.activation, inner, up.data() + row * 2 * inner, y.data() + row * inner);
    }
    return y;
  }
  Numbers gather(const std::vector<std::int32_t>& rows) const {
    Numbers gathered;
    for (std::int32_t row : rows) {
      gathered.insert(gathered.end(), x_.begin() + row * width(), x_.begin() + (row + 1) * width());
    }
    return gathered;
  }

  double probability(double p) const { return seed_ ? p : 0; }
  std::vector<DropoutRow> identities(std::uint32_t place) const {
    std::vector<DropoutRow> rows(stream_.token.size());
    dropout_rows(stream_, {*seed_, place}, rows);
    return rows;
  }
  // dropout(x) of rows of the stream.
  Numbers drop_chosen(const Numbers& x, const std::vector<std::int32_t>& rows, std::uint32_t place,
                      double p) const {
    Numbers y = x;
    if (probability(p) > 0)
      dropout<Number>(width(), x.data(), nullptr, chosen_of(identities(place), rows), p, y.data());
    return y;
  }
  static std::vector<DropoutRow> chosen_of(const std::vector<DropoutRow>& all,
                                           const std::vector<std::int32_t>& rows) {
    std::vector<DropoutRow> chosen;
    for (std::int32_t row : rows) chosen.push_back(all[static_cast<std::size_t>(row)]);
    return chosen;
  }
  // residual_scale residual + dropout(x); the residual may be empty.
  Numbers drop(const Numbers& x, const Numbers& residual, std::uint32_t place, double p) const {
    Numbers y = x;
    if (probability(p) > 0) {
      dropout<Number>(width(), x.data(), nullptr, identities(place), p, y.data());
    }
    for (std::size_t i = 0; i < residual.size(); ++i)
      y[i] += Number(static_cast<float>(config_.residual_scale)) * residual[i];
    return y;
  }

  void embed() {
    const Numbers token = shrunk_copy("embedding.token.weight");
    std::vector<EmbeddingTable<Number>> tables = {{token.data(), stream_.token}};
    if (config_.learned_positions()) {
      tables.push_back({at("embedding.position.weight") + config_.position_offset() * width(), positions_});
    }
    if (config_.block_positions > 0) {
      tables.push_back({at("embedding.block_position.weight"), stream_.block_position});
    }
    if (config_.type_vocab_size > 0) tables.push_back({at("embedding.segment.weight"), stream_.segment});
    x_.resize(static_cast<std::size_t>(stream_.size() * width()));
    embedding<Number>(width(), tables, x_.data());
    if (config_.embedding_dropout_first) x_ = drop(x_, {}, embedding_place(), config_.embedding_dropout);
    if (config_.embedding_norm) x_ = norm("embedding.norm", x_);
    if (!config_.embedding_dropout_first) x_ = drop(x_, {}, embedding_place(), config_.embedding_dropout);
  }

  void run_layer(std::int64_t index) {
    const std::string layer = "layer." + std::to_string(index);
    const std::string first = layer + ".attention.norm", second = layer + ".feed_forward.norm";
    const bool pre = config_.norm == NormPlacement::pre;
    x_ = drop(attend(index, layer, pre ? norm(first, x_) : x_), x_, attention_output_place(index),
              config_.hidden_dropout);
    if (!pre) x_ = norm(first, x_);
    const Numbers up = linear(layer + ".feed_forward.up", pre ? norm(second, x_) : x_);
    x_ = drop(linear(layer + ".feed_forward.down", activate_up(up)), x_, feed_forward_place(index),
              config_.hidden_dropout);
    if (!pre) x_ = norm(second, x_);
  }

  Numbers attend(std::int64_t index, const std::string& layer, const Numbers& x) const {
    const Numbers qkv = linear(layer + ".attention.qkv", x);
    const std::int64_t heads = config_.num_attention_heads, keys = config_.key_heads(),
                       size = config_.head_size();
    const AttentionShape shape = {
        heads, keys, size,
        config_.scale_attention ? static_cast<float>(1 / std::sqrt(static_cast<double>(size))) : 1.0f};
    return linear(
        layer + ".attention.output",
        attention(shape, std::span<const Interval>(stream_.visible), rotate(heads_of(qkv, 0, heads), heads),
                  behind_prefix(index, 0, rotate(heads_of(qkv, heads, heads + keys), keys)),
                  behind_prefix(index, 1, heads_of(qkv, heads + keys, heads + 2 * keys)), keep(index),
                  config_.adaptation.prefix.length));
  }
  Numbers make_prefix() const {
    const Prefix& prefix = config_.adaptation.prefix;
    if (prefix.length == 0) return {};
    Numbers values = copy("prefix.weight");
    if (prefix.inner > 0) {
      values =
          plain_linear("prefix.output", activate(Activation::tanh, plain_linear("prefix.hidden", values)));
    }
    if (probability(prefix.dropout) == 0) return values;
    std::vector<DropoutRow> rows(static_cast<std::size_t>(prefix.length), identities(prefix_place()).front());
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row].row = static_cast<std::uint32_t>(row);
    const Numbers kept = values;
    dropout<Number>(config_.prefix_width(), kept.data(), nullptr, rows, prefix.dropout, values.data());
    return values;
  }
  // The prefix's keys (`part` 0) or values (1) of a layer, and `rest` behind them.
  Numbers behind_prefix(std::int64_t layer, std::int64_t part, const Numbers& rest) const {
    const std::int64_t size = config_.key_size();
    Numbers all;
    for (std::int64_t row = 0; row < config_.adaptation.prefix.length; ++row) {
      const auto from = prefix_.begin() + row * config_.prefix_width() + (2 * layer + part) * size;
      all.insert(all.end(), from, from + size);
    }
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
  }
  Numbers rotate(Numbers x, std::int64_t heads) const {
    if (config_.positions != PositionKind::rotary) return x;
    const std::int64_t size = config_.head_size();
    const auto [frequency, magnitude] =
        scaled_rotary_frequencies(size, config_.rotary_base, config_.rotary_scaling);
    for (std::int64_t row = 0; row < stream_.size(); ++row) {
      for (std::int64_t head = 0; head < heads; ++head) {
        rotary(positions_[static_cast<std::size_t>(row)], std::span<const double>(frequency), magnitude,
               x.data() + (row * heads + head) * size);
      }
    }
    return x;
  }
  // Heads [begin, end) of the rows: those of queries, keys and values follow each other.
  Numbers heads_of(const Numbers& qkv, std::int64_t begin, std::int64_t end) const {
    const std::int64_t size = config_.head_size(), row_size = config_.qkv_size();
    Numbers columns;
    for (std::int64_t row = 0; row < stream_.size(); ++row) {
      const auto from = qkv.begin() + row * row_size;
      columns.insert(columns.end(), from + begin * size, from + end * size);
    }
    return columns;
  }
  // [N, heads, P + N] factors of the probabilities: a key is named by its place in the row's sequence.
  std::vector<double> keep(std::int64_t index) const {
    const double p = probability(config_.attention_dropout);
    if (p == 0) return {};
    const std::int64_t heads = config_.num_attention_heads, rows = stream_.size();
    const std::int64_t prefix = config_.adaptation.prefix.length, all = prefix + rows;
    std::vector<double> factors(static_cast<std::size_t>(rows * heads * all), 0);
    const std::vector<DropoutRow> names = identities(attention_place(index));
    for (const Sequence& sequence : stream_.sequence) {
      for (std::int64_t row = sequence.begin; row < sequence.end; ++row) {
        for (std::int64_t head = 0; head < heads; ++head) {
          DropoutRow name = names[static_cast<std::size_t>(row)];
          name.row ^= static_cast<std::uint32_t>(head) << 24;
          const auto set = [&](std::int64_t key, std::int64_t place) {
            const std::uint32_t number = dropout_number(name, static_cast<std::uint32_t>(place));
            factors[static_cast<std::size_t>((row * heads + head) * all + key)] =
                number >= dropout_threshold(p) ? 1 / (1 - p) : 0;
          };
          for (std::int64_t key = 0; key < prefix; ++key) set(key, (std::int64_t{1} << 31) + key);
          for (std::int64_t key = sequence.begin; key < sequence.end; ++key)
            set(prefix + key, key - sequence.begin);
        }
      }
    }
    return factors;
  }

  const ModelConfig& config_;
  const ParameterTable& table_;
  const Numbers& weights_;
  const Stream& stream_;
  const std::uint64_t* seed_;
  std::vector<std::int32_t> positions_;  // behind those of the prefix
  Numbers prefix_;                       // [P, 2 L K]
  Numbers x_;                            // [N, D] the residual stream
};

}  // namespace surprisal::reference
