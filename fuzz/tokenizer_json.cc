// tokenizer.json, tokenizer_config.json, and a text that is encoded and decoded with what they make.
#include <cstdint>
#include <set>

#include "core/json.h"
#include "fuzz/target.h"
#include "fuzz/tokenizer_checks.h"

namespace surprisal::fuzz {
namespace {

std::string merged(const Json& merge) {
  if (merge.is_array()) return merge[0].get<std::string>() + merge[1].get<std::string>();
  std::string pair = merge.get<std::string>();
  return pair.erase(pair.find(' '), 1);
}

// The same components around a small vocabulary: mutations of a long list of words find little.
std::string small(const std::string& text) {
  constexpr std::int64_t kFirst = 48;
  constexpr std::size_t kMerges = 8;
  Json root = parse_json(text, "golden");
  Json& model = root["model"];
  std::set<std::string> kept;
  for (const Json& token : root["added_tokens"]) kept.insert(token["content"].get<std::string>());
  Json merges = Json::array();
  for (const Json& merge : model.value("merges", Json::array())) {
    if (merges.size() == kMerges) break;
    merges.push_back(merge);
    kept.insert(merged(merge));
    for (char letter : merged(merge)) kept.insert(std::string(1, letter));
  }
  if (model.contains("merges")) model["merges"] = merges;
  if (!model["vocab"].is_object()) return root.dump();
  Json vocabulary = Json::object();
  for (const auto& [token, id] : model["vocab"].items()) {
    if (id < kFirst || kept.contains(token)) vocabulary[token] = id;
  }
  model["vocab"] = vocabulary;
  return root.dump();
}

}  // namespace

void read(std::string_view input) {
  const std::vector<std::string> files = parts_of(input, 3);
  check_tokenizer(files[0], files[1], files[2]);
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  for (const char* name : {"bpe", "llama2", "llama3", "modernbert", "qwen2", "word_level", "wordpiece_cased",
                           "wordpiece_uncased"}) {
    const std::string text = small(test_data(std::string("golden/tokenizers/") + name + "/tokenizer.json"));
    seeds.push_back(
        join_parts({text, R"({"mask_token":"[MASK]","pad_token":{"content":"[PAD]"}})", "Caf\xC3\xA9"}));
    seeds.push_back(join_parts({text, "", "e\xCC\x81 12"}));
  }
  const std::string model = R"("model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1,"b":2}})";
  for (
      const char* component : {
          R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFKD"},{"type":"StripAccents"},{"type":"Lowercase"},
              {"type":"Strip","strip_left":true,"strip_right":true},{"type":"Prepend","prepend":"_"},
              {"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "}]})",
          R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\p{L}+|[^\\s]"},"behavior":"Isolated","invert":true})",
          R"("pre_tokenizer":{"type":"Split","pattern":{"String":" "},"behavior":"MergedWithNext","invert":false})",
          R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},
              {"type":"Punctuation","behavior":"Contiguous"},{"type":"Metaspace","replacement":"_","prepend_scheme":"first",
              "split":true},{"type":"CharDelimiterSplit","delimiter":"x"}]})",
          R"("decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},
              {"type":"Strip","content":" ","start":1,"stop":0},{"type":"Replace","pattern":{"String":"a"},"content":"b"}]})",
          R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"u","type_id":0}},
              {"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},
              {"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"u":{"id":"u","ids":[0],"tokens":["u"]}}})",
          R"("added_tokens":[{"id":3,"content":"a b","single_word":true,"lstrip":true,"rstrip":true,"normalized":true,
              "special":false}])",
      }) {
    seeds.push_back(join_parts({std::string("{") + component + "," + model + "}", "", "a b"}));
  }
  return seeds;
}

}  // namespace surprisal::fuzz
