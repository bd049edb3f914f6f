// vocab.json, merges.txt and the JSON files that lie beside them, made a tokenizer as transformers does.
#include "fuzz/target.h"
#include "fuzz/tokenizer_checks.h"
#include "text/tokenizer/vocabulary_files.h"

namespace surprisal::fuzz {
namespace {

constexpr const char* kGpt2 =
    R"({"<|endoftext|>":0,"a":1,"b":2,"t":3,"h":4,"e":5,"Ġ":6,"th":7,"the":8,"Ġthe":9})";
constexpr const char* kRoberta =
    R"({"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"a":4,"b":5,"ab":6,"Ġ":7,"Ġab":8,"<mask>":9})";

}  // namespace

void read(std::string_view input) {
  std::vector<std::string> files = parts_of(input, 7);
  const TokenizerFiles converted = convert_vocab_json({.directory = "model",
                                                       .vocabulary = std::move(files[0]),
                                                       .merges = std::move(files[1]),
                                                       .tokenizer_config = std::move(files[2]),
                                                       .special_tokens_map = std::move(files[3]),
                                                       .added_tokens = std::move(files[4]),
                                                       .model_config = std::move(files[5])});
  check_tokenizer(converted.tokenizer_json, converted.tokenizer_config_json, files[6]);
}

std::vector<std::string> seeds() {
  return {
      join_parts({kGpt2, "#version: 0.2\nt h\nth e\nĠ the\n"}),
      join_parts({kGpt2, "t h\r\nth e", R"({"add_bos_token":true,"add_eos_token":true,"add_prefix_space":true,
                  "tokenizer_class":"GPT2TokenizerFast","pad_token":"<|endoftext|>"})"}),
      join_parts({kRoberta, "a b\nĠ ab\n", R"({"trim_offsets":false})",
                  R"({"mask_token":{"content":"<mask>","lstrip":true}})", R"({"extra":10})",
                  R"({"model_type":"roberta"})", "ab <mask> extra"}),
  };
}

}  // namespace surprisal::fuzz
