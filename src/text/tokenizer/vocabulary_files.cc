#include "text/tokenizer/vocabulary_files.h"

#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/added_token_files.h"
#include "text/tokenizer/component_json.h"
#include "text/tokenizer/legacy_files.h"
#include "text/tokenizer/scanner.h"
#include "text/tokenizer/tokenizer_json.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

// Calls `line` with every line and its number, from 1.
template <class Line>
void for_each_line(std::string_view text, const std::string& where, Line line) {
  if (std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    throw Error(ErrorKind::data,
                {.what = fmt::format("the file is no UTF-8 at byte {}", bad), .where = where});
  }
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::size_t end = text.find('\n');
    line(text.substr(0, end), number);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

std::vector<std::string> read_vocab_txt(const VocabularyFiles& files) {
  std::string where = files.directory + "/vocab.txt";
  std::vector<std::string> tokens;
  std::unordered_map<std::string, std::size_t> lines;
  for_each_line(files.vocabulary, where, [&](std::string_view line, std::size_t number) {
    std::string token(line.substr(0, skip_space_back(line, line.size())));
    auto [first, added] = lines.emplace(token, number);
    if (!added) {
      throw Error(ErrorKind::data, {.what = fmt::format("token {} stands in two lines", Json(token).dump()),
                                    .where = where,
                                    .found = fmt::format("lines {} and {}", first->second, number),
                                    .fix = "give one of them a name that no text has, such as [unused0]: the "
                                           "first, as transformers has the last line's id"});
    }
    tokens.push_back(std::move(token));
  });
  if (tokens.size() > static_cast<std::size_t>(kMaxVocabulary)) {
    throw Error(ErrorKind::data, {.what = "the vocabulary is too large",
                                  .where = where,
                                  .found = fmt::format("{} tokens", tokens.size()),
                                  .expected = fmt::format("at most {}", kMaxVocabulary)});
  }
  return tokens;
}

// The file's tokens, in the order of their ids.
OrderedJson by_id(const Vocabulary& vocabulary) {
  OrderedJson::object_t tokens;
  for (std::int32_t id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.contains(id)) tokens.emplace_back(vocabulary.spelling(id), id);
  }
  return tokens;
}

OrderedJson read_merges(const VocabularyFiles& files) {
  std::string where = files.directory + "/merges.txt";
  OrderedJson merges = OrderedJson::array();
  for_each_line(files.merges, where, [&](std::string_view line, std::size_t number) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("#version")) return;
    std::size_t blank = line.find(' ');
    if (blank == line.npos || line.find(' ', blank + 1) != line.npos) {
      throw Error(ErrorKind::data, {.what = "malformed merge",
                                    .where = fmt::format("{}:{}", where, number),
                                    .found = Json(std::string(line)).dump(),
                                    .expected = "two tokens with a blank between"});
    }
    merges.push_back({std::string(line.substr(0, blank)), std::string(line.substr(blank + 1))});
  });
  return merges;
}

OrderedJson byte_level(bool add_prefix_space, bool trim_offsets, bool use_regex = true) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", trim_offsets},
          {"use_regex", use_regex}};
}

// Qwen2's pattern, then bytes.
OrderedJson qwen2_pre_tokenizer(bool add_prefix_space) {
  OrderedJson split = {{"type", "Split"},
                       {"pattern", {{"Regex", kQwen2Pattern}}},
                       {"behavior", "Isolated"},
                       {"invert", false}};
  return {{"type", "Sequence"},
          {"pretokenizers", OrderedJson::array({split, byte_level(add_prefix_space, true, false)})}};
}

LegacyComponents bert_components(const LegacyFiles& parsed, const LegacyTokens& tokens,
                                 OrderedJson vocabulary) {
  const Json& config = parsed.tokenizer_config;
  const std::string& where = parsed.config_name;
  std::string cls = role_of(tokens, "cls_token", where), sep = role_of(tokens, "sep_token", where);
  OrderedJson strip_accents = nullptr;
  if (config.contains("strip_accents") && !config["strip_accents"].is_null()) {
    strip_accents = get_bool(config, "strip_accents", where);
  }
  TemplatePart a{"A", 0, false}, b{"B", 1, false};
  return {.normalizer = {{"type", "BertNormalizer"},
                         {"clean_text", true},
                         {"handle_chinese_chars", get_bool_or(config, "tokenize_chinese_chars", where, true)},
                         {"strip_accents", strip_accents},
                         {"lowercase", get_bool_or(config, "do_lower_case", where, true)}},
          .pre_tokenizer = {{"type", "BertPreTokenizer"}},
          .post_processor = template_json({{cls}, a, {sep}}, {{cls}, a, {sep}, b, {sep, 1}}, tokens),
          .decoder = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}},
          .model = {{"type", "WordPiece"},
                    {"unk_token", role_of(tokens, "unk_token", where)},
                    {"continuing_subword_prefix", "##"},
                    {"max_input_chars_per_word", 100},
                    {"vocab", std::move(vocabulary)}}};
}

