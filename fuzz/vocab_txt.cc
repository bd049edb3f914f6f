// vocab.txt and the JSON files that lie beside it, made a tokenizer as transformers does.
#include "fuzz/target.h"
#include "fuzz/tokenizer_checks.h"
#include "text/tokenizer/vocabulary_files.h"

namespace surprisal::fuzz {
namespace {

constexpr const char* kVocabulary =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\nthe\nquick\n.\n\xE4\xB8\xAD\n";

}  // namespace

void read(std::string_view input) {
  std::vector<std::string> files = parts_of(input, 6);
  const TokenizerFiles converted = convert_vocab_txt({.directory = "model",
                                                      .vocabulary = std::move(files[0]),
                                                      .merges = "",
                                                      .tokenizer_config = std::move(files[1]),
                                                      .special_tokens_map = std::move(files[2]),
                                                      .added_tokens = std::move(files[3]),
                                                      .model_config = std::move(files[4])});
  check_tokenizer(converted.tokenizer_json, converted.tokenizer_config_json, files[5]);
}

std::vector<std::string> seeds() {
  return {
      kVocabulary,
      join_parts({kVocabulary, R"({"do_lower_case":false,"strip_accents":null,"tokenize_chinese_chars":true,
                                   "tokenizer_class":"BertTokenizer","model_max_length":512})",
                  R"({"unk_token":"[UNK]","mask_token":{"content":"[MASK]","lstrip":true,"rstrip":false}})",
                  R"({"new":12,"[X]":13})", R"({"model_type":"bert"})", "the new [X]"}),
      join_parts({kVocabulary, R"({"added_tokens_decoder":{"4":{"content":"[MASK]","special":true},
                                   "12":{"content":"extra","lstrip":true,"normalized":true}},
                                   "additional_special_tokens":["extra"],"extra_special_tokens":["a"]})",
                  "", "", R"({"tokenizer_class":"DistilBertTokenizerFast"})", "extra"}),
  };
}

}  // namespace surprisal::fuzz
