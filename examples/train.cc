// Trains a small GPT-2 on a text file: train TEXT DIRECTORY [STEPS]
#include "surprisal/train.h"

#include <cstdio>
#include <string>

#include "surprisal/error.h"
#include "surprisal/tokenizer_training.h"

namespace {

class Progress : public surprisal::TrainObserver {
 public:
  void message(const std::string& text) override { std::fprintf(stderr, "%s\n", text.c_str()); }
  void stepped(const surprisal::StepReport& report) override {
    std::printf("step %lld loss %.4f\n", static_cast<long long>(report.step), report.loss);
  }
};

constexpr const char* kConfiguration = R"(
[data]
sequence_length = 32
[objective]
train = "causal"
[model]
family = "gpt2"
hidden_size = 32
num_hidden_layers = 2
num_attention_heads = 2
[train]
tokens_per_step = 128
micro_batch_tokens = 64
)";

int run(const std::string& text, const std::string& directory, const std::string& steps) {
  const std::string tokenizer = directory + "-tokenizer";
  surprisal::train_tokenizer({text}, {.type = "bpe", .vocab_size = 300}).save(tokenizer);
  const auto configuration = surprisal::TrainConfiguration::from_toml(kConfiguration, "train.cc",
                                                                      {{"run.directory", directory},
                                                                       {"data.train", text},
                                                                       {"tokenizer.path", tokenizer},
                                                                       {"train.max_steps", steps}});
  Progress progress;
  const surprisal::RunSummary summary = surprisal::train(configuration, /*resume=*/false, progress);
  std::printf("%lld steps, %llu tokens\n", static_cast<long long>(summary.steps),
              static_cast<unsigned long long>(summary.tokens));
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "train TEXT DIRECTORY [STEPS]\n");
    return 2;
  }
  try {
    return run(arguments[1], arguments[2], count > 3 ? arguments[3] : "2");
  } catch (const surprisal::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.kind());
  }
}