OrderedJson roberta_post_processor(const LegacyFiles& parsed, const LegacyTokens& tokens,
                                   bool add_prefix_space) {
  auto token = [&](const char* role) {
    const std::string& content = role_of(tokens, role, parsed.config_name);
    return OrderedJson::array({content, id_of(tokens, content)});
  };
  return {{"type", "RobertaProcessing"},
          {"sep", token("sep_token")},
          {"cls", token("cls_token")},
          {"trim_offsets", get_bool_or(parsed.tokenizer_config, "trim_offsets", parsed.config_name, true)},
          {"add_prefix_space", add_prefix_space}};
}

// The class of a vocab.json with merges.txt.
std::string vocab_json_class(const LegacyFiles& parsed, const Vocabulary& ids) {
  std::string name = parsed.tokenizer_class();
  const Json type = parsed.model_config.value("model_type", Json());
  if (name.empty() && type.is_string()) {
    throw Error(ErrorKind::data, {.what = "no file says how vocab.json with merges.txt cuts text",
                                  .where = parsed.directory,
                                  .found = fmt::format("a config.json of {}", to_line(type)),
                                  .fix = "name the class as tokenizer_class in tokenizer_config.json"});
  }
  // These two look the same but for their special tokens.
  if (name.empty())
    name = ids.id("<s>") && ids.id("</s>") && ids.id("<mask>") ? "RobertaTokenizer" : "GPT2Tokenizer";
  if (name != "RobertaTokenizer" && name != "GPT2Tokenizer" && name != "Qwen2Tokenizer") {
    refuse_class(parsed, name, "vocab.json with merges.txt",
                 "GPT2Tokenizer, RobertaTokenizer or Qwen2Tokenizer");
  }
  return name;
}

TokenRoles vocab_json_roles(const std::string& name) {
  if (name == "RobertaTokenizer") {
    return {{"bos_token", "<s>"},   {"eos_token", "</s>"},  {"sep_token", "</s>"},   {"cls_token", "<s>"},
            {"unk_token", "<unk>"}, {"pad_token", "<pad>"}, {"mask_token", "<mask>"}};
  }
  const bool qwen2 = name == "Qwen2Tokenizer";
  const std::optional<std::string> end = "<|endoftext|>";
  return {{"unk_token", end},
          {"bos_token", qwen2 ? std::nullopt : end},
          {"eos_token", end},
          {"pad_token", qwen2 ? end : std::nullopt}};
}

}  // namespace

TokenizerFiles convert_vocab_txt(const VocabularyFiles& files) {
  LegacyFiles parsed(files);
  std::string name = parsed.tokenizer_class();
  if (!name.empty() && name != "BertTokenizer" && name != "DistilBertTokenizer") {
    refuse_class(parsed, name, "vocab.txt", "BertTokenizer");
  }
  OrderedJson vocabulary = vocabulary_json(read_vocab_txt(files));
  Vocabulary ids(Json(vocabulary), files.directory + "/vocab.txt");
  LegacyTokens tokens = read_legacy_tokens(parsed.token_files(),
                                           {{"unk_token", "[UNK]"},
                                            {"sep_token", "[SEP]"},
                                            {"pad_token", "[PAD]"},
                                            {"cls_token", "[CLS]"},
                                            {"mask_token", "[MASK]"}},
                                           ids);
  return assemble(parsed, tokens, bert_components(parsed, tokens, std::move(vocabulary)));
}

TokenizerFiles convert_vocab_json(const VocabularyFiles& files) {
  LegacyFiles parsed(files);
  std::string where = files.directory + "/vocab.json";
  Vocabulary ids(parse_object(files.vocabulary, where), where);
  const std::string name = vocab_json_class(parsed, ids);
  const bool roberta = name == "RobertaTokenizer", qwen2 = name == "Qwen2Tokenizer";
  LegacyTokens tokens = read_legacy_tokens(parsed.token_files(), vocab_json_roles(name), ids);
  bool prefix = get_bool_or(parsed.tokenizer_config, "add_prefix_space", parsed.config_name, false);
  OrderedJson model = {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", ""},
                       {"end_of_word_suffix", ""},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", false}};
  model["vocab"] = by_id(ids);
  model["merges"] = read_merges(files);
  OrderedJson post_processor = roberta ? roberta_post_processor(parsed, tokens, prefix)
                               : qwen2 ? OrderedJson(nullptr)
                                       : bos_and_eos_template(parsed, tokens, false);
  return assemble(parsed, tokens,
                  {.normalizer = qwen2 ? OrderedJson{{"type", "NFC"}} : OrderedJson(nullptr),
                   .pre_tokenizer = qwen2 ? qwen2_pre_tokenizer(prefix) : byte_level(prefix, true),
                   .post_processor = std::move(post_processor),
                   .decoder = byte_level(true, true),
                   .model = std::move(model)});
}

}  // namespace surprisal
