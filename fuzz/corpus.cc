// Plain text and JSONL. The first byte chooses the options; its bit 6, which of the two, bit 5 whether all
// kinds of records are read, bits 0 to 4 all set that pairs alone are, bits 2 and 3 of these that labelled
// texts are, of the form that bits 0 and 1 say.
#include "fuzz/corpus_checks.h"

namespace surprisal::fuzz {
namespace {

constexpr std::uint8_t kRecords = 64;

}  // namespace

void read(std::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<std::uint8_t>(input[0]);
  const char* name = choice & kRecords ? "corpus.jsonl" : "corpus.txt";
  check_corpus(write(name, input.substr(1)), corpus_options(choice & ~kRecords));
}

std::vector<std::string> seeds() {
  const std::string text =
      "\xEF\xBB\xBFMr. Smith went to the U.S. Navy. He said: \"No. 5!\" (Yes.) 3.14 e.g. this.\r\n"
      "\xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82\xE2\x80\x9C\xE5\xA5\xBD\xEF\xBC\x81\xE2\x80\x9D\xEF\xBC\x8C\xE4"
      "\xBB\x96\xE3\x80\x82\n\n"
      "1. First\n2.1. Second ... \xC2\xA0\xE2\x80\xA8 end\xF0\x9F\x98\x80\n";
  const std::string records =
      "{\"text\":\"A b. C d.\\nE\",\"data\":{\"text\":\"x\"},\"data.text\":\"y\"}\n\n"
      "{\"text\":\"\\ud83d\\ude00 \\ud800 \\\\ud800\",\"data\":{\"text\":\"\\udc00z\"}}\r\n{\"text\":\" "
      "\"}\n";
  std::vector<std::string> seeds;
  for (int choice = 0; choice < 27; ++choice) {
    seeds.push_back(std::string(1, static_cast<char>(choice)) + text +
                    (choice >= 9 ? "bad \xE4\xBD \xFF\xC0\x80 end\n" : ""));
  }
  for (int choice : {64, 73, 82, 192, 201, 210})
    seeds.push_back(std::string(1, static_cast<char>(choice)) + records);
  const std::string kinds =
      "{\"prompt\":\"\",\"completion\":\"a\"}\n{\"prompt\":\"a\",\"completion\":\"b\",\"text\":\"c\"}\n"
      "{\"text\":\"x [MASK]\",\"options\":[\"a\",\"\"],\"label\":1,\"a\":{\"b\":\"c\"}}\n{\"text\":\"d\"}\n";
  const std::string verbalized =
      "{\"text\":\"x\",\"label\":\"yes\",\"a\":{\"b\":\"c\"}}\n{\"text\":\"x\",\"label\":0}";
  for (int choice : {96, 97, 99}) {
    seeds.push_back(std::string(1, static_cast<char>(choice)) + kinds);
    seeds.push_back(std::string(1, static_cast<char>(choice)) + verbalized);
  }
  const std::string pairs =
      "{\"messages\":[{\"role\":\"system\",\"content\":\"\"},{\"role\":\"user\",\"content\":\"a\"},"
      "{\"role\":\"assistant\",\"content\":\"b\"},{\"role\":\"user\",\"content\":\"c\"}]}\n"
      "{\"prompt\":[{\"role\":\"user\",\"content\":\"a\"}],\"completion\":[{\"role\":\"assistant\","
      "\"content\":\"b\"}]}\n{\"instruction\":\"a\",\"input\":\"b\",\"output\":\"c\"}\n";
  for (int choice : {95, 96, 127}) seeds.push_back(std::string(1, static_cast<char>(choice)) + pairs);
  for (int choice : {31, 63})
    seeds.push_back(std::string(1, static_cast<char>(choice)) + " a : b | c||d e. \n\nx||y\r\n");
  const std::string labelled =
      "{\"text\":\"x\",\"second\":\"y\",\"label\":\"no\",\"a\":{\"b\":-1.5e3}}\n{\"text\":\"x\",\"second\":"
      "\"\","
      "\"label\":1,\"a.b\":2,\"tokens\":[\"u\",\"\",\"v\"],\"tags\":[\"O\",-100,1]}\n"
      "{\"text\":\"z\",\"second\":\"\",\"label\":true,\"a\":{\"b\":0},\"tokens\":[],\"tags\":[]}\n{\"text\":"
      "\"d\"}\n";
  for (int choice : {108, 109, 110, 111})
    seeds.push_back(std::string(1, static_cast<char>(choice)) + labelled);
  return seeds;
}

}  // namespace surprisal::fuzz
