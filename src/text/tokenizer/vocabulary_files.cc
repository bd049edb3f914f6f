#include "text/tokenizer/vocabulary_files.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/added_token_files.h"
#include "text/tokenizer/component_json.h"
#include "text/tokenizer/tokenizer_json.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

Json parse_object(const std::string& text, const std::string& where) {
  if (text.empty()) return Json::object();
  Json json = parse_json(text, where);
  if (!json.is_object()) throw Error(ErrorKind::data, {.what = "the file holds no object", .where = where});
  return json;
}

// The files that are JSON, parsed.
struct Parsed {
  explicit Parsed(const VocabularyFiles& files)
      : tokenizer_config(parse_object(files.tokenizer_config, files.directory + "/tokenizer_config.json")),
        special_tokens_map(
            parse_object(files.special_tokens_map, files.directory + "/special_tokens_map.json")),
        added_tokens(parse_object(files.added_tokens, files.directory + "/added_tokens.json")),
        model_config(parse_object(files.model_config, files.directory + "/config.json")),
        config_name(files.directory + "/tokenizer_config.json"),
        directory(files.directory) {}

  Json tokenizer_config, special_tokens_map, added_tokens, model_config;
  std::string config_name, directory;
};

std::string without_fast(std::string name) {
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

// The class that transformers would take, or "" where the files do not say.
std::string tokenizer_class(const Parsed& parsed) {
  std::string name = get_string_or(parsed.tokenizer_config, "tokenizer_class", parsed.config_name, "");
  std::string model_file = parsed.directory + "/config.json";
  if (name.empty()) name = get_string_or(parsed.model_config, "tokenizer_class", model_file, "");
  if (!name.empty()) return without_fast(name);
  static constexpr std::pair<std::string_view, const char*> kClasses[] = {{"bert", "BertTokenizer"},
                                                                          {"distilbert", "BertTokenizer"},
                                                                          {"gpt2", "GPT2Tokenizer"},
                                                                          {"roberta", "RobertaTokenizer"}};
  std::string type = get_string_or(parsed.model_config, "model_type", model_file, "");
  for (auto [known, class_name] : kClasses) {
    if (type == known) return class_name;
  }
  return "";
}

[[noreturn]] void refuse_class(const Parsed& parsed, const std::string& name, const std::string& file,
                               const std::string& known) {
  throw Error(ErrorKind::data,
              {.what = fmt::format("{} is not read for this class of tokenizer", file),
               .where = parsed.directory,
               .found = name,
               .expected = known,
               .fix = "save the tokenizer with transformers, which writes a tokenizer.json"});
}

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
                                    .found = fmt::format("lines {} and {}", first->second, number)});
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

const std::string& role_of(const LegacyTokens& tokens, const char* role, const std::string& where) {
  const std::optional<std::string>& token = tokens.roles.at(role);
  if (!token) throw Error(ErrorKind::data, {.what = fmt::format("{} is null", role), .where = where});
  return *token;
}

std::int32_t id_of(const LegacyTokens& tokens, const std::string& content) {
  for (const AddedToken& token : tokens.tokens) {
    if (token.content == content) return token.id;
  }
  return -1;
}

OrderedJson byte_level(bool add_prefix_space, bool trim_offsets) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", trim_offsets},
          {"use_regex", true}};
}

// A place of a template: a special token, or the sequence "A" or "B".
struct Piece {
  std::string name;
  int type_id = 0;
  bool special = true;
};

OrderedJson template_json(const std::vector<Piece>& single, const std::vector<Piece>& pair,
                          const LegacyTokens& tokens) {
  OrderedJson special = OrderedJson::object();
  auto list = [&](const std::vector<Piece>& pieces) {
    OrderedJson result = OrderedJson::array();
    for (const Piece& piece : pieces) {
      const char* kind = piece.special ? "SpecialToken" : "Sequence";
      result.push_back({{kind, {{"id", piece.name}, {"type_id", piece.type_id}}}});
      if (!piece.special) continue;
      special[piece.name] = {{"id", piece.name},
                             {"ids", OrderedJson::array({id_of(tokens, piece.name)})},
                             {"tokens", OrderedJson::array({piece.name})}};
    }
    return result;
  };
  OrderedJson result = {{"type", "TemplateProcessing"}};
  result["single"] = list(single);
  result["pair"] = list(pair);
  result["special_tokens"] = std::move(special);
  return result;
}

OrderedJson added_tokens_json(const std::vector<AddedToken>& tokens) {
  OrderedJson list = OrderedJson::array();
  for (const AddedToken& token : tokens) {
    list.push_back({{"id", token.id},
                    {"content", token.content},
                    {"single_word", token.single_word},
                    {"lstrip", token.lstrip},
                    {"rstrip", token.rstrip},
                    {"normalized", token.normalized},
                    {"special", token.special}});
  }
  return list;
}

// What a tokenizer.json needs beside it; options that became components are gone.
std::string config_text(const Parsed& parsed, const TokenRoles& roles) {
  OrderedJson config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                        {"clean_up_tokenization_spaces", false}};
  for (const auto& [role, token] : roles) {
    if (token) config[role] = *token;
  }
  for (const char* key : {"model_max_length", "padding_side", "truncation_side", "chat_template"}) {
    if (auto entry = parsed.tokenizer_config.find(key); entry != parsed.tokenizer_config.end())
      config[key] = *entry;
  }
  return config.dump(2) + "\n";
}

