#include "text/corpus/token_corpus.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/content_hash.h"
#include "core/file.h"
#include "core/parallel.h"
#include "text/corpus/corpus_files.h"
#include "text/corpus/document_encoder.h"
#include "text/corpus/document_reader.h"
#include "text/corpus/token_file.h"

namespace surprisal {

struct TokenCorpus::Storage {
  std::vector<std::string> files;  // for messages; empty where the ids came from memory
  std::uint64_t other_files = 0, repeated_files = 0;
  ContentHash key;
  std::optional<TokenFile> mapped;         // on disk,
  std::vector<std::uint32_t> owned_words;  // or in memory
  std::vector<TokenRecord> owned_records;
  std::span<const std::uint32_t> words;
  std::span<const TokenRecord> records;
  std::array<TokenTotals, kDocumentKinds> kinds;  // of the documents of each
  std::array<std::vector<std::uint64_t>, kDocumentKinds>
      places;                               // indices of its records, where they are mixed
  std::span<const std::uint64_t> selected;  // a view: of its records
  TokenTotals totals;
  CorpusSkips skips;
  std::shared_ptr<const Storage> whole;  // where this is a part of it

  void add(const EncodedDocument& document) {
    owned_records.push_back(document.record(owned_words.size()));
    owned_words.insert(owned_words.end(), document.tokens.begin(), document.tokens.end());
    owned_words.insert(owned_words.end(), document.sentences.begin(), document.sentences.end());
    owned_words.insert(owned_words.end(), document.labels.begin(), document.labels.end());
    totals.add(owned_records.back());
  }
  void use_owned() {
    words = owned_words;
    use(owned_records);
  }
  void use(TokenFile file) {
    mapped.emplace(std::move(file));
    words = mapped->words;
    skips = mapped->skips;
    use(mapped->records);
  }
  void use(std::span<const TokenRecord> all) {
    records = all;
    totals = {};
    for (const TokenRecord& record : records) {
      totals.add(record);
      kinds[static_cast<std::size_t>(record.kind)].add(record);
    }
    const bool mixed = std::none_of(kinds.begin(), kinds.end(), [&](const TokenTotals& kind) {
      return kind.documents == records.size();
    });
    for (std::uint64_t place = 0; mixed && place < records.size(); ++place) {
      places[static_cast<std::size_t>(records[place].kind)].push_back(place);
    }
  }
  const TokenRecord& record(std::uint64_t index) const {
    return records[selected.empty() ? index : selected[index]];
  }
};

namespace {

// Text that each thread gets before the batch's results are written, in order.
constexpr std::uint64_t kBatchBytesPerThread = 1 << 20;

// Bytes that are hashed between two calls of Progress.
constexpr std::uint64_t kHashedBytes = 1 << 26;

// Raise it when the same text is cut or encoded differently: a corpus is then another one, which runs that
// began with it are told.
constexpr std::uint32_t kEncodingVersion = 2;

// What is read of records, where that is not texts alone.
std::string record_key(const RecordOptions& records) {
  const bool texts_alone = std::ranges::none_of(
      kEveryKind, [&](DocumentKind kind) { return kind != DocumentKind::text && records.reads(kind); });
  if (texts_alone) return {};
  std::string key = "kinds";
  for (bool read : records.read) key += read ? " 1" : " 0";
  const PairOptions& pairs = records.pairs;
  key += fmt::format("\n{} {} {} {} {}", pairs.chat, pairs.turns, pairs.tokenise, pairs.completion_blank,
                     records.prompts_alone);
  key += fmt::format("\n{} {}\n", records.pattern.size(), records.pattern);
  for (const std::string& line : records.verbalizer) key += fmt::format("{} {}\n", line.size(), line);
  if (!records.reads(DocumentKind::labelled)) return key;
  const LabelOptions& labels = records.labels;
  key += fmt::format("labels {} {}\n", static_cast<int>(labels.of), labels.to_predict);
  for (const std::string& field : {labels.label_field, labels.pair_field, labels.words_field})
    key += fmt::format("{} {}\n", field.size(), field);
  for (const std::string& name : labels.names) key += fmt::format("{} {}\n", name.size(), name);
  return key;
}

// Everything that decides the tokens and how they are cut.
ContentHash corpus_key(const CorpusFileList& list, const CorpusOptions& options, const Tokenizer& tokenizer,
                       const TokenCorpus::Progress& progress) {
  ContentHasher hasher;
  hasher.add(fmt::format("surprisal tokens {}\n{} {} {} {}\n{}\n", kEncodingVersion, options.document,
                         options.sentence, options.invalid_utf8, tokenizer.fingerprint(), options.field));
  hasher.add(record_key(options.records));
  std::uint64_t bytes = 0;
  auto hashed = [&](std::uint64_t count) {
    bool due = (bytes + count) / kHashedBytes > bytes / kHashedBytes;
    bytes += count;
    if (due && progress) progress(0, list.bytes);
  };
  for (const std::string& path : list.files) {
    CorpusFileKind kind = find_corpus_file_kind(path).value();
    hasher.add(fmt::format("{} {} {}\n", kind.records ? "records" : "text",
                           static_cast<int>(kind.compression), hash_file(path, hashed).hex()));
  }
  return hasher.finish();
}

std::vector<Document> read_batch(DocumentReader& reader, std::uint64_t bytes) {
  std::vector<Document> batch;
  Document document;
  for (std::uint64_t size = 0; size < bytes && reader.next(document);) {
    size += document.text.size() + sizeof document;
    batch.push_back(std::move(document));
  }
  return batch;
}

// Calls sink(encoded) for every document that has a token, in order.
template <class Sink>
CorpusSkips encode_corpus(const CorpusFileList& list, const CorpusOptions& options,
                          const Tokenizer& tokenizer, const TokenCorpus::Progress& progress, Sink&& sink) {
  DocumentReader reader(list.files, options);
  const DocumentEncoder encoder(options, tokenizer, list.files);
  std::uint64_t batch_bytes = kBatchBytesPerThread * static_cast<std::uint64_t>(threads());
  std::uint64_t without_token = 0;
  for (std::vector<Document> batch; !(batch = read_batch(reader, batch_bytes)).empty();) {
    std::vector<EncodedDocument> encoded(batch.size());
    parallel_for(static_cast<std::int64_t>(batch.size()), [&](std::int64_t block, int) {
      auto index = static_cast<std::size_t>(block);
      encoded[index] = encoder.encode(std::move(batch[index]));
    });
    for (const EncodedDocument& document : encoded) {
      document.tokens.empty() ? void(++without_token) : sink(document);
    }
    if (progress) progress(reader.position(), list.bytes);
  }
  list.check_unchanged();
  CorpusSkips skips = reader.skips();
  skips.without_token = without_token;
  return skips;
}

void require_documents(const TokenTotals& totals, const CorpusSkips& skips,
                       const std::vector<std::string>& files) {
  if (totals.documents > 0) return;
  std::string where = files.front();
  if (files.size() > 1) where += fmt::format(" and {} more", files.size() - 1);
  std::string left_out = skips_text({.skips = skips});
  throw Error(ErrorKind::data,
              {.what = left_out.empty() ? "no text: every document is blank" : "no text is left",
               .where = where,
               .found = left_out});
}

// Sentences and parts of documents in memory come from the caller, so they are checked.
void check_sentences(const EncodedDocument& document, std::size_t index) {
  const auto& sentences = document.sentences;
  const bool labelled = document.kind == DocumentKind::labelled;  // its texts and words may be empty
  const bool whole = document.kind == DocumentKind::text || sentences.size() < 2;
  const auto begin = sentences.begin() + (whole ? 0 : 1);  // a prompt may be empty
  const bool ascending =
      labelled ? std::is_sorted(sentences.begin(), sentences.end())
               : std::adjacent_find(begin, sentences.end(), std::greater_equal<>()) == sentences.end();
  const std::size_t parts = document.kind == DocumentKind::pair     ? 2
                            : document.kind == DocumentKind::choice ? 3
                                                                    : 1;
  const bool even = document.kind != DocumentKind::pair || sentences.size() % 2 == 0;
  if (sentences.front() == 0 && ascending && sentences.back() < document.tokens.size() + labelled &&
      sentences.size() >= parts && even) {
    return;
  }
  throw Error(ErrorKind::data, {.what = "sentences must begin at 0, ascend, and begin at a token",
                                .where = fmt::format("document {}", index)});
}

}  // namespace

TokenCorpus TokenCorpus::open(const std::vector<std::string>& written, const CorpusOptions& options,
                              const Tokenizer& tokenizer, const std::filesystem::path& cache_directory,
                              const Progress& progress) {
  CorpusFileList list = list_corpus_files(written);
  auto storage = std::make_shared<Storage>();
  storage->files = list.files;
  storage->other_files = list.other_files;
  storage->repeated_files = list.repeated_files;
  storage->key = corpus_key(list, options, tokenizer, progress);
  if (cache_directory.empty()) {
    storage->skips = encode_corpus(list, options, tokenizer, progress,
                                   [&](const EncodedDocument& document) { storage->add(document); });
    storage->use_owned();
    require_documents(storage->totals, storage->skips, list.files);
  } else {
    make_directories(cache_directory);
    std::filesystem::path path = cache_directory / (storage->key.hex() + ".tokens");
    std::optional<TokenFile> cached = TokenFile::open(path, storage->key, list.files.size());
    if (!cached) {
      TokenFileWriter writer(path);
      CorpusSkips skips = encode_corpus(list, options, tokenizer, progress,
                                        [&](const EncodedDocument& document) { writer.add(document); });
      require_documents(writer.totals(), skips, list.files);
      writer.commit(storage->key, skips);
      cached = TokenFile::open(path, storage->key, list.files.size());
    }
    if (!cached) {
      throw Error(ErrorKind::io, {.what = "what was just written does not read back",
                                  .where = path.string(),
                                  .fix = "check the disk, or choose another cache directory"});
    }
    storage->use(std::move(*cached));
  }
  TokenCorpus corpus;
  corpus.storage_ = std::move(storage);
  return corpus;
}

TokenCorpus TokenCorpus::from_ids(const std::vector<Ids>& documents) {
  auto storage = std::make_shared<Storage>();
  for (std::size_t index = 0; index < documents.size(); ++index) {
    const Ids& ids = documents[index];
    if (ids.tokens.empty()) continue;
    EncodedDocument document;
    document.tokens = ids.tokens;
    document.sentences = ids.sentences.empty() ? std::vector<std::uint32_t>{0} : ids.sentences;
    document.bytes = ids.bytes;
    document.line = index;
    document.kind = ids.kind;
    document.marks = ids.marks;
    document.label = ids.label;
    document.labels = ids.labels;
    check_sentences(document, index);
    storage->add(document);
  }
  storage->use_owned();
  ContentHasher hasher;
  hasher.add(storage->words);
  hasher.add(storage->records);
  storage->key = hasher.finish();
  TokenCorpus corpus;
  corpus.storage_ = std::move(storage);
  return corpus;
}

TokenCorpus TokenCorpus::first(std::uint64_t count) const {
  auto part = std::make_shared<Storage>();
  std::array<std::uint64_t, kDocumentKinds> taken{};
  bool all = true;
  for (std::uint64_t index = 0; index < documents(); ++index) {
    const TokenRecord& record = storage_->record(index);
    const bool take = taken[static_cast<std::size_t>(record.kind)]++ < count;
    if (take) part->owned_records.push_back(record);
    all = all && take;
  }
  if (all) return *this;
  part->use(part->owned_records);
  return view(std::move(part), fmt::format("the first {} of {}", count, storage_->key.hex()));
}

TokenCorpus TokenCorpus::of_kind(DocumentKind kind) const {
  if (documents(kind) == documents()) return *this;
  const auto index = static_cast<std::size_t>(kind);
  auto part = std::make_shared<Storage>();
  part->records = storage_->records;
  part->selected = storage_->places[index];
  part->totals = part->kinds[index] = storage_->kinds[index];
  return view(std::move(part), fmt::format("{} alone of {}", name_of(kind), storage_->key.hex()));
}

// Completes a part of this corpus.
TokenCorpus TokenCorpus::view(std::shared_ptr<Storage> part, const std::string& key) const {
  part->whole = storage_;
  part->files = storage_->files;
  part->words = storage_->words;
  ContentHasher hasher;
  hasher.add(key);
  part->key = hasher.finish();
  TokenCorpus corpus;
  corpus.storage_ = std::move(part);
  return corpus;
}

DocumentKind TokenCorpus::kind() const {
  return documents() == 0 ? DocumentKind::text : storage_->record(0).kind;
}

std::uint64_t TokenCorpus::documents(DocumentKind kind) const {
  return storage_->kinds[static_cast<std::size_t>(kind)].documents;
}

std::uint64_t TokenCorpus::documents() const {
  return storage_->totals.documents;
}

TokenDocument TokenCorpus::document(std::uint64_t index) const {
  const TokenRecord& record = storage_->record(index);
  const auto words = storage_->words.subspan(record.begin);
  const auto tokens = words.first(record.tokens);
  const auto rest = words.subspan(record.tokens);
  return {.tokens = {reinterpret_cast<const std::int32_t*>(tokens.data()), tokens.size()},
          .sentences = rest.first(record.sentences),
          .labels = rest.subspan(record.sentences, record.labels),
          .bytes = record.bytes,
          .kind = record.kind,
          .marks = record.marks,
          .label = record.label};
}

std::string TokenCorpus::origin(std::uint64_t index) const {
  const TokenRecord& record = storage_->record(index);
  if (storage_->files.empty()) return fmt::format("document {}", record.line);
  return fmt::format("{}:{}", storage_->files[record.file], record.line);
}

std::uint64_t TokenCorpus::tokens() const {
  return storage_->totals.tokens;
}

std::uint64_t TokenCorpus::sentences() const {
  return storage_->totals.sentences;
}

std::uint64_t TokenCorpus::bytes() const {
  return storage_->totals.bytes;
}

std::string TokenCorpus::fingerprint() const {
  return storage_->key.hex();
}

CorpusReport TokenCorpus::report() const {
  return {.files = storage_->files.size(),
          .other_files = storage_->other_files,
          .repeated_files = storage_->repeated_files,
          .documents = documents(),
          .sentences = sentences(),
          .tokens = tokens(),
          .bytes = bytes(),
          .pairs = documents(DocumentKind::pair),
          .choices = documents(DocumentKind::choice),
          .labelled = documents(DocumentKind::labelled),
          .skips = storage_->skips};
}

}  // namespace surprisal
