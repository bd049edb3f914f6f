#include "text/sentencepiece/sentencepiece_json.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "surprisal/error.h"

#include "text/sentencepiece/icetk.h"
#include "text/sentencepiece/sentencepiece_decoder.h"
#include "text/sentencepiece/sentencepiece_models.h"
#include "text/sentencepiece/sentencepiece_normalizer.h"
#include "text/tokenizer/base64.h"
#include "text/tokenizer/component_json.h"
#include "text/tokenizer/sequences.h"

namespace surprisal {
namespace {

using Piece = SentencePieceModel::Piece;
using Type = SentencePieceModel::Type;

OrderedJson replace_json(const char* kind, std::string_view pattern, std::string_view content) {
  return {{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", content}};
}

OrderedJson sequence_json(const char* list, OrderedJson members) {
  if (members.empty()) return nullptr;
  return {{"type", "Sequence"}, {list, std::move(members)}};
}

OrderedJson normalizer_json(const SentencePieceModel& model, bool icetk) {
  OrderedJson members = icetk ? icetk_normalizers() : OrderedJson::array();
  if (!model.charsmap.empty()) {
    members.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", base64_encode(model.charsmap)}});
  }
  if (model.remove_extra_whitespaces) {
    members.push_back(replace_json("Regex", "\\A +| +\\z", ""));
    members.push_back(replace_json("Regex", " {2,}", " "));
  }
  if (model.escape_whitespaces) members.push_back(replace_json("String", " ", kSpaceSymbol));
  // Metaspace puts no blank before text that begins with one.
  std::string one(kSpaceSymbol);
  if (model.add_dummy_prefix) members.push_back(replace_json("Regex", "\\A" + one, one + one));
  return sequence_json("normalizers", std::move(members));
}

std::string escaped(std::string_view text) {
  std::string pattern;
  for (char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}-# \t\n").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

// The user-defined pieces, the longest first.
std::string user_defined_pattern(const SentencePieceModel& model) {
  std::vector<std::string_view> pieces;
  for (const Piece& piece : model.pieces) {
    if (piece.type == Type::user_defined) pieces.push_back(piece.text);
  }
  std::stable_sort(pieces.begin(), pieces.end(), [](auto a, auto b) { return a.size() > b.size(); });
  std::string pattern;
  for (std::string_view piece : pieces) {
    if (!pattern.empty()) pattern += '|';
    pattern += escaped(piece);
  }
  return pattern;
}

OrderedJson pre_tokenizer_json(const SentencePieceModel& model) {
  OrderedJson members = OrderedJson::array();
  if (model.add_dummy_prefix) {
    members.push_back({{"type", "Metaspace"},
                       {"replacement", kSpaceSymbol},
                       {"prepend_scheme", "always"},
                       {"split", false}});
  }
  if (std::string pattern = user_defined_pattern(model); !pattern.empty()) {
    members.push_back(
        {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}});
  }
  return sequence_json("pretokenizers", std::move(members));
}

OrderedJson decoder_json(const SentencePieceModel& model) {
  OrderedJson members = OrderedJson::array();
  // With byte fallback there is no unknown token in the text.
  if (!model.byte_fallback) {
    members.push_back(replace_json("String", model.text(model.unknown), model.unknown_surface));
  }
  members.push_back(replace_json("String", kSpaceSymbol, " "));
  if (model.byte_fallback) members.push_back({{"type", "ByteFallback"}});
  members.push_back({{"type", "Fuse"}});
  if (model.add_dummy_prefix) {
    members.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  return sequence_json("decoders", std::move(members));
}

// Every way to make a piece of two, the highest score first.
OrderedJson merges_json(const SentencePieceModel& model) {
  std::unordered_map<std::string_view, const Piece*> normal;
  for (const Piece& piece : model.pieces) {
    if (piece.type == Type::normal) normal.emplace(piece.text, &piece);
  }
  std::vector<std::tuple<float, const Piece*, std::size_t>> merges;
  for (const Piece& piece : model.pieces) {
    if (piece.type != Type::normal) continue;
    std::string_view text = piece.text;
    for (std::size_t at = 1; at < text.size(); ++at) {
      if (normal.contains(text.substr(0, at)) && normal.contains(text.substr(at)))
        merges.emplace_back(-piece.score, &piece, at);
    }
  }
  std::sort(merges.begin(), merges.end());
  OrderedJson list = OrderedJson::array();
  for (auto [score, piece, at] : merges) {
    list.push_back(OrderedJson::array({piece->text.substr(0, at), piece->text.substr(at)}));
  }
  return list;
}

OrderedJson bpe_json(const SentencePieceModel& model) {
  std::vector<std::string> spellings;
  for (const Piece& piece : model.pieces) spellings.push_back(piece.text);
  OrderedJson json = {{"type", "BPE"},
                      {"dropout", nullptr},
                      {"unk_token", model.text(model.unknown)},
                      {"continuing_subword_prefix", nullptr},
                      {"end_of_word_suffix", nullptr},
                      {"fuse_unk", true},
                      {"byte_fallback", model.byte_fallback},
                      {"ignore_merges", model.has(Type::user_defined)}};
  json["vocab"] = vocabulary_json(spellings);
  json["merges"] = merges_json(model);
  return json;
}

OrderedJson unigram_json(const SentencePieceModel& model) {
  OrderedJson vocabulary = OrderedJson::array();
  float lowest = 0;
  for (const Piece& piece : model.pieces) lowest = std::min(lowest, piece.score);
  for (const Piece& piece : model.pieces) {
    vocabulary.push_back(OrderedJson::array({piece.text, piece.type == Type::image ? lowest : piece.score}));
  }
  return {{"type", "Unigram"},
          {"unk_id", model.unknown},
          {"vocab", std::move(vocabulary)},
          {"byte_fallback", model.byte_fallback}};
}

// Whether the components of Hugging Face come close. Where they do not, it must refuse the file.
bool has_likeness(const SentencePieceModel& model) {
  return model.escape_whitespaces && !model.treat_whitespace_as_suffix && !model.has(Type::unused);
}

constexpr const char* kIcetk = "icetk";

SentencePieceModel read_embedded(const Json& json, SentencePieceOptions& options, const std::string& where) {
  check_keys(json, "file layout add_dummy_prefix", where);
  std::optional<std::string> file = base64_decode(get_string(json, "file", where));
  if (!file) throw Error(ErrorKind::data, {.what = "the file is no base64", .where = where});
  std::string layout = get_string_or(json, "layout", where, "");
  if (!layout.empty() && layout != kIcetk) {
    throw Error(ErrorKind::data,
                {.what = "unknown layout", .where = where, .found = layout, .expected = kIcetk});
  }
  options.icetk = layout == kIcetk;
  options.add_dummy_prefix = get_bool_or(json, "add_dummy_prefix", where, true);
  SentencePieceModel model = read_sentencepiece_model(*file, where);
  if (options.icetk) model = icetk_model(std::move(model), where);
  if (!options.add_dummy_prefix) {
    model.add_dummy_prefix = false;
    model.keeps_first_blank = true;
  }
  return model;
}

// Around what the model itself does.
void add_icetk(TokenizerParts& parts) {
  std::vector<std::unique_ptr<const Normalizer>> normalizers;
  normalizers.push_back(std::make_unique<IcetkNormalizer>());
  normalizers.push_back(std::move(parts.normalizer));
  parts.normalizer = std::make_unique<NormalizerSequence>(std::move(normalizers));
  std::vector<std::unique_ptr<const Decoder>> decoders;
  decoders.push_back(std::make_unique<IcetkDecoder>());
  decoders.push_back(std::move(parts.decoder));
  parts.decoder = std::make_unique<DecoderSequence>(std::move(decoders));
}

}  // namespace

bool holds_sentencepiece(const Json& root) {
  auto model = root.find("model");
  return model != root.end() && model->is_object() && model->contains(kSentencePieceKey);
}

TokenizerParts sentencepiece_parts(const Json& root, const std::string& where) {
  std::string place = where + ", model, sentencepiece";
  SentencePieceOptions options;
  auto model = std::make_shared<const SentencePieceModel>(
      read_embedded(root["model"][kSentencePieceKey], options, place));
  TokenizerParts parts;
  parts.normalizer = std::make_unique<SentencePieceNormalizer>(model);
  parts.decoder = std::make_unique<SentencePieceDecoder>(model);
  if (options.icetk) add_icetk(parts);
  if (model->algorithm == SentencePieceModel::Algorithm::unigram) {
    parts.model = std::make_unique<SentencePieceUnigram>(model);
    return parts;
  }
  auto bpe = std::make_unique<SentencePieceBpe>(model);
  if (bpe->keeps_words()) parts.pre_tokenizer = std::make_unique<SentencePieceWords>();
  parts.model = std::move(bpe);
  return parts;
}

TokenizerComponents sentencepiece_components(const SentencePieceModel& model, std::string_view file,
                                             const SentencePieceOptions& options) {
  TokenizerComponents components;
  if (has_likeness(model)) {
    bool unigram = model.algorithm == SentencePieceModel::Algorithm::unigram;
    components.normalizer = normalizer_json(model, options.icetk);
    components.pre_tokenizer = pre_tokenizer_json(model);
    components.decoder = decoder_json(model);
    components.model = unigram ? unigram_json(model) : bpe_json(model);
  } else {
    components.model = {{"type", "SentencePiece"}};
  }
  OrderedJson embedded = {{"file", base64_encode(file)}};
  if (options.icetk) embedded["layout"] = kIcetk;
  if (!options.add_dummy_prefix) embedded["add_dummy_prefix"] = false;
  components.model[kSentencePieceKey] = std::move(embedded);
  return components;
}

}  // namespace surprisal
