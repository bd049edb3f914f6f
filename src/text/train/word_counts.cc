#include "text/train/word_counts.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <xxhash.h>

#include "surprisal/error.h"

#include "core/parallel.h"
#include "text/corpus/corpus_files.h"
#include "text/corpus/document_reader.h"

namespace surprisal {
namespace {

// Words are spread over this many tables by their hash, so that threads can add up tables without a lock.
constexpr std::size_t kShards = 64;
constexpr std::uint64_t kBatchBytesPerThread = 1 << 20;
constexpr std::uint64_t kBlockBytes = 1 << 18;

struct WordHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view word) const { return XXH3_64bits(word.data(), word.size()); }
};

using WordTable = std::unordered_map<std::string, std::uint64_t, WordHash, std::equal_to<>>;
using ShardedTable = std::array<WordTable, kShards>;

void add_word(ShardedTable& tables, std::string_view word, std::uint64_t count) {
  WordTable& table = tables[WordHash()(word) >> 58];  // the top bits: the table itself uses the low ones
  auto found = table.find(word);
  if (found != table.end()) {
    found->second += count;
  } else {
    table.emplace(word, count);
  }
}

void count_document(std::string_view text, const Normalizer* normalizer, const PreTokenizer& pre_tokenizer,
                    ShardedTable& tables) {
  AlignedText content = AlignedText::from(text);
  if (normalizer) normalizer->normalize(content);
  Words words = Words::from(std::move(content));
  pre_tokenizer.pre_tokenize(words);
  for (ByteSpan span : words.spans) add_word(tables, words.word(span), 1);
}

// Documents of about kBlockBytes in all, which one thread counts.
using Block = std::vector<std::string>;

// Prompt and completion are tokenised each alone, and so are they counted.
void append_texts(Document document, Block& block) {
  if (document.kind == DocumentKind::pair) {
    block.push_back(document.text.substr(document.sentences[1]));
    document.text.resize(document.sentences[1]);
  }
  block.push_back(std::move(document.text));
}

std::vector<Block> read_blocks(DocumentReader& reader, std::uint64_t bytes, CorpusReport& report) {
  std::vector<Block> blocks;
  Document document;
  std::uint64_t block_size = kBlockBytes;
  for (std::uint64_t size = 0; size < bytes && reader.next(document);) {
    if (block_size >= kBlockBytes) {
      blocks.emplace_back();
      block_size = 0;
    }
    size += document.text.size();
    ++report.documents;
    report.bytes += document.text.size();
    report.pairs += document.kind == DocumentKind::pair;
    block_size += document.text.size();
    append_texts(std::move(document), blocks.back());
  }
  return blocks;
}

// Adds the tables of the blocks to `total`, a shard a thread.
void add_tables(std::vector<ShardedTable>& blocks, ShardedTable& total) {
  parallel_for(kShards, [&](std::int64_t shard, int) {
    auto index = static_cast<std::size_t>(shard);
    for (ShardedTable& block : blocks) {
      for (auto& [word, count] : block[index]) total[index][word] += count;
      block[index] = {};
    }
  });
}

std::vector<WordCount> sorted(ShardedTable& tables) {
  std::vector<WordCount> result;
  for (WordTable& table : tables) {
    while (!table.empty()) {
      auto node = table.extract(table.begin());
      result.push_back({std::move(node.key()), node.mapped()});
    }
  }
  std::sort(result.begin(), result.end(),
            [](const WordCount& a, const WordCount& b) { return a.word < b.word; });
  return result;
}

}  // namespace

CountedWords count_words(const std::vector<std::string>& files, const CorpusOptions& options,
                         const Normalizer* normalizer, const PreTokenizer& pre_tokenizer,
                         const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  CorpusFileList list = list_corpus_files(files);
  CorpusOptions texts_and_pairs = options;
  texts_and_pairs.records.add(DocumentKind::pair);
  DocumentReader reader(list.files, texts_and_pairs);
  std::uint64_t batch_bytes = kBatchBytesPerThread * static_cast<std::uint64_t>(threads());
  CountedWords counted;
  counted.report.files = list.files.size();
  counted.report.other_files = list.other_files;
  counted.report.repeated_files = list.repeated_files;
  ShardedTable total;
  for (std::vector<Block> blocks; !(blocks = read_blocks(reader, batch_bytes, counted.report)).empty();) {
    std::vector<ShardedTable> tables(blocks.size());
    parallel_for(static_cast<std::int64_t>(blocks.size()), [&](std::int64_t block, int) {
      auto index = static_cast<std::size_t>(block);
      for (const std::string& text : blocks[index])
        count_document(text, normalizer, pre_tokenizer, tables[index]);
    });
    add_tables(tables, total);
    if (progress) progress(reader.position(), list.bytes);
  }
  counted.words = sorted(total);
  counted.report.skips = reader.skips();
  if (counted.words.empty()) {
    std::string skips = skips_text(counted.report);
    throw Error(ErrorKind::data,
                {.what = skips.empty() ? "no text: every document is blank" : "no text is left",
                 .where = files.front(),
                 .found = skips});
  }
  return counted;
}

}  // namespace surprisal
