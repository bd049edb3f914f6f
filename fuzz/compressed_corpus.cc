// Compressed corpora. The first byte chooses: bit 0 gzip or zstd, bit 1 text or JSONL, the rest the options
// of [data].
#include "fuzz/compression.h"
#include "fuzz/corpus_checks.h"

namespace surprisal::fuzz {
namespace {

// A zstd block of four bytes stands for 128 KiB, which is no defect; more of them only takes time.
constexpr std::size_t kMostBytes = 1024;

constexpr const char* kNames[] = {"corpus.txt.gz", "corpus.txt.zst", "corpus.jsonl.gz", "corpus.jsonl.zst"};

}  // namespace

void read(std::string_view input) {
  if (input.empty() || input.size() > kMostBytes) return;
  const auto choice = static_cast<std::uint8_t>(input[0]);
  check_corpus(write(kNames[choice % 4], input.substr(1)), corpus_options(choice / 4));
}

std::vector<std::string> seeds() {
  const std::string text = "One. Two.\r\n\nThree \xE4\xBD\xA0\xE3\x80\x82\n",
                    records = "{\"text\":\"a\"}\n{\"text\":\"b\"}\n";
  const std::string one(1, '\1');
  return {std::string(1, '\0') + gzip(text),
          one + zstd(text),
          std::string("\2") + gzip(records),
          std::string("\3") + zstd(records),
          std::string(1, '\0') + gzip("a\n") + gzip("b\n") + std::string(16, '\0'),
          one + zstd("a\n") + std::string("\x50\x2A\x4D\x18\x02\0\0\0hi", 10) + zstd("b\n"),
          one + zstd(std::string(100'000, 'x')),
          std::string(1, '\0') + gzip("")};
}

}  // namespace surprisal::fuzz
