#include "text/tokenizer/component_table.h"

#include <string_view>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/bert_normalizer.h"
#include "text/tokenizer/bert_pre_tokenizer.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/post_processors.h"
#include "text/tokenizer/wordpiece.h"

namespace surprisal {
namespace {

template <class Component>
struct Row {
  std::string_view type;
  Component (*create)(const Json& json, const std::string& where);
};

constexpr Row<std::unique_ptr<Normalizer>> kNormalizers[] = {
    {"BertNormalizer", &BertNormalizer::create},
};

constexpr Row<std::unique_ptr<PreTokenizer>> kPreTokenizers[] = {
    {"BertPreTokenizer", &BertPreTokenizer::create},
    {"ByteLevel", &ByteLevelPreTokenizer::create},
};

constexpr Row<std::unique_ptr<TokenModel>> kModels[] = {
    {"BPE", &Bpe::create},
    {"WordPiece", &WordPiece::create},
};

constexpr Row<SequenceTemplates> kPostProcessors[] = {
    {"BertProcessing", &bert_processing},
    {"ByteLevel", &byte_level_processing},
    {"RobertaProcessing", &roberta_processing},
    {"TemplateProcessing", &template_processing},
};

constexpr Row<std::unique_ptr<Decoder>> kDecoders[] = {
    {"ByteLevel", &ByteLevelDecoder::create},
    {"WordPiece", &WordPieceDecoder::create},
};

template <class Component, std::size_t size>
Component create(const Row<Component> (&table)[size], std::string_view type, const Json& json,
                 const char* kind, const std::string& where) {
  std::string known;
  for (const Row<Component>& row : table) {
    if (row.type == type) return row.create(json, fmt::format("{}, {}", where, kind));
    known += fmt::format("{}{}", known.empty() ? "" : ", ", row.type);
  }
  throw Error(ErrorKind::data, {.what = fmt::format("unknown {}", kind),
                                .where = where,
                                .found = std::string(type),
                                .expected = "one of " + known});
}

// The component under the key `kind`, or a default Component if the file has none.
template <class Component, std::size_t size>
Component create(const Row<Component> (&table)[size], const Json& root, const char* kind,
                 const std::string& where) {
  auto found = root.find(kind);
  if (found == root.end() || found->is_null()) return {};
  return create(table, get_string(*found, "type", fmt::format("{}, {}", where, kind)), *found, kind, where);
}

// Files of 2020, among them those of bert-base-uncased and gpt2, leave the model's type to be guessed.
std::string model_type(const Json& model, const std::string& where) {
  if (model.is_object() && !model.contains("type")) {
    if (model.contains("merges")) return "BPE";
    if (model.contains("max_input_chars_per_word")) return "WordPiece";
  }
  return get_string(model, "type", where + ", model");
}

}  // namespace

std::unique_ptr<const Normalizer> make_normalizer(const Json& root, const std::string& where) {
  return create(kNormalizers, root, "normalizer", where);
}

std::unique_ptr<const PreTokenizer> make_pre_tokenizer(const Json& root, const std::string& where) {
  return create(kPreTokenizers, root, "pre_tokenizer", where);
}

std::unique_ptr<const TokenModel> make_token_model(const Json& root, const std::string& where) {
  const Json& model = require(root, "model", where);
  return create(kModels, model_type(model, where), model, "model", where);
}

std::unique_ptr<const Decoder> make_decoder(const Json& root, const std::string& where) {
  return create(kDecoders, root, "decoder", where);
}

SequenceTemplates make_templates(const Json& root, const std::string& where) {
  return create(kPostProcessors, root, "post_processor", where);
}

}  // namespace surprisal
