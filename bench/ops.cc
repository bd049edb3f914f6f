// Every op at the sizes of GPT-2 124M and BERT-base, as a share of what the machine can do: products against
// the FMA peak, passes over memory against its read bandwidth.
//   ops [--benchmark_filter=REGEX ...]
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/machine.h"
#include "operands.h"
#include "ops/activation.h"
#include "ops/adamw.h"
#include "ops/attention.h"
#include "ops/gemm.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "report.h"

namespace surprisal::bench {
namespace {

// flops: of the op's definition; bytes: that it must read and write once.
struct Work {
  double flops = 0, bytes = 0;
  std::function<void()> run;
  Tensor result;  // must be finite and not all 0
};

struct Case {
  std::string name;
  std::function<Work(Operands&)> prepare;
};

constexpr std::int64_t kWidth = 768, kInner = 3072, kHeads = 12;

double bytes_of(std::initializer_list<Tensor> tensors) {
  double bytes = 0;
  for (const Tensor& tensor : tensors) bytes += static_cast<double>(tensor.bytes());
  return bytes;
}

double product_flops(std::int64_t m, std::int64_t n, std::int64_t k) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

Case forward_product(std::int64_t rows, std::int64_t out, std::int64_t in) {
  return {fmt::format("linear/y/{}x{}x{}", rows, out, in), [=](Operands& operands) {
            Tensor x = operands.take({rows, in}), weight = operands.take({out, in}),
                   y = operands.take_zeros({rows, out});
            Tensor bias = operands.take({out});
            return Work{product_flops(rows, out, in), 0, [=] { linear_forward(x, weight, bias, y); }, y};
          }};
}

Case input_gradient(std::int64_t rows, std::int64_t out, std::int64_t in) {
  return {fmt::format("linear/dx/{}x{}x{}", rows, in, out), [=](Operands& operands) {
            Tensor dy = operands.take({rows, out}), weight = operands.take({out, in}),
                   dx = operands.take_zeros({rows, in});
            return Work{product_flops(rows, out, in), 0,
                        [=] { linear_backward({}, weight, dy, dx, Write::over, {}, {}, {}); }, dx};
          }};
}

Case weight_gradient(std::int64_t rows, std::int64_t out, std::int64_t in) {
  return {fmt::format("linear/dw/{}x{}x{}", out, in, rows), [=](Operands& operands) {
            Tensor dy = operands.take({rows, out}), x = operands.take({rows, in}),
                   dw = operands.take_zeros({out, in});
            return Work{product_flops(rows, out, in), 0,
                        [=] { linear_backward(x, {}, dy, {}, Write::over, dw, {}, {}); }, dw};
          }};
}

std::vector<Interval> intervals(std::int64_t sequences, std::int64_t length, bool causal) {
  std::vector<Interval> visible;
  for (std::int64_t sequence = 0; sequence < sequences; ++sequence) {
    const auto begin = static_cast<std::int32_t>(sequence * length);
    for (std::int32_t row = begin; row < begin + length; ++row) {
      visible.push_back({begin, causal ? row + 1 : begin + static_cast<std::int32_t>(length)});
    }
  }
  return visible;
}

struct AttentionOperands {
  AttentionShape shape{kHeads, kHeads, kWidth / kHeads, 0.125f};
  AttentionPlan plan;
  Tensor qkv, out, log_sum_exp, dout, dqkv, workspace;

