// config.json of every family.
#include "core/json.h"
#include "fuzz/target.h"
#include "model/family.h"

namespace surprisal::fuzz {
namespace {

constexpr std::int64_t kMostLayers =
    64;  // of which the parameters are listed; the list is as long as there are layers

void check_parameters(const Family& family, const ModelConfig& config) {
  const ParameterTable table = make_parameter_table(config);
  expect(table.count > 0 && table.size >= table.count, "a model without parameters");
  expect(!family.bindings(config, table).empty(), "a model whose files hold nothing");
}

}  // namespace

void read(std::string_view input) {
  const Json json = parse_json(input, "config.json");
  const Family& family = find_family(get_string(json, "model_type", "config.json"), "config.json");
  const ModelConfig config = family.read_config(json, "config.json");
  const std::string written = family.write_config(config).dump();
  const ModelConfig again = family.read_config(parse_json(written, "written.json"), "written.json");
  expect(family.write_config(again).dump() == written, "a configuration that reads back otherwise");
  if (config.num_hidden_layers <= kMostLayers) check_parameters(family, config);
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  for (const char* name :
       {"bert-gelu", "bert-relu-bf16-shards", "gpt2-gelu", "gpt2-silu-untied", "roberta-quick_gelu-f16",
        "llama-llama3-biases", "llama-linear-bf16", "llama-dynamic-shards", "qwen2", "qwen2-yarn-mscale",
        "bert-sequence-classifier", "bert-token-classifier", "gpt2-regression", "gpt2-token-classifier",
        "llama-sequence-classifier", "qwen2-token-classifier", "roberta-sequence-classifier",
        "roberta-token-classifier"}) {
    seeds.push_back(test_data(std::string("golden/models/") + name + "/config.json"));
  }
  for (const std::string& family : family_names()) {
    ModelOptions options;
    options.family = family;
    options.hidden_size = 8;
    options.num_hidden_layers = 2;
    options.num_attention_heads = 2;
    const Family& known = find_family(family, "seed");
    seeds.push_back(known.write_config(known.from_options(options, ModelVocabulary(64, 1, 2, 0), 16)).dump());
  }
  return seeds;
}

}  // namespace surprisal::fuzz