struct Components {
  OrderedJson normalizer, pre_tokenizer, post_processor, decoder, model;
};

TokenizerFiles assemble(const Parsed& parsed, const LegacyTokens& tokens, Components components) {
  OrderedJson file = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
  file["added_tokens"] = added_tokens_json(tokens.tokens);
  file["normalizer"] = std::move(components.normalizer);
  file["pre_tokenizer"] = std::move(components.pre_tokenizer);
  file["post_processor"] = std::move(components.post_processor);
  file["decoder"] = std::move(components.decoder);
  file["model"] = std::move(components.model);
  return {file.dump(2), config_text(parsed, tokens.roles), parsed.directory};
}

AddedTokenFiles token_files(const Parsed& parsed) {
  return {parsed.tokenizer_config, parsed.special_tokens_map, parsed.added_tokens, parsed.directory};
}

Components bert_components(const Parsed& parsed, const LegacyTokens& tokens, OrderedJson vocabulary) {
  const Json& config = parsed.tokenizer_config;
  const std::string& where = parsed.config_name;
  std::string cls = role_of(tokens, "cls_token", where), sep = role_of(tokens, "sep_token", where);
  OrderedJson strip_accents = nullptr;
  if (config.contains("strip_accents") && !config["strip_accents"].is_null()) {
    strip_accents = get_bool(config, "strip_accents", where);
  }
  Piece a{"A", 0, false}, b{"B", 1, false};
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

OrderedJson gpt2_post_processor(const Parsed& parsed, const LegacyTokens& tokens) {
  auto wanted = [&](const char* option, const char* role) {
    return get_bool_or(parsed.tokenizer_config, option, parsed.config_name, false) && tokens.roles.at(role);
  };
  bool bos = wanted("add_bos_token", "bos_token"), eos = wanted("add_eos_token", "eos_token");
  std::vector<Piece> single, pair;
  auto add = [&](std::vector<Piece>& pieces, const char* sequence, int type_id) {
    if (bos) pieces.push_back({*tokens.roles.at("bos_token"), type_id});
    pieces.push_back({sequence, type_id, false});
    if (eos) pieces.push_back({*tokens.roles.at("eos_token"), type_id});
  };
  add(single, "A", 0);
  add(pair, "A", 0);
  add(pair, "B", 1);
  return template_json(single, pair, tokens);
}

OrderedJson roberta_post_processor(const Parsed& parsed, const LegacyTokens& tokens, bool add_prefix_space) {
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

}  // namespace

TokenizerFiles convert_vocab_txt(const VocabularyFiles& files) {
  Parsed parsed(files);
  std::string name = tokenizer_class(parsed);
  if (!name.empty() && name != "BertTokenizer" && name != "DistilBertTokenizer") {
    refuse_class(parsed, name, "vocab.txt", "BertTokenizer");
  }
  OrderedJson vocabulary = vocabulary_json(read_vocab_txt(files));
  Vocabulary ids(Json(vocabulary), files.directory + "/vocab.txt");
  LegacyTokens tokens = read_legacy_tokens(token_files(parsed),
                                           {{"unk_token", "[UNK]"},
                                            {"sep_token", "[SEP]"},
                                            {"pad_token", "[PAD]"},
                                            {"cls_token", "[CLS]"},
                                            {"mask_token", "[MASK]"}},
                                           ids);
  return assemble(parsed, tokens, bert_components(parsed, tokens, std::move(vocabulary)));
}

TokenizerFiles convert_vocab_json(const VocabularyFiles& files) {
  Parsed parsed(files);
  std::string where = files.directory + "/vocab.json";
  Vocabulary ids(parse_object(files.vocabulary, where), where);
  std::string name = tokenizer_class(parsed);
  // The two look the same but for their special tokens.
  if (name.empty())
    name = ids.id("<s>") && ids.id("</s>") && ids.id("<mask>") ? "RobertaTokenizer" : "GPT2Tokenizer";
  bool roberta = name == "RobertaTokenizer";
  if (!roberta && name != "GPT2Tokenizer") {
    refuse_class(parsed, name, "vocab.json with merges.txt", "GPT2Tokenizer or RobertaTokenizer");
  }
  TokenRoles roles = {{"unk_token", "<|endoftext|>"},
                      {"bos_token", "<|endoftext|>"},
                      {"eos_token", "<|endoftext|>"},
                      {"pad_token", std::nullopt}};
  if (roberta) {
    roles = {{"bos_token", "<s>"},   {"eos_token", "</s>"},  {"sep_token", "</s>"},   {"cls_token", "<s>"},
             {"unk_token", "<unk>"}, {"pad_token", "<pad>"}, {"mask_token", "<mask>"}};
  }
  LegacyTokens tokens = read_legacy_tokens(token_files(parsed), std::move(roles), ids);
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
  return assemble(parsed, tokens,
                  {.normalizer = nullptr,
                   .pre_tokenizer = byte_level(prefix, true),
                   .post_processor = roberta ? roberta_post_processor(parsed, tokens, prefix)
                                             : gpt2_post_processor(parsed, tokens),
                   .decoder = byte_level(true, true),
                   .model = std::move(model)});
}

}  // namespace surprisal
