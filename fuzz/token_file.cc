// Caches of tokenised text, whose trailer the mutator makes right.
#include "text/corpus/token_file.h"

#include "fuzz/target.h"

namespace surprisal::fuzz {
namespace {

constexpr ContentHash kKey{.high = 1, .low = 2};
constexpr std::size_t kFiles = 2;

}  // namespace

void read(std::string_view input) {
  const std::optional<TokenFile> file = TokenFile::open(write("cache.tokens", input), kKey, kFiles);
  if (!file) return;
  std::uint64_t sum = 0;
  for (const TokenRecord& record : file->records) {
    for (std::uint32_t word :
         file->words.subspan(record.begin, std::uint64_t{record.tokens} + record.sentences + record.labels))
      sum += word;
    expect(record.file < kFiles, "a document of no file");
    if (record.kind == DocumentKind::pair)
      expect(record.sentences % 2 == 0, "a pair of an odd number of parts");
    if (record.kind == DocumentKind::choice)
      expect(record.label + 1u < record.sentences, "a label of no option");
    if (record.kind == DocumentKind::labelled) {
      expect(record.labels <= 1 || record.labels == record.sentences, "labels of neither text nor words");
    } else {
      expect(record.labels == 0, "labels of a text that has none");
    }
  }
  expect(sum <= file->words.size() * std::uint64_t{UINT32_MAX} * file->records.size(),
         "a sum that cannot be");
}

std::vector<std::string> seeds() {
  const std::filesystem::path path = directory() / "seed.tokens";
  std::vector<std::string> seeds;
  for (int documents : {0, 1, 3, 6}) {
    TokenFileWriter writer(path);
    for (int i = 0; i < documents; ++i) {
      const auto kind = static_cast<DocumentKind>(i % 4);
      EncodedDocument document{.tokens = {1, 2, 3}, .sentences = {0, 1}, .bytes = 7, .line = 1, .kind = kind};
      document.file = static_cast<std::uint32_t>(i % 2);
      if (kind == DocumentKind::choice) document.sentences.push_back(2);
      document.label = kind == DocumentKind::choice ? 1 : 0;
      document.marks = kind == DocumentKind::pair ? PairMark::chat : 0;
      if (kind == DocumentKind::labelled) document.labels = {0, kNoLabel};
      writer.add(document);
    }
    writer.commit(kKey, {});
    seeds.push_back(read_file(path));
  }
  return seeds;
}

}  // namespace surprisal::fuzz
