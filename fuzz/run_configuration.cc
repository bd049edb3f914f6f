// The TOML of a run; each part behind it is an override, KEY=VALUE.
#include "fuzz/target.h"
#include "objective/specification.h"
#include "train/options.h"

namespace surprisal::fuzz {
namespace {

constexpr std::size_t kOverrides = 4;

std::vector<Override> overrides_of(const std::vector<std::string>& parts) {
  std::vector<Override> overrides;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    if (equals != std::string::npos)
      overrides.push_back({parts[i].substr(0, equals), parts[i].substr(equals + 1)});
  }
  return overrides;
}

constexpr const char* kConfiguration = R"(# a run
run.directory = "runs/a"
[data]
train = ["a.txt", "b/**/*.jsonl.gz"]
sequence_length = 64
field = "text"
[tokenizer]
path = 'tokenizers/bpe'
[objective]
train = "mlm + 0.5 nsp"
evaluate = ["causal"]
[objective.mlm]
probability = 0.15
unit = "span"
[model]
family = "bert"
hidden_size = 64
[train]
learning_rate = 1e-3
max_steps = 0x10
adam_bias_correction = false
)";

}  // namespace

void read(std::string_view input) {
  const std::vector<std::string> parts = parts_of(input, 1 + kOverrides);
  const Configuration configuration = Configuration::read_text(parts[0], "run.toml", overrides_of(parts));
  const std::string written = configuration.to_toml();
  expect(Configuration::read_text(written, "written.toml", {}).to_toml() == written,
         "a configuration that reads back otherwise");
  parse_specification(configuration.objective.train);
}

std::vector<std::string> seeds() {
  return {
      kConfiguration,
      join_parts({kConfiguration, "train.learning_rate=3e-4", "data.train=[\"x.txt\"]",
                  "objective.train=0.5 causal | 2 reverse", "tokenizer.path=a b"}),
      "run = {directory = 'a'}\ndata = {train = 'x'}\ntokenizer.path = \"\"\"y\n\"\"\"\nobjective.train = "
      "'mlm'\n"
      "model.path = 'z'\nmodel.new_heads = true\n",
  };
}

}  // namespace surprisal::fuzz
