// adapter_config.json beside a model of one of the families.
#include "store/adapter_config.h"

#include "adapt/adapter.h"
#include "fuzz/target.h"

namespace surprisal::fuzz {
namespace {

ModelConfig base_of(const std::string& family) {
  ModelOptions options;
  options.family = family;
  options.hidden_size = 8;
  options.num_hidden_layers = 2;
  options.num_attention_heads = 2;
  return find_family(family, "base").from_options(options, ModelVocabulary(64, 1, 2, 0), 16);
}

}  // namespace

void read(std::string_view input) {
  const std::vector<std::string> parts = parts_of(input, 2);
  const ModelConfig base = base_of(parts[0]);
  const std::string where = "adapter_config.json";
  const AdapterOptions options = read_adapter_config(parts[1], base, where);
  ModelConfig adapted = base;
  adapted.adaptation = make_adaptation(options, base, where, ErrorKind::data);
  const ParameterTable table = make_parameter_table(adapted);
  const bool tensors =
      !adapter_bindings(options, adapted, table).empty() || !fused_branches(options, adapted, table).empty();
  expect(tensors, "an adapter without tensors");
  const std::string written = write_adapter_config(options, base, "base").dump();
  const AdapterOptions again = read_adapter_config(written, base, where);
  expect(write_adapter_config(again, base, "base").dump() == written, "an adapter that reads back otherwise");
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  for (const std::string name : {"gpt2-lora-patterns", "gpt2-dora", "gpt2-prefix", "bert-lora-saved",
                                 "bert-prefix", "llama-lora", "llama-prefix", "qwen2-lora"}) {
    seeds.push_back(join_parts(
        {name.substr(0, name.find('-')), test_data("golden/adapters/" + name + "/adapter_config.json")}));
  }
  const std::string lora = R"({"peft_type": "LORA", "target_modules": )";
  seeds.push_back(join_parts({"glm", lora + R"("all-linear", "exclude_modules": ["dense"]})"}));
  seeds.push_back(join_parts({"gpt2", lora + R"(["query", "attn.c_attn.value"], "bias": "lora_only"})"}));
  seeds.push_back(
      join_parts({"gpt2", lora + R"(".*\\.c_fc", "layers_to_transform": 1, "use_rslora": true})"}));
  return seeds;
}

}  // namespace surprisal::fuzz
