#include "text/tokenizer/component_table.h"

#include <iterator>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/sentencepiece/sentencepiece_json.h"
#include "text/tokenizer/bert_normalizer.h"
#include "text/tokenizer/bert_pre_tokenizer.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/character_pre_tokenizers.h"
#include "text/tokenizer/component_json.h"
#include "text/tokenizer/decoders.h"
#include "text/tokenizer/metaspace.h"
#include "text/tokenizer/post_processors.h"
#include "text/tokenizer/precompiled.h"
#include "text/tokenizer/replace.h"
#include "text/tokenizer/sequences.h"
#include "text/tokenizer/split.h"
#include "text/tokenizer/text_normalizers.h"
#include "text/tokenizer/unicode_normalizer.h"
#include "text/tokenizer/unigram.h"
#include "text/tokenizer/word_level.h"
#include "text/tokenizer/wordpiece.h"

namespace surprisal {
namespace {

template <class Component>
struct Row {
  std::string_view type;
  std::string_view keys;  // that the component may have beside "type"
  Component (*create)(const Json& json, const std::string& where);
};

std::unique_ptr<Normalizer> normalizer_sequence(const Json& json, const std::string& where);
std::unique_ptr<PreTokenizer> pre_tokenizer_sequence(const Json& json, const std::string& where);
SequenceTemplates post_processor_sequence(const Json& json, const std::string& where);
std::unique_ptr<Decoder> decoder_sequence(const Json& json, const std::string& where);

constexpr Row<std::unique_ptr<Normalizer>> kNormalizers[] = {
    {"BertNormalizer", "clean_text handle_chinese_chars strip_accents lowercase", &BertNormalizer::create},
    {"ByteLevel", "", &ByteLevelNormalizer::create},
    {"Lowercase", "", &Lowercase::create},
    {"NFC", "", &UnicodeNormalizer::create<NormalizationForm::nfc>},
    {"NFD", "", &UnicodeNormalizer::create<NormalizationForm::nfd>},
    {"NFKC", "", &UnicodeNormalizer::create<NormalizationForm::nfkc>},
    {"NFKD", "", &UnicodeNormalizer::create<NormalizationForm::nfkd>},
    {"Precompiled", "precompiled_charsmap", &Precompiled::create},
    {"Prepend", "prepend", &Prepend::create},
    {"Replace", "pattern content", &ReplaceNormalizer::create},
    {"Sequence", "normalizers", &normalizer_sequence},
    {"Strip", "strip_left strip_right", &Strip::create},
    {"StripAccents", "", &StripAccents::create},
};

constexpr std::string_view kByteLevelKeys = "add_prefix_space trim_offsets use_regex";
constexpr std::string_view kMetaspaceKeys = "replacement add_prefix_space prepend_scheme split str_rep";

constexpr Row<std::unique_ptr<PreTokenizer>> kPreTokenizers[] = {
    {"BertPreTokenizer", "", &BertPreTokenizer::create},
    {"ByteLevel", kByteLevelKeys, &ByteLevelPreTokenizer::create},
    {"CharDelimiterSplit", "delimiter", &char_delimiter_split},
    {"Digits", "individual_digits", &digits},
    {"Metaspace", kMetaspaceKeys, &MetaspacePreTokenizer::create},
    {"Punctuation", "behavior", &punctuation},
    {"Sequence", "pretokenizers", &pre_tokenizer_sequence},
    {"Split", "pattern behavior invert", &Split::create},
    {"Whitespace", "", &Whitespace::create},
    {"WhitespaceSplit", "", &whitespace_split},
};

constexpr Row<std::unique_ptr<TokenModel>> kModels[] = {
    {"BPE",
     "dropout unk_token continuing_subword_prefix end_of_word_suffix fuse_unk byte_fallback ignore_merges "
     "vocab "
     "merges",
     &Bpe::create},
    {"Unigram", "unk_id vocab byte_fallback", &Unigram::create},
    {"WordLevel", "vocab unk_token", &WordLevel::create},
    {"WordPiece", "unk_token continuing_subword_prefix max_input_chars_per_word vocab", &WordPiece::create},
};

constexpr Row<SequenceTemplates> kPostProcessors[] = {
    {"BertProcessing", "sep cls", &bert_processing},
    {"ByteLevel", kByteLevelKeys, &byte_level_processing},
    {"RobertaProcessing", "sep cls trim_offsets add_prefix_space", &roberta_processing},
    {"Sequence", "processors", &post_processor_sequence},
    {"TemplateProcessing", "single pair special_tokens", &template_processing},
};

constexpr Row<std::unique_ptr<Decoder>> kDecoders[] = {
    {"BPEDecoder", "suffix", &BpeDecoder::create},
    {"ByteFallback", "", &ByteFallbackDecoder::create},
    {"ByteLevel", kByteLevelKeys, &ByteLevelDecoder::create},
    {"Fuse", "", &FuseDecoder::create},
    {"Metaspace", kMetaspaceKeys, &MetaspaceDecoder::create},
    {"Replace", "pattern content", &ReplaceDecoder::create},
    {"Sequence", "decoders", &decoder_sequence},
    {"Strip", "content start stop", &StripDecoder::create},
    {"WordPiece", "prefix cleanup", &WordPieceDecoder::create},
};

template <class Component, std::size_t size>
Component create(const Row<Component> (&table)[size], std::string_view type, const Json& json,
                 const char* kind, const std::string& where) {
  std::string known;
  for (const Row<Component>& row : table) {
    if (row.type == type) {
      std::string place = fmt::format("{}, {}", where, kind);
      check_keys(json, fmt::format("type{}{}", row.keys.empty() ? "" : " ", row.keys), place);
      return row.create(json, place);
    }
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

// The components of a sequence, under the key `list`.
template <class Component, std::size_t size>
std::vector<Component> members(const Row<Component> (&table)[size], const Json& json, const char* list,
                               const std::string& where) {
  const Json& entries = require(json, list, where);
  if (!entries.is_array())
    throw Error(ErrorKind::data, {.what = fmt::format("{} is no array", list), .where = where});
  std::vector<Component> components;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    std::string kind = fmt::format("{}[{}]", list, i);
    std::string type = get_string(entries[i], "type", fmt::format("{}, {}", where, kind));
    components.push_back(create(table, type, entries[i], kind.c_str(), where));
  }
  return components;
}

template <class Component>
std::vector<std::unique_ptr<const Component>> as_const(std::vector<std::unique_ptr<Component>> members) {
  return {std::make_move_iterator(members.begin()), std::make_move_iterator(members.end())};
}

std::unique_ptr<Normalizer> normalizer_sequence(const Json& json, const std::string& where) {
  return std::make_unique<NormalizerSequence>(as_const(members(kNormalizers, json, "normalizers", where)));
}

std::unique_ptr<PreTokenizer> pre_tokenizer_sequence(const Json& json, const std::string& where) {
  return std::make_unique<PreTokenizerSequence>(members(kPreTokenizers, json, "pretokenizers", where));
}

SequenceTemplates post_processor_sequence(const Json& json, const std::string& where) {
  return combine_templates(members(kPostProcessors, json, "processors", where), where);
}

std::unique_ptr<Decoder> decoder_sequence(const Json& json, const std::string& where) {
  return std::make_unique<DecoderSequence>(as_const(members(kDecoders, json, "decoders", where)));
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

TokenizerParts make_parts(const Json& root, const std::string& where) {
  if (holds_sentencepiece(root)) return sentencepiece_parts(root, where);
  TokenizerParts parts;
  parts.normalizer = create(kNormalizers, root, "normalizer", where);
  parts.pre_tokenizer = create(kPreTokenizers, root, "pre_tokenizer", where);
  const Json& model = require(root, "model", where);
  parts.model = create(kModels, model_type(model, where), model, "model", where);
  parts.decoder = create(kDecoders, root, "decoder", where);
  return parts;
}

SequenceTemplates make_templates(const Json& root, const std::string& where) {
  return create(kPostProcessors, root, "post_processor", where);
}

}  // namespace surprisal