  AttentionOperands(Operands& operands, std::int64_t sequences, std::int64_t length, bool causal)
      : qkv(operands.take({sequences * length, 3 * kWidth})),
        out(operands.take_zeros({sequences * length, kWidth})),
        log_sum_exp(operands.take_zeros({kHeads, sequences * length})),
        dout(operands.take({sequences * length, kWidth})),
        dqkv(operands.take_zeros({sequences * length, 3 * kWidth})),
        workspace(operands.take_zeros({attention_workspace(shape)})) {
    plan_attention(intervals(sequences, length, causal), sequences * length, plan);
  }
  static HeadTensor part(const Tensor& whole, int index) {
    return {whole.f32() + index * kWidth, whole.shape[0], whole.shape[1]};
  }
  void forward() const {
    attention_forward(shape, plan, part(qkv, 0), part(qkv, 1), part(qkv, 2), {}, part(out, 0), log_sum_exp,
                      workspace);
  }
  void backward() const {
    attention_backward(shape, plan, part(qkv, 0), part(qkv, 1), part(qkv, 2), {}, part(out, 0), log_sum_exp,
                       part(dout, 0), part(dqkv, 0), part(dqkv, 1), part(dqkv, 2), workspace);
  }
  // Of visible pairs alone; backward has five products to the forward pass's two.
  double flops(int products) const {
    return 2.0 * products * static_cast<double>(visible_pairs(plan.visible)) * kWidth;
  }
};

Case attention(bool backward, std::int64_t sequences, std::int64_t length, bool causal) {
  std::string name = fmt::format("attention/{}/{}x{}{}", backward ? "backward" : "forward", sequences, length,
                                 causal ? "/causal" : "");
  return {name, [=](Operands& operands) {
            auto op = std::make_shared<AttentionOperands>(operands, sequences, length, causal);
            op->forward();
            if (backward) return Work{op->flops(5), 0, [op] { op->backward(); }, op->dqkv};
            return Work{op->flops(2), 0, [op] { op->forward(); }, op->out};
          }};
}

Case layer_norm(bool backward, std::int64_t rows) {
  return {fmt::format("layer_norm/{}/{}x{}", backward ? "backward" : "forward", rows, kWidth),
          [=](Operands& operands) {
            Tensor x = operands.take({rows, kWidth}), y = operands.take_zeros({rows, kWidth});
            Tensor weight = operands.take({kWidth}), bias = operands.take({kWidth});
            Tensor dx = operands.take_zeros({rows, kWidth});
            Tensor workspace = operands.take_zeros({layer_norm_workspace(rows, kWidth)});
            LayerNormStatistics statistics{operands.take_zeros({rows}), operands.take_zeros({rows})};
            layer_norm_forward(x, weight, bias, 1e-5, y, statistics);
            if (!backward) {
              return Work{0, bytes_of({x, y}),
                          [=] { layer_norm_forward(x, weight, bias, 1e-5, y, statistics); }, y};
            }
            Tensor dweight = operands.take_zeros({kWidth}), dbias = operands.take_zeros({kWidth});
            return Work{0, bytes_of({x, y, dx}),
                        [=] {
                          layer_norm_backward(x, weight, statistics, y, dx, Write::over, dweight, dbias,
                                              workspace);
                        },
                        dx};
          }};
}

Case activation(bool backward, Activation kind, const char* name, std::int64_t rows) {
  return {fmt::format("{}/{}/{}x{}", name, backward ? "backward" : "forward", rows, kInner),
          [=](Operands& operands) {
            Tensor x = operands.take({rows, kInner}), y = operands.take_zeros({rows, kInner});
            if (!backward) return Work{0, bytes_of({x, y}), [=] { activation_forward(kind, x, y); }, y};
            Tensor dy = operands.take({rows, kInner});
            return Work{0, bytes_of({x, dy, y}), [=] { activation_backward(kind, x, dy, y); }, y};
          }};
}

std::span<float> values_of(const Tensor& tensor) {
  return {tensor.f32(), static_cast<std::size_t>(tensor.elements())};
}

Case optimizer(std::int64_t parameters) {
  return {fmt::format("adamw/{}", parameters), [=](Operands& operands) {
            Tensor weight = operands.take({parameters}), gradient = operands.take({parameters});
            Tensor m = operands.take_zeros({parameters}), v = operands.take_zeros({parameters});
            return Work{0, bytes_of({weight, weight, gradient, m, m, v, v}),
                        [=] {
                          adamw({.learning_rate = 1e-6}, values_of(weight), values_of(gradient), values_of(m),
                                values_of(v));
                        },
                        weight};
          }};
}

Case norm(std::int64_t parameters) {
  return {fmt::format("squared_norm/{}", parameters), [=](Operands& operands) {
            Tensor gradient = operands.take({parameters}), sum = operands.take_zeros({1});
            return Work{0, bytes_of({gradient}),
                        [=] { sum.f32()[0] = static_cast<float>(squared_norm(values_of(gradient))); }, sum};
          }};
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (std::int64_t rows : {256, 1024}) {
    for (auto [out, in] :
         {std::pair{3 * kWidth, kWidth}, {kWidth, kWidth}, {kInner, kWidth}, {kWidth, kInner}}) {
      all.push_back(forward_product(rows, out, in));
      all.push_back(input_gradient(rows, out, in));
      all.push_back(weight_gradient(rows, out, in));
    }
  }
  for (std::int64_t rows : {152, 320}) {  // BERT's masked rows; a chunk of GPT-2's
    const std::int64_t vocabulary = rows == 152 ? 30522 : 50257;
    all.push_back(forward_product(rows, vocabulary, kWidth));
    all.push_back(input_gradient(rows, vocabulary, kWidth));
    all.push_back(weight_gradient(rows, vocabulary, kWidth));
  }
  for (bool backward : {false, true}) {
    all.push_back(attention(backward, 4, 64, true));
    all.push_back(attention(backward, 8, 128, false));
    all.push_back(attention(backward, 1, 1024, true));
    all.push_back(layer_norm(backward, 1024));
    all.push_back(activation(backward, Activation::gelu, "gelu", 1024));
    all.push_back(activation(backward, Activation::gelu_tanh, "gelu_tanh", 1024));
  }
  all.push_back(optimizer(124'439'808));
  all.push_back(norm(124'439'808));
  return all;
}

bool right(const Tensor& result) {
  double sum = 0;
  for (float value : values_of(result)) sum += std::abs(value);
  return std::isfinite(sum) && sum > 0;
}

void run_case(benchmark::State& state, const Case& c, double peak, double bandwidth) {
  Operands operands;
  Work work = c.prepare(operands);
  work.run();
  for (auto iteration : state) work.run();
  if (!right(work.result)) state.SkipWithError("the result is not finite, or 0");
  auto rate = [&](double amount) {
    return benchmark::Counter(amount / 1e9, benchmark::Counter::kIsIterationInvariantRate);
  };
  if (work.flops > 0) {
    state.counters["GFLOP/s"] = rate(work.flops);
    state.counters["share"] = rate(work.flops / peak);
  } else {
    state.counters["GB/s"] = rate(work.bytes);
    state.counters["share"] = rate(work.bytes / bandwidth);
  }
}

int run(int argc, char** argv) {
  print_conditions(argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const double peak = Peak().gflops(), bandwidth = measure_read_bandwidth();
  fmt::print(
      "peak     {:.0f} GFLOP/s, reading {:.0f} GB/s; share: of the first for products, else of the second\n",
      peak, bandwidth);
  for (const Case& c : cases()) {
    benchmark::RegisterBenchmark(c.name.c_str(),
                                 [=](benchmark::State& state) { run_case(state, c, peak, bandwidth); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace surprisal::bench

int main(int argc, char** argv) {
  return surprisal::bench::run(argc, argv);
}
