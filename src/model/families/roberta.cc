// RoBERTa (Liu et al. 2019) as `transformers` stores it: RobertaForMaskedLM. BERT's body; positions count
// from behind the padding token's id, so that a table of 514 rows holds 512 of them; the head's GELU is exact
// whatever hidden_act says. The published files have a pooler that nothing uses, which is kept.
#include <string>

#include "model/families/bert_body.h"
#include "model/families/families.h"

namespace surprisal {
namespace {

constexpr const char* kArchitecture = "RobertaForMaskedLM";
constexpr std::int64_t kBegin = 0, kPadding = 1, kEnd = 2;  // of fairseq's dictionary

// What no key of config.json can change.
ModelConfig shape_of_family() {
  ModelConfig config;
  config.family = "roberta";
  config.norm = NormPlacement::post;
  config.embedding_norm = true;
  config.positions_after_padding = true;
  config.head_transform = true;
  config.head_activation = Activation::gelu;
  config.head_bias = true;
  return config;
}

ModelConfig read_config(const Json& json, const std::string& where) {
  ConfigReader reader(json, where);
  ModelConfig config = shape_of_family();
  read_bert_body(reader, kPadding, config);
  config.bos_token_id = reader.token_id("bos_token_id", kBegin, config.vocab_size);
  config.eos_token_id = reader.token_id("eos_token_id", kEnd, config.vocab_size);
  reader.finish();
  check_config(config, ErrorKind::data, where);
  return config;
}

OrderedJson write_config(const ModelConfig& config) {
  return write_bert_body(config, kArchitecture);
}

ModelConfig from_options(const ModelOptions& options, const ModelVocabulary& vocabulary,
                         std::int64_t sequence_length) {
  ModelConfig config = shape_of_family();
  config.type_vocab_size = options.type_vocab_size > 0 ? options.type_vocab_size : 1;
  set_bert_body(options, {.activation = "gelu", .layer_norm_eps = 1e-5, .pad_token_id = kPadding}, vocabulary,
                sequence_length, config);
  check_config(config, ErrorKind::usage, "[model]");
  return config;
}

std::vector<Binding> bindings(const ModelConfig& config, const ParameterTable& table) {
  BindingList list(table);
  bind_bert_body(list, "roberta.", config);
  list.add_pair("lm_head.dense", "head.transform");
  list.add_pair("lm_head.layer_norm", "head.norm");
  // An untied decoder has a bias of its own, beside which `transformers` keeps lm_head.bias unused.
  list.add(config.tie_word_embeddings ? "lm_head.bias" : "lm_head.decoder.bias", "head.bias");
  if (!config.tie_word_embeddings) list.add("lm_head.decoder.weight", "head.weight");
  return std::move(list).finish();
}

bool buffer(std::string_view name) {
  return name == "roberta.embeddings.position_ids" || name == "roberta.embeddings.token_type_ids";
}

std::vector<SharedTensor> shared(const ModelConfig& config) {
  if (!config.tie_word_embeddings) return {{"lm_head.bias", "lm_head.decoder.bias", false}};
  return {{"lm_head.decoder.weight", "roberta.embeddings.word_embeddings.weight"},
          {"lm_head.decoder.bias", "lm_head.bias"}};
}

}  // namespace

const Family& roberta_family() {
  static const Family family{.name = "roberta",
                             .architecture = kArchitecture,
                             .decoder = false,
                             .sentence_head = false,
                             .prefix = "roberta.",
                             .body = {"embeddings.", "encoder.", "pooler."},
                             .read_config = read_config,
                             .write_config = write_config,
                             .from_options = from_options,
                             .bindings = bindings,
                             .buffer = buffer,
                             .shared = shared};
  return family;
}

}  // namespace surprisal
