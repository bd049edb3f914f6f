// Small tokenizers of the two kinds. Objectives work on ids, so their vocabularies are only numbers: "w5",
// "w6" ...
#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "surprisal/tokenizer.h"

namespace surprisal {

inline constexpr std::int32_t kPad = 0, kUnk = 1, kCls = 2, kSep = 3, kMask = 4, kFirstWord = 5;
inline constexpr std::int32_t kEndOfText = 0;
inline constexpr std::int32_t kHole = 7;  // no token of word_tokenizer() has this id

inline std::string special_tokens_json(std::initializer_list<const char*> spellings) {
  std::string json;
  std::int32_t id = 0;
  for (const char* spelling : spellings) {
    json += fmt::format(R"({}{{"id":{},"content":"{}","single_word":false,"lstrip":false,"rstrip":false,)"
                        R"("normalized":false,"special":true}})",
                        json.empty() ? "" : ",", id++, spelling);
  }
  return json;
}

inline std::string words_json(std::int32_t first, std::int32_t size, std::int32_t hole = -1) {
  std::string json;
  for (std::int32_t id = first; id < size; ++id) {
    if (id != hole) json += fmt::format(R"(,"w{0}":{0})", id);
  }
  return json;
}

// BERT's: ids 0 to 4 are [PAD] [UNK] [CLS] [SEP] [MASK], with its template. `config`: tokenizer_config.json.
inline Tokenizer word_tokenizer(std::int32_t size = 100, const std::string& config = "") {
  std::string json = fmt::format(
      R"({{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{}],"normalizer":null,
      "pre_tokenizer":{{"type":"BertPreTokenizer"}},"post_processor":{{"type":"TemplateProcessing",
      "single":[{{"SpecialToken":{{"id":"[CLS]","type_id":0}}}},{{"Sequence":{{"id":"A","type_id":0}}}},
        {{"SpecialToken":{{"id":"[SEP]","type_id":0}}}}],
      "pair":[{{"SpecialToken":{{"id":"[CLS]","type_id":0}}}},{{"Sequence":{{"id":"A","type_id":0}}}},
        {{"SpecialToken":{{"id":"[SEP]","type_id":0}}}},{{"Sequence":{{"id":"B","type_id":1}}}},
        {{"SpecialToken":{{"id":"[SEP]","type_id":1}}}}],
      "special_tokens":{{"[CLS]":{{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]}},
        "[SEP]":{{"id":"[SEP]","ids":[3],"tokens":["[SEP]"]}}}}}},"decoder":null,
      "model":{{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
      "max_input_chars_per_word":100,"vocab":{{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4{}}}}}}})",
      special_tokens_json({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}),
      words_json(kFirstWord, size, kHole));
  return Tokenizer::from_json(json, config, "word tokenizer");
}

// BERT's as above, whose odd ids continue the word before them: "w6" begins one, "##7" does not.
inline Tokenizer piece_tokenizer(std::int32_t size = 100) {
  std::string json = word_tokenizer(size).tokenizer_json();
  for (std::int32_t id = kFirstWord + 2; id < size; id += 2) {
    std::string word = fmt::format("\"w{}\"", id);
    if (std::size_t at = json.find(word); at != std::string::npos)
      json.replace(at, word.size(), fmt::format("\"##{}\"", id));
  }
  return Tokenizer::from_json(json, "", "piece tokenizer");
}

// GPT-2's: id 0 is <|endoftext|>, begin and end of text; no template.
inline Tokenizer text_tokenizer(std::int32_t size = 100) {
  std::string json = fmt::format(
      R"({{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{}],"normalizer":null,
      "pre_tokenizer":{{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}},
      "post_processor":null,"decoder":{{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,
      "use_regex":true}},"model":{{"type":"BPE","dropout":null,"unk_token":null,
      "continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,
      "vocab":{{"<|endoftext|>":0{}}},"merges":[]}}}})",
      special_tokens_json({"<|endoftext|>"}), words_json(1, size));
  return Tokenizer::from_json(json, "", "text tokenizer");
}

// One that has everything: [CLS] begins and [SEP] ends a text.
inline Tokenizer full_tokenizer(std::int32_t size = 100) {
  return word_tokenizer(size, R"({"unk_token":"[UNK]","cls_token":"[CLS]","sep_token":"[SEP]",
    "mask_token":"[MASK]","bos_token":"[CLS]","eos_token":"[SEP]"})");
}

// GLM's: a WordPiece tokenizer with the special tokens of blank infilling, which puts [CLS] before a text and
// <|endoftext|> behind it.
namespace glm {
inline constexpr std::int32_t kEnd = 0, kGmask = 5, kSmask = 6, kStart = 7, kEndOfPiece = 8, kBlock = 9;
inline constexpr std::int32_t kFirst = 10;  // of the words
}  // namespace glm

inline Tokenizer glm_tokenizer(std::int32_t size = 100) {
  std::string json = fmt::format(
      R"({{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{}],"normalizer":null,
      "pre_tokenizer":{{"type":"BertPreTokenizer"}},"post_processor":{{"type":"TemplateProcessing",
      "single":[{{"SpecialToken":{{"id":"[CLS]","type_id":0}}}},{{"Sequence":{{"id":"A","type_id":0}}}},
        {{"SpecialToken":{{"id":"<|endoftext|>","type_id":0}}}}],
      "pair":[{{"Sequence":{{"id":"A","type_id":0}}}},{{"Sequence":{{"id":"B","type_id":1}}}}],
      "special_tokens":{{"[CLS]":{{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]}},
        "<|endoftext|>":{{"id":"<|endoftext|>","ids":[0],"tokens":["<|endoftext|>"]}}}}}},"decoder":null,
      "model":{{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
      "max_input_chars_per_word":100,"vocab":{{"<|endoftext|>":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,
        "[gMASK]":5,"[sMASK]":6,"<|startofpiece|>":7,"<|endofpiece|>":8,"[dBLOCK]":9{}}}}}}})",
      special_tokens_json({"<|endoftext|>", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[gMASK]", "[sMASK]",
                           "<|startofpiece|>", "<|endofpiece|>", "[dBLOCK]"}),
      words_json(glm::kFirst, size));
  return Tokenizer::from_json(json, "", "GLM tokenizer");
}

}  // namespace surprisal
