// A SentencePiece model file, and the text that it cuts.
#include "fuzz/target.h"
#include "fuzz/tokenizer_checks.h"
#include "text/sentencepiece/sentencepiece_files.h"

namespace surprisal::fuzz {
namespace {

std::string field(int number, int kind, std::string_view body) {
  std::string bytes(1, static_cast<char>(number << 3 | kind));
  if (kind == 2) bytes += static_cast<char>(body.size());
  return bytes.append(body);
}

std::string piece(std::string_view text, char type) {
  return field(1, 2,
               field(1, 2, text) + field(2, 5, std::string_view("\0\0\x80\xC0", 4)) +
                   field(3, 0, std::string_view(&type, 1)));
}

// `type`: 1 unigram, 2 bpe.
std::string model(char type, std::string_view normalizer) {
  return piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3) + piece("a", 1) + piece("b", 1) +
         piece("ab", 1) + piece("\xE2\x96\x81", 1) +
         piece(
             "\xE2\x96\x81"
             "a",
             5) +
         piece("<n>", 4) + field(2, 2, field(3, 0, std::string_view(&type, 1))) + field(3, 2, normalizer);
}

}  // namespace

void read(std::string_view input) {
  std::vector<std::string> files = parts_of(input, 3);
  const TokenizerFiles converted = convert_sentencepiece({.directory = "model",
                                                          .vocabulary = std::move(files[0]),
                                                          .merges = "",
                                                          .tokenizer_config = std::move(files[1]),
                                                          .special_tokens_map = "",
                                                          .added_tokens = "",
                                                          .model_config = ""},
                                                         "model/tokenizer.model");
  check_tokenizer(converted.tokenizer_json, converted.tokenizer_config_json, files[2]);
}

std::vector<std::string> seeds() {
  const std::string plain = field(3, 0, std::string_view("\0", 1)) + field(4, 0, std::string_view("\0", 1));
  return {
      model(1, ""),
      join_parts({model(1, ""), "", "a ab <n>  b \xE2\x96\x81"}),
      join_parts({model(2, plain), R"({"tokenizer_class":"LlamaTokenizer"})", "ab ab"}),
      join_parts({model(2, ""), R"({"tokenizer_class":"icetk"})", "a"}),
  };
}

}  // namespace surprisal::fuzz
